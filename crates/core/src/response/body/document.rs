//! The body of a JSON document that names URIs.

use alloc::vec::Vec;

use super::pushed::Pushed;
use crate::bytes::output::Output;
use crate::http::reply::Reason;
use crate::playlist::UriRewriter;
use crate::playlist::json::{self, MAX_DOCUMENT};

/// A JSON document that names URIs. It goes out whole, at its end.
#[derive(Debug)]
pub struct DocumentBody {
    marks: UriRewriter,
    /// What has come of it.
    collected: Vec<u8>,
    /// The response's headers are held until its end.
    held: bool,
    complete: bool,
}

impl DocumentBody {
    /// `marks` go onto its URIs. `held`: the response's headers are held until its end.
    pub fn new(marks: UriRewriter, held: bool) -> Self {
        Self { marks, collected: Vec::new(), held, complete: false }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// [`Reason::Document`] if it is too long or is no such document.
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

    /// Whether the response's headers are held.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Whether all of it is out.
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}
