//! XML as a stream: a parser that reads any cut of the input, preserves every byte, and checks that the input is
//! well-formed. It validates nothing.
//!
//! Sources: XML 1.0 (fifth edition), Namespaces in XML 1.0 (third edition).
//!
//! The parser hands each token to a [`Sink`], together with its bytes and their offset. The bytes of all tokens add up
//! to the input, so a filter can copy what it does not change. A tag always arrives whole; text, comments and CDATA
//! sections arrive in pieces of any size, never cut within a character or a reference.
//!
//! ```
//! use playlock_xml::{Limits, Parser, Sink, Token, XmlError};
//!
//! /// Takes `BaseURL` elements out of a presentation description, and copies the rest.
//! #[derive(Default)]
//! struct Filter {
//!     out: String,
//!     inside: bool,
//! }
//!
//! impl Sink for Filter {
//!     type Error = XmlError;
//!
//!     fn token(&mut self, _at: u64, raw: &str, token: &Token<'_>) -> Result<(), XmlError> {
//!         match token {
//!             Token::Start(element) if element.name.local == "BaseURL" => self.inside = !element.empty,
//!             Token::End(name) if name.local == "BaseURL" => self.inside = false,
//!             _ if self.inside => {}
//!             _ => self.out.push_str(raw),
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let mut parser = Parser::new(Limits::DEFAULT);
//! let mut filter = Filter::default();
//! for chunk in ["<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseU", "RL>https://a/</BaseURL>\n<Per", "iod/></MPD>"] {
//!     parser.push(chunk.as_bytes(), &mut filter)?;
//! }
//! parser.finish()?;
//! assert_eq!(filter.out, "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'>\n<Period/></MPD>");
//! # Ok::<(), XmlError>(())
//! ```
//!
//! # What is refused
//!
//! Encodings other than UTF-8 (with or without a byte order mark), XML 1.1, `<!DOCTYPE`, and processing instructions
//! but for the declaration. So there are no entities but the five, no default attributes, and no references to other
//! resources. Names with colons are qualified names, and every prefix must be declared.
//!
//! # Bounds
//!
//! Memory is bounded by the chunk, one tag and the names of the open elements: see [`Limits`]. Time is linear in the
//! input: nothing is scanned twice. The length of the whole input is the caller's to limit.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod chars;
mod error;
mod parser;
mod scan;
mod scope;
mod tag;
pub mod text;

pub use error::{Fault, XmlError};
pub use parser::{Element, Parser, Sink, Token};
pub use scope::{Scopes, XML, XMLNS};
pub use tag::{Attribute, QName};

/// Bounds for a document.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest tag, in bytes.
    pub tag: usize,
    /// Elements in each other, the root included.
    pub depth: usize,
    /// Attributes of one element, namespace declarations included. They are compared in pairs.
    pub attributes: usize,
    /// Namespace declarations in scope. Each name is looked up among them.
    pub namespaces: usize,
}

impl Limits {
    /// Enough for CPIX documents and for media presentation descriptions.
    pub const DEFAULT: Self = Self { tag: 16 * 1024, depth: 16, attributes: 64, namespaces: 64 };
}

/// Reads a whole document.
///
/// # Errors
/// Those of the document, and those of the sink.
pub fn parse<S: Sink>(document: &[u8], limits: Limits, sink: &mut S) -> Result<(), S::Error> {
    let mut parser = Parser::new(limits);
    parser.push(document, sink)?;
    parser.finish()?;
    Ok(())
}
