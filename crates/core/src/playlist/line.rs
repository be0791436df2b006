//! Splits chunks of any size into lines. The text and the ending of each line are kept byte for byte.

use alloc::vec::Vec;

use crate::bytes::bug;
use crate::http::reply::Reason;

/// Longest line in bytes. Real playlists stay far below; without a limit, an origin could exhaust the memory.
pub const MAX_LINE: usize = 128 * 1024;

/// A line as received.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The text without the line ending.
    pub text: &'a [u8],
    /// `\n`, `\r\n`, or empty at the end of the file.
    pub end: &'a [u8],
}

impl<'a> Line<'a> {
    /// Splits the ending off a line.
    fn new(raw: &'a [u8]) -> Self {
        match raw {
            [text @ .., b'\r', b'\n'] => Self { text, end: b"\r\n" },
            [text @ .., b'\n'] => Self { text, end: b"\n" },
            text => Self { text, end: b"" },
        }
    }
}

/// The beginning of a line whose end has not been received.
#[derive(Debug, Default)]
pub struct Lines {
    carry: Vec<u8>,
}

impl Lines {
    /// Calls `each` with every line that `chunk` completes, and with the rest of the chunk after it. `each` returns how
    /// many bytes of the rest it has processed, too: whole lines.
    ///
    /// # Errors
    /// [`Reason::Line`] if a line is longer than [`MAX_LINE`]; errors of `each`.
    pub fn push(
        &mut self,
        chunk: &[u8],
        mut each: impl FnMut(Line<'_>, &[u8]) -> Result<usize, Reason>,
    ) -> Result<(), Reason> {
        let mut rest = chunk;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).map(|at| at + 1);
            let (piece, tail) = bug::split(rest, end.unwrap_or(rest.len()), Reason::Line)?;
            rest = tail;
            if self.carry.len() + piece.len() > MAX_LINE {
                return Err(Reason::Line);
            }
            if end.is_none() {
                self.carry.extend_from_slice(piece);
                continue;
            }
            let also = if self.carry.is_empty() {
                each(Line::new(piece), rest)?
            } else {
                self.carry.extend_from_slice(piece);
                let also = each(Line::new(&self.carry), rest)?;
                self.carry.clear();
                also
            };
            rest = bug::part(rest, also.., Reason::Line)?;
        }
        Ok(())
    }

    /// Calls `each` with the last line, if it has no ending.
    ///
    /// # Errors
    /// Errors of `each`.
    pub fn finish(&mut self, mut each: impl FnMut(Line<'_>) -> Result<(), Reason>) -> Result<(), Reason> {
        let last = core::mem::take(&mut self.carry);
        if last.is_empty() { Ok(()) } else { each(Line::new(&last)) }
    }

    /// Whether every line so far is complete.
    pub fn is_at_line_start(&self) -> bool {
        self.carry.is_empty()
    }
}
