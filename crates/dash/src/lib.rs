//! Rewriting of Media Presentation Descriptions (MPD; ISO/IEC 23009-1) as a stream: URLs get what [`Links`] gives them, and
//! every other byte stays.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

/// Decides about the URLs of a document, and resolves them. The rewriter knows where URLs stand, and nothing about hosts
/// and tokens.
pub trait Links {
    /// An absolute base URL.
    type Base: Clone;

    /// The base of the document: the URL that it was requested at.
    fn document(&self) -> Self::Base;

    /// `reference` resolved against `base` (RFC 3986 section 5.2).
    fn resolve(&self, base: &Self::Base, reference: &str) -> Self::Base;

    /// Whether a request for `reference`, resolved against `base`, reaches this server.
    fn is_own(&self, base: &Self::Base, reference: &str) -> bool;

    /// The reference to write in place of an own one, `None` to leave it. Both are without XML's escapes.
    fn link(&mut self, place: Place, base: &Self::Base, reference: &str) -> Option<String>;
}

/// The place of a URL, which determines what it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A template with `$…$` identifiers: `SegmentTemplate@media` and its like. A `$` of the new reference must be doubled.
    Template,
    /// A file of media or of its index: `SegmentURL@media`, `Initialization@sourceURL` and their like.
    File,
    /// `BaseURL`: a directory, or a file of media.
    Base,
    /// `Location`: the document itself, for reloads.
    Location,
    /// `ContentSteering`: a JSON document.
    Steering,
    /// `Laurl` of a ClearKey `ContentProtection`: a license server.
    License,
}

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

/// Reasons why a document is not rewritten. After an error the output is incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DashError {
    /// No MPD.
    NotMpd,
}

/// Whether a document that begins with `bytes` is an MPD; `None` if more bytes are needed.
pub fn is_mpd(_bytes: &[u8]) -> Option<bool> {
    None
}

/// The rewriting of one document.
pub struct Rewriter<L: Links> {
    links: L,
}

impl<L: Links> Rewriter<L> {
    /// Starts a document.
    pub fn new(links: L, _additions: Additions) -> Self {
        Self { links }
    }

    /// Rewrites the next chunk and appends the output that is ready to `out`.
    ///
    /// # Errors
    /// The reason why the document is refused.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), DashError> {
        let _ = self.links.document();
        out.extend_from_slice(chunk);
        Ok(())
    }

    /// Appends the output that was held back. The document is complete.
    ///
    /// # Errors
    /// As [`Rewriter::push`].
    pub fn finish(&mut self, _out: &mut Vec<u8>) -> Result<(), DashError> {
        Ok(())
    }
}
