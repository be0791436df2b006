//! Lines of a playlist out of chunks of any size, byte for byte: a line's text and its end stay what they were.

use alloc::vec::Vec;

use crate::bytes::bug;
use crate::http::reply::Reason;

/// Longest line in bytes. Real playlists stay far below; without a limit an origin could fill the memory.
pub const MAX_LINE: usize = 128 * 1024;

/// A line as it came.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Without its end.
    pub text: &'a [u8],
    /// `\n`, `\r\n`, or nothing at the end of the file.
    pub end: &'a [u8],
}

impl<'a> Line<'a> {
    /// Splits a line with its end off.
    fn new(raw: &'a [u8]) -> Self {
        match raw {
            [text @ .., b'\r', b'\n'] => Self { text, end: b"\r\n" },
            [text @ .., b'\n'] => Self { text, end: b"\n" },
            text => Self { text, end: b"" },
        }
    }
}

/// The part of a line that has come so far.
#[derive(Debug, Default)]
pub struct Lines {
    carry: Vec<u8>,
}

impl Lines {
    /// Calls `each` with every line that `chunk` completes, and with what follows it in there. It returns how many bytes
    /// of that it has taken, too: whole lines.
    ///
    /// # Errors
    /// [`Reason::Line`] if a line is longer than [`MAX_LINE`]; what `each` returns.
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

    /// Calls `each` with the last line if it had no end.
    ///
    /// # Errors
    /// What `each` returns.
    pub fn finish(&mut self, mut each: impl FnMut(Line<'_>) -> Result<(), Reason>) -> Result<(), Reason> {
        let last = core::mem::take(&mut self.carry);
        if last.is_empty() { Ok(()) } else { each(Line::new(&last)) }
    }

    /// Whether every line so far was complete.
    pub fn is_at_line_start(&self) -> bool {
        self.carry.is_empty()
    }
}
