//! Rewriting of Media Presentation Descriptions (MPD) as a stream: URLs get what [`Links`] gives them, content
//! protection is added, and every other byte stays.
//!
//! Sources: ISO/IEC 23009-1 (DASH), ISO/IEC 23001-7 (common encryption), DASH-IF's guidelines for content protection.
//!
//! ```
//! use playlock_dash::{Additions, Links, Place, Rewriter};
//!
//! /// Puts a token into the URLs of one host.
//! struct Tokens;
//!
//! impl Links for Tokens {
//!     type Base = String;
//!
//!     fn document(&self) -> String {
//!         "https://own.example/live/a.mpd".into()
//!     }
//!
//!     fn resolve(&self, base: &String, reference: &str) -> String {
//!         if reference.contains("://") { reference.into() } else { base.clone() } // Here: RFC 3986.
//!     }
//!
//!     fn is_own(&self, base: &String, reference: &str) -> bool {
//!         self.resolve(base, reference).starts_with("https://own.example/")
//!     }
//!
//!     fn link(&mut self, _: Place, _: &String, reference: &str) -> Option<String> {
//!         Some(format!("{reference}?token=x"))
//!     }
//! }
//!
//! let mut rewriter = Rewriter::new(Tokens, Additions::default());
//! let mut out = Vec::new();
//! let start = "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><Period><Segment";
//! for chunk in [start, "Template media='$Number$.m4s'/></Period></MPD>"] {
//!     rewriter.push(chunk.as_bytes(), &mut out)?;
//! }
//! rewriter.finish(&mut out)?;
//! assert!(String::from_utf8_lossy(&out).contains("<SegmentTemplate media='$Number$.m4s?token=x'/>"));
//! # Ok::<(), playlock_dash::DashError>(())
//! ```
//!
//! # URLs
//!
//! | element | URL | place |
//! |---|---|---|
//! | `SegmentTemplate` | `@media`, `@initialization`, `@index`, `@bitstreamSwitching` | [`Place::Template`] |
//! | `SegmentURL` | `@media`, `@index` | [`Place::File`] |
//! | `Initialization`, `RepresentationIndex`, `BitstreamSwitching` | `@sourceURL` | [`Place::File`] |
//! | `InitializationSet` | `@initialization` | [`Place::File`] |
//! | `BaseURL` | text | [`Place::Base`] |
//! | `Location` | text | [`Place::Location`] |
//! | `ContentSteering` | text | [`Place::Steering`] |
//! | `Laurl` in `ContentProtection`, of DASH-IF's two namespaces | text | [`Place::License`] |
//!
//! `PatchLocation` is left out, since a patch would bring parts of the document that nobody has rewritten. For the same
//! reason `xlink:href` is refused. Elements are recognised by namespace, local name and parent, whatever their prefix;
//! an element of another namespace in the place and with the name of one of these is refused, because not all players
//! know namespaces.
//!
//! # Bases
//!
//! A relative URL may have several bases: the `BaseURL` elements of a level are alternatives, a segment template of a
//! Period has the base of the Representation that inherits it, and some players resolve against `Location`. A URL gets
//! a link only if the link is the same under all of them. If not, the document is refused: a token would reach another
//! host, or the wrong file.
//!
//! # Bounds
//!
//! Memory is bounded by one tag (16 KB), the text of one URL (8 KB), 16 base URLs at each level, and 16 references that
//! are compared with further bases (32 KB). Time is linear. The length of the document is not limited.
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

/// The additions of a rewriter to a document.
#[derive(Debug, Clone, Default)]
pub struct Additions {
    /// The URL to reload a dynamic document from, if it has no `Location`. With XML's escapes still to be done.
    pub location: Option<String>,
    /// The base URL of a document that has none at its root. It is linked as those of the document are.
    pub base: Option<String>,
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
