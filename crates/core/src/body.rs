//! A response's body on its way through: what of it is served, and what becomes of that.

use alloc::vec::Vec;

use crate::batch::{Batch, SharedEncryptor, StreamId};
use crate::headers;
use crate::json::{self, MAX_DOCUMENT};
use crate::output::Output;
use crate::playlist::{Entry, Marks, Rewriter};
use crate::reply::{Header, Reason};
use crate::signed::ByteRange;
use crate::start::Start;

/// The part of the origin's body that is served, in bytes.
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

    /// Cuts `chunk` down to what of it is served. `true` if nothing more is to come.
    fn cut(&mut self, chunk: &mut Vec<u8>) -> Result<bool, Reason> {
        let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        let skipped = self.skip.min(length);
        self.skip -= skipped;
        let served = self.left.min(length - skipped);
        if served < length - skipped && !self.more {
            return Err(Reason::Length);
        }
        self.left -= served;
        // Both are at most the chunk's length, a usize.
        chunk.truncate(usize::try_from(skipped + served).unwrap_or(usize::MAX));
        chunk.drain(..usize::try_from(skipped).unwrap_or(chunk.len()).min(chunk.len()));
        Ok(self.left == 0 && self.skip == 0)
    }
}

/// What becomes of a chunk.
#[derive(Debug)]
pub enum Pushed {
    /// This goes out in its place.
    Out(Output),
    /// It is kept for now, here or in the batch.
    Kept,
}

/// A body on its way through.
#[derive(Debug)]
pub enum Body {
    /// A playlist.
    Playlist {
        /// What rewrites it.
        rewriter: Rewriter,
        /// Its beginning.
        start: Start,
    },
    /// The playlist that opened a session, until it is known whether it will be reloaded.
    Entry {
        /// What rewrites it if not.
        rewriter: Rewriter,
        /// What has been seen of it.
        entry: Entry,
        /// What goes out in its place if so.
        master: Vec<u8>,
        /// What has come of it.
        seen: Vec<u8>,
        /// What goes out of that if it will not be reloaded.
        ready: Vec<u8>,
        /// Its announced length in bytes.
        length: Option<u64>,
        /// Its beginning.
        start: Start,
    },
    /// A JSON document that names URIs. It goes out whole, at its end.
    Document {
        /// What goes onto its URIs.
        marks: Marks,
        /// What has come of it.
        collected: Vec<u8>,
        /// The response's headers are held until its end.
        held: bool,
        /// All of it is out.
        complete: bool,
    },
    /// All of it is out.
    Served,
    /// What comes with a redirect or an error: text passes.
    Words,
    /// A segment, or a part of a file.
    Segment {
        /// What encrypts it; `None` in clear, and once the padding is out.
        encryptor: Option<SharedEncryptor>,
        /// What of the body is served; `None` if its length is not known.
        window: Option<Window>,
        /// It ends where the file ends, so with padding.
        padded: bool,
        /// What of the ciphertext is served; `None`: all.
        slice: Option<Window>,
        /// All of it is out.
        complete: bool,
    },
}

impl Body {
    /// What follows headers that say that nothing does: a proxy need not see to it (RFC 9110 section 15.3.6 has no body,
    /// and message framing does not know).
    pub fn nothing() -> Self {
        Self::Segment { encryptor: None, window: Some(Window::whole(0)), padded: false, slice: None, complete: true }
    }

    /// Whether the response's headers are held.
    pub fn is_held(&self) -> bool {
        match self {
            Self::Playlist { start, .. } | Self::Entry { start, .. } => start.is_held(),
            Self::Document { held, .. } => *held,
            Self::Served | Self::Words | Self::Segment { .. } => false,
        }
    }

    /// Whether all of it is out, and nothing may follow.
    pub fn is_served(&self) -> bool {
        matches!(self, Self::Served)
    }

    /// Whether what comes is media that leaves encrypted.
    pub fn encrypts(&self) -> bool {
        matches!(self, Self::Segment { encryptor: Some(_), .. })
    }

