//! The document as it passes: elements are recognised, URLs replaced, and all else copied.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use playlock_xml::text::attribute_value;
use playlock_xml::{Element, Sink, Token};

use crate::Additions;
use crate::error::DashError;
use crate::escape::{push_text, push_value};
use crate::links::{Links, Place};
use crate::node::{Level, Node};
use crate::protection::Protector;
use crate::scope::Scope;
use crate::text::{Text, reference};

const XLINK: &str = "http://www.w3.org/1999/xlink";
/// The remote element that does not exist: players remove the element (ISO/IEC 23009-1, 5.5.3).
const RESOLVE_TO_ZERO: &str = "urn:mpeg:dash:resolve-to-zero:2013";

/// The state of a document.
pub(crate) struct Document<L: Links> {
    links: L,
    scope: Scope<L::Base>,
    open: Vec<Node>,
    /// The content of the innermost element, if it is a URL.
    text: Option<Text>,
    /// Elements that are open within a dropped one, and itself.
    dropped: usize,
    /// The prefix of the root, with its colon.
    prefix: String,
    /// The location to insert, as long as there is none.
    location: Option<String>,
    /// The base URL to insert, as long as there is none.
    base: Option<String>,
    protector: Option<Protector>,
}

impl<L: Links> Document<L> {
    pub(crate) fn new(links: L, additions: Additions) -> Self {
        let scope = Scope::new(links.document());
        let Additions { location, base, protection } = additions;
        let protector = protection.map(Protector::new);
        Self {
            links,
            scope,
            open: Vec::new(),
            text: None,
            dropped: 0,
            prefix: String::new(),
            location,
            base,
            protector,
        }
    }

    fn start(&mut self, raw: &str, element: &Element<'_>, out: &mut Vec<u8>) -> Result<(), DashError> {
        if self.dropped > 0 {
            self.dropped += usize::from(!element.empty);
            return Ok(());
        }
        if self.text.is_some() {
            return Err(DashError::Url);
        }
        check_xlink(element)?;
        let node = match self.open.last() {
            Some(parent) => Node::child(*parent, element)?,
            None => self.root(element)?,
        };
        if self.open.len() == 1 {
            self.child_of_root(node, element, out)?;
        }
        if node == Node::Patch {
            self.dropped = usize::from(!element.empty);
            return Ok(());
        }
        match node {
            Node::Mpd | Node::Level(_) => self.scope.enter(),
            Node::Segments(_) => self.scope.segments()?,
            _ => {}
        }
        if let (Some(protector), Some(parent)) = (&mut self.protector, self.open.last()) {
            protector.start(*parent, node, element, out)?;
        }
        let edits = self.edits(node, element)?;
        write(raw, &edits, out);
        if element.empty {
            self.leave(node)?;
        } else {
            self.open.push(node);
            self.text = if let Node::Url(place) = node { Some(Text::new(place)) } else { None };
        }
        Ok(())
    }

    fn root(&mut self, element: &Element<'_>) -> Result<Node, DashError> {
        let root = Node::root(element).ok_or(DashError::NotMpd)?;
        if !element.name.prefix.is_empty() {
            self.prefix.push_str(element.name.prefix);
            self.prefix.push(':');
        }
        if attribute(element, "type").as_deref() != Some("dynamic") {
            self.location = None;
        }
        Ok(root)
    }

    /// Inserts the base URL and the location in front of the first element that stands behind them in the schema.
    fn child_of_root(&mut self, node: Node, element: &Element<'_>, out: &mut Vec<u8>) -> Result<(), DashError> {
        if node == Node::Url(Place::Base) {
            self.base = None;
            return Ok(());
        }
        if node == Node::Foreign || element.name.local == "ProgramInformation" {
            return Ok(());
        }
        self.insert_base(out)?;
        if node != Node::Url(Place::Location) {
            self.insert_location(out);
        }
        Ok(())
    }

    fn insert_base(&mut self, out: &mut Vec<u8>) -> Result<(), DashError> {
        let Some(base) = self.base.take() else { return Ok(()) };
        let link = self.scope.base(&mut self.links, &base)?;
        self.insert("BaseURL>", link.written.as_deref().unwrap_or(&base), out);
        Ok(())
    }

    fn insert_location(&mut self, out: &mut Vec<u8>) {
        let Some(location) = self.location.take() else { return };
        self.insert("Location>", &location, out);
    }

