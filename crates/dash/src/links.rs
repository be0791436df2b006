//! The decisions of the caller: which URLs of a document are its own, and what is written in their place.

use alloc::string::String;

use crate::error::DashError;

/// Decides about the URLs of a document, and resolves them. The rewriter knows where URLs stand, and nothing about
/// hosts and tokens.
///
/// References are without XML's escapes, without white space around them, and free of control characters. A reference
/// may have several bases: then each is asked for, and the document is refused if a token would depend on the choice.
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
    /// A template with `$…$` identifiers: `SegmentTemplate@media` and its like. A `$` of the new reference must be
    /// doubled: [`escape_template`]. The text of `$RepresentationID$` is the document's: a template that begins with it
    /// may become a URL of another host.
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

/// Text to be inserted into a template: each `$` is doubled (ISO/IEC 23009-1, table of identifiers of URL templates).
#[must_use]
pub fn escape_template(text: &str) -> String {
    text.replace('$', "$$")
}

/// A reference under its bases: whether it leads here, and what is written in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    own: bool,
    pub(crate) written: Option<String>,
}

impl Link {
    /// Both links, if they are the same for the player: then either may be taken.
    fn agree(self, other: &Self) -> Result<Self, DashError> {
        if self.written == other.written {
            Ok(self)
        } else if self.own == other.own {
            Err(DashError::SeveralLinks)
        } else {
            Err(DashError::SeveralHosts)
        }
    }
}

/// The link for a reference that has these bases, of which the player chooses one.
pub(crate) fn link<L: Links>(
    links: &mut L,
    bases: &[L::Base],
    place: Place,
    reference: &str,
) -> Result<Link, DashError> {
    let choice = if is_absolute(reference) { bases.get(..1).unwrap_or_default() } else { bases };
    let mut chosen: Option<Link> = None;
    for base in choice {
        let own = links.is_own(base, reference);
        let written = if own { links.link(place, base, reference) } else { None };
        let link = Link { own, written: written.filter(|written| written != reference) };
        chosen = Some(match chosen {
            Some(chosen) => chosen.agree(&link)?,
            None => link,
        });
    }
    Ok(chosen.unwrap_or(Link { own: false, written: None }))
}

/// Checks that a reference has the same link under further bases.
pub(crate) fn check<L: Links>(
    links: &mut L,
    bases: &[L::Base],
    (place, reference): (Place, &str),
    known: &Link,
) -> Result<(), DashError> {
    if bases.is_empty() || is_absolute(reference) {
        return Ok(());
    }
    link(links, bases, place, reference)?.agree(known)?;
    Ok(())
}

/// Whether a reference has a scheme and a host of its own, so that its base does not matter. A scheme alone is not
/// enough: browsers resolve `http:file` against a base of that scheme.
pub(crate) fn is_absolute(reference: &str) -> bool {
    reference.split_once("://").is_some_and(|(scheme, _)| {
        let others = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(others)
    })
}
