//! Body of media to encrypt.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::pushed::Pushed;
use super::window::Window;
use crate::bytes::bug;
use crate::http::reply::Reason;
use crate::media::batch::{Batch, SharedEncryptor, StreamId};
use crate::media::segment::SegmentEncryptor;

/// Media to encrypt: a file, or a byte range of one.
#[derive(Debug)]
pub struct MediaBody {
    /// `None` after the padding block.
    encryptor: Option<SharedEncryptor>,
    /// Part of the body to encrypt; `None` if its length is unknown.
    window: Option<Window>,
}

impl MediaBody {
    /// `window` is the part of the origin's body to encrypt; `None` if its length is unknown.
    pub fn new(encryptor: SegmentEncryptor, window: Option<Window>) -> Self {
        Self { encryptor: Some(Rc::new(RefCell::new(encryptor))), window }
    }

    /// Takes the next chunk. It may be encrypted in a batch with those of other streams.
    ///
    /// # Errors
    /// See [`Window::take`].
    pub fn push(
        &mut self,
        mut chunk: Vec<u8>,
        end_of_stream: bool,
        stream: StreamId,
        batch: &mut Batch,
    ) -> Result<Pushed, Reason> {
        let done = match &mut self.window {
            Some(window) => window.take(&mut chunk, end_of_stream)?,
            None => end_of_stream,
        };
        let Some(running) = &self.encryptor else { return Ok(Pushed::Out(chunk.into())) };
        // Without a known length, a single empty chunk may be all that follows.
        let more = !done && self.window.is_some();
        let Some(mut out) = batch.push(stream, running, chunk, more) else {
            return if more { Ok(Pushed::Kept) } else { Err(bug::instead(Reason::Length)) };
        };
        if done {
            running.borrow_mut().finish(&mut out);
            self.encryptor = None;
        }
        Ok(Pushed::Out(out))
    }

    /// Whether the complete ciphertext has been emitted, including padding.
    pub fn is_complete(&self) -> bool {
        self.encryptor.is_none()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::token::derive::ContentKey;

    #[test]
    fn what_may_end_with_an_empty_chunk_is_not_held() {
        let media = |length: Option<u64>| {
            let encryptor = SegmentEncryptor::new(&ContentKey { key: [1; 16], iv: [2; 16] });
            MediaBody::new(encryptor, length.map(Window::whole))
        };
        let mut batch = Batch::new(true);
        let mut is_kept =
            |length, stream| matches!(media(length).push(vec![0; 4096], false, stream, &mut batch), Ok(Pushed::Kept));
        assert!(!is_kept(Some(8192), 1));
        assert!(!is_kept(None, 2));
        assert!(is_kept(Some(8192), 3));
    }
}
