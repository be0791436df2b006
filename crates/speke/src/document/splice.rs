//! The splice: the answer is the request with some ranges replaced, and everything else byte for byte.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use zeroize::Zeroize;

/// Replacements of ranges of a source.
#[derive(Default)]
pub struct Splice {
    edits: Vec<Edit>,
}

/// One replacement. Without `Debug`: its text may be a key.
pub struct Edit {
    /// Bytes of the source; empty for an insertion.
    pub range: Range<usize>,
    /// The new text; empty for a removal.
    pub text: String,
}

impl Splice {
    pub(super) fn replace(&mut self, range: Range<usize>, text: String) {
        self.edits.push(Edit { range, text });
    }

    pub(super) fn remove(&mut self, range: Range<usize>) {
        self.replace(range, String::new());
    }

    /// The replacements in the order of the source, none within another.
    pub(super) fn sorted(mut self) -> Self {
        // An insertion comes before a replacement at the same place; the longer of two replacements wins.
        self.edits.sort_by_key(|edit| (edit.range.start, !edit.range.is_empty(), usize::MAX - edit.range.end));
        let mut end = 0;
        self.edits.retain(|edit| {
            let apart = edit.range.start >= end;
            end = end.max(edit.range.end);
            apart
        });
        self
    }

    /// The replacements.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// The source with its replacements.
    pub(super) fn apply(&self, source: &str) -> String {
        let added: usize = self.edits.iter().map(|edit| edit.text.len()).sum();
        let mut out = String::with_capacity(source.len() + added);
        let mut at = 0;
        for Edit { range, text } in &self.edits {
            out.push_str(source.get(at..range.start).unwrap_or_default());
            out.push_str(text);
            at = range.end;
        }
        out.push_str(source.get(at..).unwrap_or_default());
        out
    }
}

impl Drop for Splice {
    fn drop(&mut self) {
        self.edits.iter_mut().for_each(|edit| edit.text.zeroize());
    }
}
