//! Body of a byte range of a file, served in clear.

use alloc::vec::Vec;

use super::pushed::Pushed;
use super::window::Window;
use crate::http::reply::Reason;

/// A byte range of a file, served in clear.
#[derive(Debug)]
pub struct ClearPartBody {
    window: Window,
}

impl ClearPartBody {
    /// `window` is the part of the origin's body to serve, at least one byte.
    pub fn new(window: Window) -> Self {
        Self { window }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// See [`Window::take`].
    pub fn push(&mut self, mut chunk: Vec<u8>, end_of_stream: bool) -> Result<Pushed, Reason> {
        self.window.take(&mut chunk, end_of_stream)?;
        Ok(Pushed::Out(chunk.into()))
    }

    /// Whether the complete range has been emitted.
    pub fn is_complete(&self) -> bool {
        self.window.is_complete()
    }
}
