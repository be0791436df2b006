//! The parser: well-formedness and namespaces over the scanner's pieces.

use alloc::string::String;
use alloc::vec::Vec;

use crate::chars::is_blank;
use crate::error::{Fault, XmlError};
use crate::scan::{BYTE_ORDER_MARK, Piece, Scanner};
use crate::scope::Scopes;
use crate::tag::{self, Attribute, Form, QName, RawTag};
use crate::text::attribute_value;
use crate::{Limits, scope};

/// The start of an element.
#[derive(Debug)]
pub struct Element<'a> {
    /// The name as spelled.
    pub name: QName<'a>,
    /// The namespace of the name, "" for none.
    pub namespace: &'a str,
    /// In the order of the document, without duplicates.
    pub attributes: &'a [Attribute<'a>],
    /// Whether the tag is `<…/>`: then no end follows.
    pub empty: bool,
    /// Open elements around this one.
    pub depth: usize,
    /// The namespace declarations in scope, this element's among them.
    pub scopes: &'a Scopes,
}

/// A token of a document.
#[derive(Debug)]
pub enum Token<'a> {
    /// A start tag, or the tag of an empty element.
    Start(&'a Element<'a>),
    /// An end tag.
    End(QName<'a>),
    /// A piece of text. References are unresolved: [`text::unescape`](crate::text::unescape) does not fail.
    Text,
    /// A piece of the text of a CDATA section.
    CData,
    /// A piece of the text of a comment.
    Comment,
    /// `<!--`, `-->`, `<![CDATA[` or `]]>`.
    Delimiter,
    /// The XML declaration or a byte order mark.
    Declaration,
}

/// Receives the tokens of a document.
pub trait Sink {
    /// Ends the parse.
    type Error: From<XmlError>;

    /// Takes a token, its bytes, and their offset in the input.
    ///
    /// # Errors
    /// Any error ends the parse and is returned by it.
    fn token(&mut self, at: u64, raw: &str, token: &Token<'_>) -> Result<(), Self::Error>;
}

/// A parser of one document. After an error it must not be used any more.
pub struct Parser {
    scanner: Scanner,
    tree: Tree,
}

impl Parser {
    /// A parser at the beginning of a document.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self { scanner: Scanner::new(limits.tag), tree: Tree::new(limits) }
    }

    /// Reads the next chunk.
    ///
    /// # Errors
    /// A fault of the document, or the sink's error.
    pub fn push<S: Sink>(&mut self, chunk: &[u8], sink: &mut S) -> Result<(), S::Error> {
        let tree = &mut self.tree;
        self.scanner.push(chunk, |at, piece, raw| tree.piece(at, piece, raw, sink))
    }

    /// The end of the document.
    ///
    /// # Errors
    /// The document is incomplete.
    pub fn finish(&self) -> Result<(), XmlError> {
        self.scanner.finish()?;
        if self.tree.closed { Ok(()) } else { Err(self.scanner.error(Fault::Incomplete)) }
    }
}

/// The open elements.
struct Tree {
    limits: Limits,
    scopes: Scopes,
    /// The names of the open elements as spelled, one after another, and their lengths.
    names: String,
    lengths: Vec<usize>,
    /// Whether the root element has ended.
    closed: bool,
}

impl Tree {
    const fn new(limits: Limits) -> Self {
        let scopes = Scopes::new(limits.namespaces);
        Self { limits, scopes, names: String::new(), lengths: Vec::new(), closed: false }
    }

    fn piece<S: Sink>(&mut self, at: u64, piece: Piece, raw: &str, sink: &mut S) -> Result<(), S::Error> {
        let fault = |fault| XmlError::new(at, fault);
        let outside = self.lengths.is_empty();
        let token = match piece {
            Piece::Tag => return self.tag(at, raw, sink),
            Piece::Text if outside && !is_blank(raw) => return Err(fault(Fault::OutsideRoot).into()),
            Piece::Delimiter if outside && raw.starts_with("<![") => return Err(fault(Fault::OutsideRoot).into()),
            Piece::Text => Token::Text,
            Piece::CData => Token::CData,
            Piece::Comment => Token::Comment,
            Piece::Delimiter => Token::Delimiter,
            Piece::Declaration => {
                check_declaration(raw).map_err(fault)?;
                Token::Declaration
            }
        };
        sink.token(at, raw, &token)
    }

