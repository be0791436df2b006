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
    /// Adds a replacement at its place in the order of the source: an insertion before a replacement at the same place,
    /// and the longer of two replacements first. Edits come in a few runs that are in order already, the longest last,
    /// so there is little to move.
    pub(super) fn replace(&mut self, range: Range<usize>, text: String) {
        let rank = |range: &Range<usize>| (range.start, !range.is_empty(), usize::MAX - range.end);
        let at = self.edits.partition_point(|edit| rank(&edit.range) <= rank(&range));
        self.edits.insert(at, Edit { range, text });
    }

    pub(super) fn remove(&mut self, range: Range<usize>) {
        self.replace(range, String::new());
    }

    /// Drops replacements within others.
    pub(super) fn without_inner(mut self) -> Self {
        let mut end = 0;
        self.edits.retain(|edit| {
            let apart = edit.range.start >= end;
            end = end.max(edit.range.end);
            apart
        });
        self
    }

    /// The replacements, in the order of the source.
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
