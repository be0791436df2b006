//! The body of a part of the ciphertext of media.

use alloc::vec::Vec;

use super::pushed::Pushed;
use super::window::Window;
use crate::http::reply::Reason;
use crate::media::segment::SegmentEncryptor;

/// A part of the ciphertext of media. It is cut out of the ciphertext here, so the chunks are not left to the batch.
#[derive(Debug)]
pub struct MediaRangeBody {
    /// `None` once all of the origin's body has come.
    encryptor: Option<SegmentEncryptor>,
    /// The origin's body.
    plaintext: Window,
    /// The origin's body ends where the file ends, so the ciphertext with padding.
    padded: bool,
    /// What of the ciphertext is served.
    ciphertext: Window,
}

impl MediaRangeBody {
    /// `plaintext` is the origin's body. `padded`: it ends where the file ends. `first` is the position of the first byte of
    /// the ciphertext that is served, `length` how many are.
    pub fn new(encryptor: SegmentEncryptor, plaintext: Window, padded: bool, first: u64, length: u64) -> Self {
        let ciphertext = Window { skip: first, left: length, more: true };
        Self { encryptor: Some(encryptor), plaintext, padded, ciphertext }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// As [`Window::take`].
    pub fn push(&mut self, mut chunk: Vec<u8>, end_of_stream: bool) -> Result<Pushed, Reason> {
        let done = self.plaintext.take(&mut chunk, end_of_stream)?;
        let Some(encryptor) = &mut self.encryptor else { return Ok(Pushed::Out(chunk.into())) };
        let mut out = encryptor.push(chunk);
        if done {
            if self.padded {
                encryptor.finish(&mut out);
            }
            self.encryptor = None;
        }
        let mut bytes = out.into_vec();
        self.ciphertext.cut(&mut bytes)?;
        Ok(Pushed::Out(bytes.into()))
    }

    /// Whether all of it is out.
    pub fn is_complete(&self) -> bool {
        self.encryptor.is_none()
    }
}
