//! One tag: its name and its attributes, with the spans of their values.

use alloc::vec::Vec;
use core::ops::Range;

use memchr::memchr;

use crate::chars;
use crate::error::Fault;
use crate::text::attribute_value;

/// A name as the document spells it: prefix, if any, and local part (Namespaces in XML 1.0, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QName<'a> {
    /// Prefix and local part with the colon between them.
    pub spelling: &'a str,
    /// Empty without a prefix.
    pub prefix: &'a str,
    /// The local part.
    pub local: &'a str,
}

/// An attribute of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// The name as spelled.
    pub name: QName<'a>,
    /// The namespace of the name, "" without a prefix.
    pub namespace: &'a str,
    /// The value between its quotes, references unresolved: [`text::attribute_value`](crate::text::attribute_value)
    /// resolves them and does not fail.
    pub value: &'a str,
    /// The bytes of the value, from the tag's `<`.
    pub value_span: Range<usize>,
    /// The bytes from the white space before the name to the closing quote, from the tag's `<`.
    pub span: Range<usize>,
}

/// A tag, in one of its three forms.
pub(crate) enum Form {
    Start,
    Empty,
    End,
}

pub(crate) struct RawTag<'a> {
    pub(crate) form: Form,
    pub(crate) name: QName<'a>,
    /// Without their namespaces.
    pub(crate) attributes: Vec<Attribute<'a>>,
}

/// Reads a whole tag, from `<` to `>`.
pub(crate) fn read(raw: &str, most_attributes: usize) -> Result<RawTag<'_>, Fault> {
    let inner = raw.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).ok_or(Fault::Markup)?;
    if let Some(inner) = inner.strip_prefix('/') {
        let name = read_name(inner)?;
        let behind = inner.get(name.spelling.len()..).unwrap_or_default();
        return if chars::is_blank(behind) {
            Ok(RawTag { form: Form::End, name, attributes: Vec::new() })
        } else {
            Err(Fault::Markup)
        };
    }
    let (inner, form) = inner.strip_suffix('/').map_or((inner, Form::Start), |inner| (inner, Form::Empty));
    let name = read_name(inner)?;
    let rest = inner.get(name.spelling.len()..).unwrap_or_default();
    Ok(RawTag { form, name, attributes: read_attributes(rest, 1 + name.spelling.len(), most_attributes)? })
}

/// Reads attributes up to the end of the text, which begins at `at` in its tag. Their namespaces are left out.
pub(crate) fn read_attributes(text: &str, at: usize, most: usize) -> Result<Vec<Attribute<'_>>, Fault> {
    let mut attributes: Vec<Attribute<'_>> = Vec::new();
    let mut position = 0;
    loop {
        let start = position;
        position = skip_space(text, position);
        if position == text.len() {
            return Ok(attributes);
        }
        if position == start {
            return Err(Fault::Markup);
        }
        let name = read_name(text.get(position..).unwrap_or_default())?;
        position = skip_space(text, position + name.spelling.len());
        if text.as_bytes().get(position) != Some(&b'=') {
            return Err(Fault::Markup);
        }
        position = skip_space(text, position + 1);
        let quote = text.as_bytes().get(position).copied().filter(|quote| matches!(quote, b'"' | b'\''));
        let value_start = position + 1;
        let rest = text.get(value_start..).unwrap_or_default();
        let length = quote.and_then(|quote| memchr(quote, rest.as_bytes())).ok_or(Fault::Markup)?;
        let value = rest.get(..length).unwrap_or_default();
        if memchr(b'&', value.as_bytes()).is_some() {
            attribute_value(value)?;
        }
        position = value_start + length + 1;
        if attributes.len() >= most {
            return Err(Fault::TooMany);
        }
        if attributes.iter().any(|other| other.name.spelling == name.spelling) {
            return Err(Fault::DuplicateAttribute);
        }
        let value_span = at + value_start..at + value_start + length;
        attributes.push(Attribute { name, namespace: "", value, value_span, span: at + start..at + position });
    }
}

/// The first position from here on that is no white space.
fn skip_space(text: &str, from: usize) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| !chars::is_space(*byte)).unwrap_or(rest.len())
}

fn read_name(text: &str) -> Result<QName<'_>, Fault> {
    let first = chars::name_length(text);
    let (head, rest) = text.split_at_checked(first).ok_or(Fault::Markup)?;
    if head.is_empty() {
        return Err(Fault::Markup);
    }
    let Some(rest) = rest.strip_prefix(':') else {
        return Ok(QName { spelling: head, prefix: "", local: head });
    };
    let second = chars::name_length(rest);
    let local = rest.get(..second).filter(|local| !local.is_empty()).ok_or(Fault::Namespace)?;
    if rest.get(second..).is_some_and(|behind| behind.starts_with(':')) {
        return Err(Fault::Namespace);
    }
    let spelling = text.get(..first + 1 + second).unwrap_or_default();
    Ok(QName { spelling, prefix: head, local })
}
