//! As much of XML 1.0 as PlayReady Headers have: elements, attributes, text, the five entities. Declarations, comments,
//! CDATA sections, processing instructions and DOCTYPEs are refused.

use alloc::string::String;
use alloc::vec::Vec;

use super::ReadFault;

/// Most elements within each other; a header has five.
const MAX_DEPTH: usize = 16;

/// An element.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    /// Unescaped values, in their order. No name is there twice.
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    /// Unescaped text between the children, joined.
    pub text: String,
}

impl Element {
    /// Reads one element, with nothing but blanks around it.
    pub fn read(text: &str) -> Result<Self, ReadFault> {
        let mut reader = Reader(text.trim());
        let element = reader.element(0).ok_or(ReadFault::Markup)?;
        if reader.0.is_empty() { Ok(element) } else { Err(ReadFault::Markup) }
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|attribute| attribute.0 == name).map(|attribute| attribute.1.as_str())
    }

    /// The child with this name; `None` if there is none, or more than one.
    pub fn child(&self, name: &str) -> Option<&Self> {
        let mut children = self.children.iter().filter(|child| child.name == name);
        let child = children.next()?;
        children.next().is_none().then_some(child)
    }
}

struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn element(&mut self, depth: usize) -> Option<Element> {
        if depth >= MAX_DEPTH {
            return None;
        }
        self.take("<")?;
        let mut element = Element { name: self.name()?.into(), ..Element::default() };
        loop {
            let before = self.0.len();
            self.0 = self.0.trim_start();
            if self.take("/>").is_some() {
                return Some(element);
            }
            if self.take(">").is_some() {
                break;
            }
            // A blank separates attributes.
            if self.0.len() == before {
                return None;
            }
            let (name, value) = self.attribute()?;
            if element.attribute(&name).is_some() {
                return None;
            }
            element.attributes.push((name, value));
        }
        loop {
            let (text, rest) = self.0.split_at_checked(self.0.find('<')?)?;
            self.0 = rest;
            element.text.push_str(&unescape(text)?);
            if self.take("</").is_some() {
                if self.name()? != element.name {
                    return None;
                }
                self.0 = self.0.trim_start();
                return self.take(">").map(|()| element);
            }
            element.children.push(self.element(depth.checked_add(1)?)?);
        }
    }

    fn attribute(&mut self) -> Option<(String, String)> {
        let name = self.name()?;
        self.0 = self.0.trim_start();
        self.take("=")?;
        self.0 = self.0.trim_start();
        let quote = self.0.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, rest) = self.0.get(1..)?.split_once(quote)?;
        self.0 = rest;
        (!value.contains('<')).then_some((name.into(), unescape(value)?))
    }

    /// Takes a name: ASCII letters, digits and a few marks.
    fn name(&mut self) -> Option<&'a str> {
        let is_of_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.' | ':');
        let end = self.0.find(|it| !is_of_name(it))?;
        let (name, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        name.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_').then_some(name)
    }

    fn take(&mut self, token: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(token)?;
        Some(())
    }
}

/// Replaces the five entities (XML 1.0, section 4.6); `None` for others.
fn unescape(text: &str) -> Option<String> {
    let mut pieces = text.split('&');
    let mut unescaped = String::from(pieces.next()?);
    for piece in pieces {
        let (name, rest) = piece.split_once(';')?;
        unescaped.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return None,
        });
        unescaped.push_str(rest);
    }
    Some(unescaped)
}
