//! Body of a part of the ciphertext.

use alloc::vec::Vec;

use super::pushed::Pushed;
use super::window::Window;
use crate::http::reply::Reason;
use crate::media::segment::SegmentEncryptor;

/// A part of the ciphertext of media. Its chunks are encrypted here instead of in the batch, because the part is cut
/// from the ciphertext.
#[derive(Debug)]
pub struct MediaRangeBody {
    /// `None` after the last byte of the origin's body.
    encryptor: Option<SegmentEncryptor>,
    /// The origin's body.
    plaintext: Window,
    /// Whether the origin's body ends at the end of the file, so that the ciphertext has a padding block.
    padded: bool,
    /// Part of the ciphertext to serve.
    ciphertext: Window,
}

impl MediaRangeBody {
    /// `plaintext` is the origin's body. `padded`: it ends at the end of the file. `first` is the position of the first
    /// byte of the ciphertext to serve, and `length` the number of bytes.
    pub fn new(encryptor: SegmentEncryptor, plaintext: Window, padded: bool, first: u64, length: u64) -> Self {
        let ciphertext = Window { skip: first, left: length, more: true };
        Self { encryptor: Some(encryptor), plaintext, padded, ciphertext }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// See [`Window::take`].
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

    /// Whether the complete origin body has been processed.
    pub fn is_complete(&self) -> bool {
        self.encryptor.is_none()
    }
}
