//! The text of a URL, collected from its pieces.

use alloc::string::String;
use alloc::vec::Vec;

use playlock_xml::Token;
use playlock_xml::chars::is_space;
use playlock_xml::text::unescape;

use crate::error::DashError;
use crate::escape::push_text;
use crate::limits;
use crate::links::Place;

/// The content of an element up to its end tag.
pub(crate) struct Text {
    pub(crate) place: Place,
    raw: String,
    value: String,
    /// The part of `raw` that is not white space or comments around the URL.
    start: Option<usize>,
    end: usize,
    /// A comment began behind the start of the URL: only white space and comments may follow.
    closed: bool,
    comment: bool,
}

impl Text {
    pub(crate) const fn new(place: Place) -> Self {
        Self { place, raw: String::new(), value: String::new(), start: None, end: 0, closed: false, comment: false }
    }

    /// Takes a piece of the content.
    pub(crate) fn push(&mut self, raw: &str, token: &Token<'_>) -> Result<(), DashError> {
        let at = self.raw.len();
        if at + raw.len() > limits::URL {
            return Err(DashError::UrlTooLong);
        }
        self.raw.push_str(raw);
        match token {
            Token::Text => {
                let blank = |raw: &str| raw.bytes().take_while(|byte| is_space(*byte)).count();
                let trailing = raw.bytes().rev().take_while(|byte| is_space(*byte)).count();
                if trailing < raw.len() {
                    self.mark(at + blank(raw), at + raw.len() - trailing)?;
                }
                self.value.push_str(&unescape(raw).unwrap_or_default());
            }
            Token::CData => {
                self.mark(at, at + raw.len())?;
                self.value.push_str(raw);
            }
            Token::Delimiter if raw == "<!--" => self.comment = true,
            Token::Delimiter if self.comment => {
                self.comment = false;
                self.closed |= self.start.is_some();
            }
            Token::Delimiter => self.mark(at, at + raw.len())?,
            _ => {}
        }
        Ok(())
    }

    /// Marks a part of the URL.
    fn mark(&mut self, start: usize, end: usize) -> Result<(), DashError> {
        if self.closed {
            return Err(DashError::Url);
        }
        self.start.get_or_insert(start);
        self.end = end;
        Ok(())
    }

    /// The URL, without white space around it.
    pub(crate) fn reference(&self) -> Result<&str, DashError> {
        reference(&self.value)
    }

    /// Appends the content, with another URL if one is given.
    pub(crate) fn write(&self, written: Option<&str>, out: &mut Vec<u8>) {
        let Some(written) = written else { return out.extend_from_slice(self.raw.as_bytes()) };
        let before = self.raw.get(..self.start.unwrap_or_default()).unwrap_or_default();
        out.extend_from_slice(before.as_bytes());
        push_text(out, written);
        out.extend_from_slice(self.raw.get(self.end..).unwrap_or_default().as_bytes());
    }
}

/// The reference in a value: without the white space around it. Control characters are refused: browsers drop some of
/// them from within a URL, and so read another one.
pub(crate) fn reference(value: &str) -> Result<&str, DashError> {
    let reference = value.trim_matches([' ', '\t', '\n', '\r']);
    if reference.bytes().any(|byte| byte.is_ascii_control()) { Err(DashError::Url) } else { Ok(reference) }
}
