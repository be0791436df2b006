//! The body of media that leaves encrypted.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::pushed::Pushed;
use super::window::Window;
use crate::bytes::bug;
use crate::http::reply::Reason;
use crate::media::batch::{Batch, SharedEncryptor, StreamId};
use crate::media::segment::SegmentEncryptor;

/// Media, or a part of a file with media, that leaves encrypted.
#[derive(Debug)]
pub struct MediaBody {
    /// `None` once the padding is out.
    encryptor: Option<SharedEncryptor>,
    /// What of the body is served; `None` if its length is not known.
    window: Option<Window>,
}

impl MediaBody {
    /// `window` is what of the origin's body is served; `None` if its length is not known.
    pub fn new(encryptor: SegmentEncryptor, window: Option<Window>) -> Self {
        Self { encryptor: Some(Rc::new(RefCell::new(encryptor))), window }
    }

    /// Takes the next chunk, which may be encrypted along with those of other streams.
    ///
    /// # Errors
    /// As [`Window::take`].
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
        // Without a length an empty chunk may be all that is still to come.
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

    /// Whether all of it is out, with its padding.
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
