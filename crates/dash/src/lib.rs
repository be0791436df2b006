//! Rewriting of Media Presentation Descriptions (MPD; ISO/IEC 23009-1) as a stream: URLs get what [`Links`] gives them, and
//! every other byte stays.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

mod document;
mod error;
mod escape;
mod limits;
mod links;
mod media;
mod node;
mod protection;
mod scope;
mod sniff;
mod text;

pub use error::DashError;
pub use links::{Links, Place, escape_template};
pub use sniff::is_mpd;

use document::{Document, Pass};
use playlock_xml::Parser;

/// What a rewriter adds to a document.
#[derive(Debug, Clone, Default)]
pub struct Additions {
    /// The URL to reload a dynamic document from, if it has no `Location`. With XML's escapes still to be done.
    pub location: Option<String>,
    /// Content protection of every set of video or audio.
    pub protection: Option<Protection>,
}

/// Content protection by common encryption (ISO/IEC 23001-7) and the ClearKey licenses of DASH-IF.
#[derive(Debug, Clone)]
pub struct Protection {
    /// `cbcs` or `cenc`.
    pub scheme: &'static str,
    /// `default_KID`, 16 bytes in the order of the UUID's text.
    pub kid: [u8; 16],
    /// The license server's URL, absolute or a reference to be resolved against the document.
    pub license: String,
}

/// The rewriting of one document. After an error it must not be used any more.
pub struct Rewriter<L: Links> {
    parser: Parser,
    document: Document<L>,
}

impl<L: Links> Rewriter<L> {
    /// Starts a document.
    pub fn new(links: L, additions: Additions) -> Self {
        Self { parser: Parser::new(limits::XML), document: Document::new(links, additions) }
    }

    /// Rewrites the next chunk and appends the output that is ready to `out`.
    ///
    /// # Errors
    /// The reason why the document is refused.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), DashError> {
        self.parser.push(chunk, &mut Pass { document: &mut self.document, out })
    }

    /// Appends the output that was held back. The document is complete.
    ///
    /// # Errors
    /// As [`Rewriter::push`].
    pub fn finish(&mut self, _out: &mut Vec<u8>) -> Result<(), DashError> {
        Ok(self.parser.finish()?)
    }
}
