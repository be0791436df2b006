//! Body of a JSON document with URIs.

use alloc::vec::Vec;

use super::pushed::Pushed;
use crate::bytes::output::Output;
use crate::http::reply::Reason;
use crate::playlist::UriRewriter;
use crate::playlist::json::{self, MAX_DOCUMENT};

/// A JSON document with URIs. It is collected, and emitted when it is complete.
#[derive(Debug)]
pub struct DocumentBody {
    marks: UriRewriter,
    /// Bytes received so far.
    collected: Vec<u8>,
    /// Whether the response headers are held back until the end of the document.
    held: bool,
    complete: bool,
}

impl DocumentBody {
    /// `marks` rewrites the URIs. `held`: the response headers are held back until the end of the document.
    pub fn new(marks: UriRewriter, held: bool) -> Self {
        Self { marks, collected: Vec::new(), held, complete: false }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// [`Reason::Document`] if the document is too long or invalid.
    pub fn push(&mut self, mut chunk: Vec<u8>, end_of_stream: bool) -> Result<Pushed, Reason> {
        if self.collected.len() + chunk.len() > MAX_DOCUMENT {
            return Err(Reason::Document);
        }
        self.collected.append(&mut chunk);
        if !end_of_stream {
            return Ok(if self.held { Pushed::Kept } else { Pushed::Out(Output::default()) });
        }
        let out = json::rewrite(&self.marks, &self.collected)?;
        (self.held, self.complete) = (false, true);
        Ok(Pushed::Out(out.into()))
    }

    /// Whether the response headers are held back.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Whether the complete document has been emitted.
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}