    /// Takes the next chunk. A segment's may be encrypted along with those of other streams in `batch`, where this one
    /// is known as `stream`.
    ///
    /// # Errors
    /// Why the response cannot go on.
    pub fn push(
        &mut self,
        mut chunk: Vec<u8>,
        end_of_stream: bool,
        stream: StreamId,
        batch: &mut Batch,
    ) -> Result<Pushed, Reason> {
        let held = self.is_held();
        let out = match self {
            Self::Entry { rewriter, entry, master, seen, ready, length, start } => {
                let Some(mut chunk) = start.take(chunk, end_of_stream)? else { return Ok(Pushed::Kept) };
                // What cannot be served is refused now, not when it is reloaded.
                rewriter.push(&chunk, ready)?;
                seen.append(&mut chunk);
                let whole = end_of_stream || u64::try_from(seen.len()).ok() == *length;
                match entry.is_live(seen, whole) {
                    None => Vec::new(),
                    Some(true) => {
                        // Its last line too, which may not have an end.
                        rewriter.finish(ready)?;
                        let out = core::mem::take(master);
                        *self = Self::Served;
                        out
                    }
                    Some(false) => {
                        let mut out = core::mem::take(ready);
                        if whole {
                            rewriter.finish(&mut out)?;
                        }
                        let out = start.give(out, end_of_stream);
                        let served = held && whole && start.is_settled();
                        self.enter();
                        if served {
                            *self = Self::Served;
                        }
                        out
                    }
                }
            }
            // What comes after the announced length.
            Self::Served => {
                if !chunk.is_empty() {
                    return Err(Reason::Length);
                }
                chunk
            }
            Self::Words if chunk.iter().copied().all(is_text) => chunk,
            Self::Words => return Err(Reason::Unasked),
            Self::Playlist { rewriter, start } => {
                let Some(chunk) = start.take(chunk, end_of_stream)? else { return Ok(Pushed::Kept) };
                let mut out = Vec::with_capacity(rewriter.expected(chunk.len()));
                rewriter.push(&chunk, &mut out)?;
                let whole = end_of_stream || held && start.has_all();
                if whole {
                    rewriter.finish(&mut out)?;
                }
                let out = start.give(out, end_of_stream);
                if held && whole && start.is_settled() {
                    *self = Self::Served;
                }
                out
            }
            Self::Document { marks, collected, held, complete } => {
                if collected.len() + chunk.len() > MAX_DOCUMENT {
                    return Err(Reason::Document);
                }
                collected.append(&mut chunk);
                if !end_of_stream {
                    return Ok(if *held { Pushed::Kept } else { Pushed::Out(Output::default()) });
                }
                let out = json::rewrite(marks, collected)?;
                (*held, *complete) = (false, true);
                out
            }
            Self::Segment { encryptor, window, padded, slice, complete } => {
                // With trailers no chunk is the last: the announced length tells.
                let done = match window {
                    Some(window) => window.cut(&mut chunk)?,
                    None => end_of_stream,
                };
                if end_of_stream && !done {
                    return Err(Reason::Length);
                }
                *complete = done;
                let Some(running) = encryptor else { return Ok(Pushed::Out(chunk.into())) };
                // A slice is cut out of the ciphertext here, so it is not left to the batch to give it out.
                let encrypted = match slice {
                    Some(_) => Some(running.borrow_mut().push(chunk)),
                    // Without a length an empty chunk may be all that is still to come.
                    None => batch.push(stream, running, chunk, !done && window.is_some()),
                };
                let Some(mut out) = encrypted else { return Ok(Pushed::Kept) };
                if done {
                    if *padded {
                        running.borrow_mut().finish(&mut out);
                    }
                    *encryptor = None;
                }
                let Some(slice) = slice else { return Ok(Pushed::Out(out)) };
                let mut bytes = out.into_vec();
                slice.cut(&mut bytes)?;
                bytes
            }
        };
        Ok(Pushed::Out(out.into()))
    }

    /// The playlist is served as it is, rewritten.
    fn enter(&mut self) {
        *self = match core::mem::replace(self, Self::Served) {
            Self::Entry { rewriter, start, .. } => Self::Playlist { rewriter, start },
            other => other,
        };
    }

    /// Whether the body may end here without another call.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Playlist { rewriter, start } => start.is_settled() && rewriter.is_settled(),
            Self::Entry { .. } => false,
            Self::Served | Self::Words => true,
            Self::Document { complete, .. } | Self::Segment { complete, .. } => *complete,
        }
    }
}

/// Whether a byte may stand in a text of any encoding that ASCII is a part of: control characters fill media.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | b' '..=b'~' | 0x80..)
}

#[cfg(test)]
mod tests {
    use alloc::rc::Rc;
    use alloc::vec;
    use core::cell::RefCell;

    use super::*;
    use crate::derive::ContentKey;
    use crate::segment::SegmentEncryptor;

    fn segment(length: Option<u64>) -> Body {
        let encryptor = SegmentEncryptor::new(&ContentKey { key: [1; 16], iv: [2; 16] });
        let window = length.map(Window::whole);
        let encryptor = Some(Rc::new(RefCell::new(encryptor)));
        Body::Segment { encryptor, window, padded: true, slice: None, complete: false }
    }

    #[test]
    fn what_may_end_with_an_empty_chunk_is_not_held() {
        let mut batch = Batch::new(true);
        let mut is_kept =
            |length, stream| matches!(segment(length).push(vec![0; 4096], false, stream, &mut batch), Ok(Pushed::Kept));
        assert!(!is_kept(Some(8192), 1));
        assert!(!is_kept(None, 2));
        assert!(is_kept(Some(8192), 3));
    }

    #[test]
    fn words_are_text() {
        let pass = |chunk: &[u8]| Body::Words.push(chunk.to_vec(), false, 1, &mut Batch::default()).is_ok();
        assert!(pass("<p>Nicht gefunden: schön ist das nicht.\r\n\t</p>".as_bytes()));
        assert!(pass(b"caf\xe9"));
        assert!(!pass(b"G@\x11\x10"));
        assert!(!pass(b"\0\0\0\x18ftyp"));
    }
}
