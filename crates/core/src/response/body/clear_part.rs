//! The body of a part of a file that is served in clear.

use alloc::vec::Vec;

use super::pushed::Pushed;
use super::window::Window;
use crate::http::reply::Reason;

/// A part of a file in clear.
#[derive(Debug)]
pub struct ClearPartBody {
    window: Window,
}

impl ClearPartBody {
    /// `window` is what of the origin's body is served: at least one byte.
    pub fn new(window: Window) -> Self {
        Self { window }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// As [`Window::take`].
    pub fn push(&mut self, mut chunk: Vec<u8>, end_of_stream: bool) -> Result<Pushed, Reason> {
        self.window.take(&mut chunk, end_of_stream)?;
        Ok(Pushed::Out(chunk.into()))
    }

    /// Whether all of it is out.
    pub fn is_complete(&self) -> bool {
        self.window.is_complete()
    }
}