    /// Appends an element of the document's namespace with a text. `name`: with a `>` behind.
    fn insert(&self, name: &str, text: &str, out: &mut Vec<u8>) {
        for part in ["<", &self.prefix, name] {
            out.extend_from_slice(part.as_bytes());
        }
        push_text(out, text);
        for part in ["</", &self.prefix, name] {
            out.extend_from_slice(part.as_bytes());
        }
    }

    /// The new values of attributes.
    fn edits(&mut self, node: Node, element: &Element<'_>) -> Result<Vec<(Range<usize>, String)>, DashError> {
        let mut edits = Vec::new();
        for attribute in element.attributes.iter().filter(|attribute| attribute.namespace.is_empty()) {
            let Some(place) = node.url(attribute.name.local) else { continue };
            let value = attribute_value(attribute.value).unwrap_or_default();
            let inherited = node != Node::InitializationSet && !self.open.contains(&Node::Level(Level::Representation));
            let link = self.scope.reference(&mut self.links, place, reference(&value)?, inherited)?;
            if let Some(written) = link.written {
                edits.push((attribute.value_span.clone(), written));
            }
        }
        Ok(edits)
    }

    fn end(&mut self, raw: &str, out: &mut Vec<u8>) -> Result<(), DashError> {
        if self.dropped > 0 {
            self.dropped -= 1;
            return Ok(());
        }
        if let Some(text) = self.text.take() {
            let written = self.url(text.place, text.reference()?)?;
            text.write(written.as_deref(), out);
        }
        if self.open.len() == 1 {
            self.insert_location(out);
        }
        out.extend_from_slice(raw.as_bytes());
        if let Some(node) = self.open.pop() {
            self.leave(node)?;
        }
        Ok(())
    }

    /// The URL to write in place of an element's text.
    fn url(&mut self, place: Place, reference: &str) -> Result<Option<String>, DashError> {
        if reference.is_empty() {
            return Ok(None);
        }
        let links = &mut self.links;
        let link = match place {
            Place::Base => self.scope.base(links, reference)?,
            Place::Location => {
                self.location = None;
                self.scope.location(links, reference)?
            }
            _ => self.scope.of_document(links, place, reference)?,
        };
        Ok(link.written)
    }

    fn leave(&mut self, node: Node) -> Result<(), DashError> {
        if matches!(node, Node::Mpd | Node::Level(_)) {
            self.scope.leave();
        }
        self.protector.as_mut().map_or(Ok(()), |protector| protector.end(node))
    }
}

/// A document and the output of the current chunk.
pub(crate) struct Pass<'a, L: Links> {
    pub(crate) document: &'a mut Document<L>,
    pub(crate) out: &'a mut Vec<u8>,
}

impl<L: Links> Sink for Pass<'_, L> {
    type Error = DashError;

    fn token(&mut self, _at: u64, raw: &str, token: &Token<'_>) -> Result<(), DashError> {
        let Self { document, out } = self;
        match (token, &mut document.text) {
            (Token::Start(element), _) => return document.start(raw, element, out),
            (Token::End(_), _) => return document.end(raw, out),
            (_, Some(text)) => return text.push(raw, token),
            (_, None) if document.dropped > 0 => {}
            (_, None) => out.extend_from_slice(raw.as_bytes()),
        }
        Ok(())
    }
}

fn check_xlink(element: &Element<'_>) -> Result<(), DashError> {
    let mut attributes = element.attributes.iter();
    let remote = attributes.any(|attribute| {
        let reference = attribute.namespace == XLINK && attribute.name.local == "href";
        // Players that do not know namespaces look for the usual prefix.
        (reference || attribute.name.spelling == "xlink:href") && attribute.value != RESOLVE_TO_ZERO
    });
    if remote { Err(DashError::Xlink) } else { Ok(()) }
}

/// The value of an attribute without a prefix.
pub(crate) fn attribute(element: &Element<'_>, local: &str) -> Option<String> {
    let mut attributes = element.attributes.iter();
    let found = attributes.find(|attribute| attribute.namespace.is_empty() && attribute.name.local == local)?;
    Some(attribute_value(found.value).unwrap_or_default().into_owned())
}

/// Appends a tag with new values of some attributes, in their order.
fn write(raw: &str, edits: &[(Range<usize>, String)], out: &mut Vec<u8>) {
    let mut done = 0;
    for (span, value) in edits {
        let before = raw.get(done..span.start).unwrap_or_default();
        out.extend_from_slice(before.as_bytes());
        push_value(out, value, before.bytes().next_back().unwrap_or(b'"'));
        done = span.end;
    }
    out.extend_from_slice(raw.get(done..).unwrap_or_default().as_bytes());
}
