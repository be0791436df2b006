//! Part of a body that is served.

use alloc::vec::Vec;

use crate::http::headers;
use crate::http::reply::{Header, Reason};
use crate::token::signed::ByteRange;

/// Part of a body that is served, in bytes.
#[derive(Debug)]
pub struct Window {
    /// Number of bytes to skip first.
    pub skip: u64,
    /// Number of bytes still to serve.
    pub left: u64,
    /// Whether further bytes are dropped because the origin sends the whole file. Otherwise they are an error.
    pub more: bool,
}

impl Window {
    /// The complete body, with this length.
    pub fn whole(length: u64) -> Self {
        Self { skip: 0, left: length, more: false }
    }

    /// Locates `range` in the response to a request for it. Origins may ignore Range (RFC 9110 section 14.2).
    ///
    /// # Errors
    /// [`Reason::Byterange`] if the response does not contain the range.
    pub fn of_range(
        range: ByteRange,
        status: u16,
        headers: &[Header],
        announced: Option<u64>,
        head: bool,
    ) -> Result<Self, Reason> {
        let end = range.last().saturating_add(1);
        if status == 206 {
            let expected = headers::content_range(headers)
                .is_some_and(|found| (found.first, found.last) == (range.offset, range.last()));
            let fits = announced.is_none_or(|announced| announced == range.length);
            return if expected && fits { Ok(Self::whole(range.length)) } else { Err(Reason::Byterange) };
        }
        if announced.is_some_and(|announced| announced < end) && !(head && announced == Some(0)) {
            return Err(Reason::Byterange);
        }
        Ok(Self { skip: range.offset, left: range.length, more: true })
    }

    /// Cuts the next chunk down to the bytes to serve. Returns `true` if none remain. With trailers, no chunk has
    /// `end_of_stream`; the length determines the end.
    ///
    /// # Errors
    /// [`Reason::Length`] if the body is too long or, at its end, too short.
    pub fn take(&mut self, chunk: &mut Vec<u8>, end_of_stream: bool) -> Result<bool, Reason> {
        self.cut(chunk)?;
        if end_of_stream && !self.is_complete() { Err(Reason::Length) } else { Ok(self.is_complete()) }
    }

    /// Cuts `chunk` down to the bytes to serve.
    ///
    /// # Errors
    /// [`Reason::Length`] if the body is too long.
    pub fn cut(&mut self, chunk: &mut Vec<u8>) -> Result<(), Reason> {
        let skipped = at_most(self.skip, chunk.len());
        let rest = chunk.len() - skipped;
        let served = at_most(self.left, rest);
        if served < rest && !self.more {
            return Err(Reason::Length);
        }
        self.skip -= skipped as u64;
        self.left -= served as u64;
        chunk.truncate(skipped + served);
        chunk.drain(..skipped);
        Ok(())
    }

    /// Whether no bytes remain to be served.
    pub fn is_complete(&self) -> bool {
        self.left == 0 && self.skip == 0
    }
}

/// Minimum of both.
fn at_most(bytes: u64, length: usize) -> usize {
    usize::try_from(bytes).map_or(length, |bytes| bytes.min(length))
}
