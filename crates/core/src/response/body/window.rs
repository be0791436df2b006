//! The part of a body that is served.

use alloc::vec::Vec;

use crate::http::headers;
use crate::http::reply::{Header, Reason};
use crate::token::signed::ByteRange;

/// The part of a body that is served, in bytes.
#[derive(Debug)]
pub struct Window {
    /// Bytes before it.
    pub skip: u64,
    /// Its bytes that are still to come.
    pub left: u64,
    /// More may follow and is dropped: the origin sent the whole file.
    pub more: bool,
}

impl Window {
    /// All of a body of this length.
    pub fn whole(length: u64) -> Self {
        Self { skip: 0, left: length, more: false }
    }

    /// Where `range` stands in an answer to a request for it: an origin may ignore Range (RFC 9110 section 14.2).
    ///
    /// # Errors
    /// [`Reason::Byterange`] if it is not in there.
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

    /// Cuts the next chunk of the body down to what of it is served. `true` if nothing more is to come. With trailers no
    /// chunk is the last: the announced length tells.
    ///
    /// # Errors
    /// [`Reason::Length`] if there is too much or, at the end, too little.
    pub fn take(&mut self, chunk: &mut Vec<u8>, end_of_stream: bool) -> Result<bool, Reason> {
        self.cut(chunk)?;
        if end_of_stream && !self.is_complete() { Err(Reason::Length) } else { Ok(self.is_complete()) }
    }

    /// Cuts `chunk` down to what of it is served.
    ///
    /// # Errors
    /// [`Reason::Length`] if there is too much.
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

    /// Whether nothing more of it is to come.
    pub fn is_complete(&self) -> bool {
        self.left == 0 && self.skip == 0
    }
}

/// The smaller of both.
fn at_most(bytes: u64, length: usize) -> usize {
    usize::try_from(bytes).map_or(length, |bytes| bytes.min(length))
}
