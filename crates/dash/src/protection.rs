//! Content protection of the sets of video and audio, and the refusal of what cannot be encrypted on its way.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use playlock_xml::Element;

use crate::Protection;
use crate::document::attribute;
use crate::error::DashError;
use crate::escape::push_text;
use crate::links::Place;
use crate::media::{Description, Kind};
use crate::node::{LAURL, Level, Node, Segments, is_standard};

/// Children of a set that stand before `ContentProtection` in the schema.
const BEFORE: [&str; 2] = ["FramePacking", "AudioChannelConfiguration"];

/// The state of protection.
pub(crate) struct Protector {
    protection: Protection,
    /// Of MPD, and of the open Period, set and Representation.
    levels: Vec<Addressing>,
    set: Set,
}

/// How the segments of a level are addressed. The levels below inherit it.
#[derive(Debug, Clone, Copy, Default)]
struct Addressing {
    files: bool,
    ranges: bool,
    /// A level below has begun: it would inherit what it was not judged by.
    nested: bool,
}

/// The open set.
#[derive(Debug, Default)]
struct Set {
    /// The prefix of its name, with the colon.
    prefix: String,
    description: Description,
    /// Known from the set, or from its first Representation.
    kind: Option<Kind>,
    /// The elements have been written.
    done: bool,
}

impl Protector {
    pub(crate) fn new(protection: Protection) -> Self {
        Self { protection, levels: Vec::from([Addressing::default()]), set: Set::default() }
    }

    /// The start of an element. Appends what stands before it.
    pub(crate) fn start(
        &mut self,
        parent: Node,
        node: Node,
        element: &Element<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), DashError> {
        match node {
            Node::Protection => return Err(DashError::Encrypted),
            Node::Level(level) => {
                if let Some(above) = self.levels.last_mut() {
                    above.nested = true;
                }
                self.levels.push(Addressing::default());
                match level {
                    Level::Period => {}
                    Level::Set => self.begin_set(element),
                    Level::Representation => self.begin_representation(element)?,
                }
            }
            _ => self.address(node, element)?,
        }
        if parent == Node::Level(Level::Set) {
            if node == Node::Plain && element.name.local == "ContentComponent" {
                self.component(element);
            }
            if !(is_standard(element) && BEFORE.contains(&element.name.local)) {
                self.insert(out);
            }
        }
        Ok(())
    }

    /// The end of an element.
    pub(crate) fn end(&mut self, node: Node) -> Result<(), DashError> {
        if node == Node::Level(Level::Representation) && self.set.kind == Some(Kind::Media) {
            let ranges = self.levels.iter().any(|level| level.ranges);
            if ranges || !self.levels.iter().any(|level| level.files) {
                return Err(DashError::ByteRanges);
            }
        }
        if matches!(node, Node::Level(_)) {
            self.levels.pop();
        }
        Ok(())
    }

    fn begin_set(&mut self, element: &Element<'_>) {
        self.set = Set { description: describe(element), ..Set::default() };
        if !element.name.prefix.is_empty() {
            self.set.prefix.push_str(element.name.prefix);
            self.set.prefix.push(':');
        }
        // An error is one of the Representations, which may have another media type.
        self.set.kind = self.set.description.kind().ok();
    }

    fn begin_representation(&mut self, element: &Element<'_>) -> Result<(), DashError> {
        let mut description = self.set.description.clone();
        let own = describe(element);
        for (inherited, own) in [
            (&mut description.mime, own.mime),
            (&mut description.content, own.content),
            (&mut description.codecs, own.codecs),
        ] {
            if !own.is_empty() {
                *inherited = own;
            }
        }
        let kind = description.kind()?;
        if *self.set.kind.get_or_insert(kind) == kind { Ok(()) } else { Err(DashError::MixedMedia) }
    }

    /// A component of a set: one of video or audio counts more than one of text.
    fn component(&mut self, element: &Element<'_>) {
        let content = attribute(element, "contentType").unwrap_or_default();
        let known = &mut self.set.description.content;
        if known.is_empty() || matches!(content.as_str(), "video" | "audio") {
            *known = content;
        }
    }

    /// Notes how segments are addressed.
    fn address(&mut self, node: Node, element: &Element<'_>) -> Result<(), DashError> {
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        if level.nested && matches!(node, Node::Segments(_) | Node::Url(Place::Base)) {
            return Err(DashError::Order);
        }
        let has = |local| attribute(element, local).is_some();
        match node {
            Node::Segments(segments) => {
                level.files |= segments != Segments::Base;
                level.ranges |= segments == Segments::Base || has("indexRange");
            }
            Node::File => {
                level.ranges |= has("range") || has("mediaRange") || has("indexRange");
                level.ranges |= element.name.local == "SegmentURL" && !has("media");
            }
            Node::Url(_) => level.ranges |= has("byteRange"),
            _ => {}
        }
        Ok(())
    }

    /// Appends the elements, if the set is known to need them and does not have them.
    fn insert(&mut self, out: &mut Vec<u8>) {
        if self.set.kind != Some(Kind::Media) || mem::replace(&mut self.set.done, true) {
            return;
        }
        let Protection { scheme, kid, license } = &self.protection;
        let prefix = self.set.prefix.as_str();
        let mut push = |parts: &[&str]| parts.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
        push(&["<", prefix, r#"ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value=""#, scheme]);
        push(&[r#"" xmlns:cenc="urn:mpeg:cenc:2013" cenc:default_KID=""#, &uuid(kid), r#""/>"#]);
        push(&["<", prefix, r#"ContentProtection schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e""#]);
        push(&[r#" value="ClearKey1.0">"#]);
        let mut escaped = Vec::new();
        push_text(&mut escaped, license);
        // Players differ in the namespace that they look for, and some compare the prefix.
        for (name, namespace) in ["dashif", "clearkey"].into_iter().zip(LAURL) {
            push(&["<", name, ":Laurl xmlns:", name, "=\"", namespace, "\">"]);
            push(&[core::str::from_utf8(&escaped).unwrap_or_default(), "</", name, ":Laurl>"]);
        }
        push(&["</", prefix, "ContentProtection>"]);
    }
}

fn describe(element: &Element<'_>) -> Description {
    let value = |local| attribute(element, local).unwrap_or_default();
    Description { mime: value("mimeType"), content: value("contentType"), codecs: value("codecs") }
}

/// The text of a UUID (RFC 9562 section 4).
fn uuid(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
        }
    }
    text
}