    fn tag<S: Sink>(&mut self, at: u64, raw: &str, sink: &mut S) -> Result<(), S::Error> {
        let fault = |fault| XmlError::new(at, fault);
        let tag = tag::read(raw, self.limits.attributes).map_err(fault)?;
        if matches!(tag.form, Form::End) {
            self.end(tag.name.spelling).map_err(fault)?;
            return sink.token(at, raw, &Token::End(tag.name));
        }
        self.start(&tag).map_err(fault)?;
        let mut attributes = tag.attributes;
        self.resolve(&mut attributes).map_err(fault)?;
        let empty = matches!(tag.form, Form::Empty);
        let depth = self.lengths.len().saturating_sub(1);
        let namespace = self.scopes.namespace(tag.name.prefix).ok_or(fault(Fault::UnknownPrefix))?;
        let scopes = &self.scopes;
        let element = Element { name: tag.name, namespace, attributes: &attributes, empty, depth, scopes };
        sink.token(at, raw, &Token::Start(&element))?;
        if empty {
            self.end(tag.name.spelling).map_err(fault)?;
        }
        Ok(())
    }

    fn start(&mut self, tag: &RawTag<'_>) -> Result<(), Fault> {
        if self.closed {
            return Err(Fault::OutsideRoot);
        }
        if self.lengths.len() >= self.limits.depth {
            return Err(Fault::TooDeep);
        }
        if tag.name.prefix == "xmlns" {
            return Err(Fault::Namespace);
        }
        self.lengths.push(tag.name.spelling.len());
        self.names.push_str(tag.name.spelling);
        self.scopes.enter(self.lengths.len(), &tag.attributes)
    }

    fn end(&mut self, spelling: &str) -> Result<(), Fault> {
        let length = self.lengths.last().copied().ok_or(Fault::Mismatched)?;
        let start = self.names.len().saturating_sub(length);
        if self.names.get(start..) != Some(spelling) {
            return Err(Fault::Mismatched);
        }
        self.scopes.leave(self.lengths.len());
        self.lengths.pop();
        self.names.truncate(start);
        self.closed = self.lengths.is_empty();
        Ok(())
    }

    /// Looks up the namespaces of attributes.
    fn resolve<'a>(&'a self, attributes: &mut [Attribute<'a>]) -> Result<(), Fault> {
        for at in 0..attributes.len() {
            let Some((attribute, before)) = attributes.get_mut(..=at).and_then(<[_]>::split_last_mut) else { break };
            let name = attribute.name;
            attribute.namespace = match (name.prefix, name.local) {
                ("", "xmlns") => scope::XMLNS,
                ("", _) => continue,
                (prefix, _) => self.scopes.namespace(prefix).ok_or(Fault::UnknownPrefix)?,
            };
            let mut others = before.iter().filter(|other| !other.name.prefix.is_empty());
            if others.any(|other| other.name.local == name.local && other.namespace == attribute.namespace) {
                return Err(Fault::DuplicateAttribute);
            }
        }
        Ok(())
    }
}

/// Checks the XML declaration (section 2.8): version 1.0, then the encoding, then `standalone`.
fn check_declaration(raw: &str) -> Result<(), Fault> {
    let Some(inner) = raw.strip_prefix("<?xml").and_then(|rest| rest.strip_suffix("?>")) else {
        return if raw == BYTE_ORDER_MARK { Ok(()) } else { Err(Fault::Declaration) };
    };
    let attributes = tag::read_attributes(inner, 0, 3).map_err(|_| Fault::Declaration)?;
    let mut order = 0;
    for attribute in &attributes {
        let value = attribute_value(attribute.value)?;
        let place = match attribute.name.spelling {
            "version" if value == "1.0" => 1,
            // Python's ElementTree writes "utf8" where it is asked for that.
            "encoding" if value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8") => 2,
            "encoding" => return Err(Fault::NotUtf8),
            "standalone" if value == "yes" || value == "no" => 3,
            _ => return Err(Fault::Declaration),
        };
        if place <= order || (order == 0 && place != 1) {
            return Err(Fault::Declaration);
        }
        order = place;
    }
    if order == 0 { Err(Fault::Declaration) } else { Ok(()) }
}
