//! One tag: its name and its attributes, with the spans of their values.

use alloc::vec::Vec;
use core::ops::Range;

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

/// An attribute as the document spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawAttribute<'a> {
    pub(crate) name: QName<'a>,
    /// The value between its quotes, references unresolved.
    pub(crate) value: &'a str,
    /// Of the value, in bytes from the tag's `<`.
    pub(crate) value_span: Range<usize>,
    /// From the white space before the name to behind the closing quote.
    pub(crate) span: Range<usize>,
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
    pub(crate) attributes: Vec<RawAttribute<'a>>,
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

/// Reads attributes up to the end of the text, which begins at `at` in its tag.
pub(crate) fn read_attributes(text: &str, at: usize, most: usize) -> Result<Vec<RawAttribute<'_>>, Fault> {
    let mut attributes: Vec<RawAttribute<'_>> = Vec::new();
    let mut rest = text;
    while !chars::is_blank(rest) {
        let start = at + (text.len() - rest.len());
        let (attribute, behind) = read_attribute(rest, start)?;
        if attributes.len() >= most {
            return Err(Fault::TooMany);
        }
        if attributes.iter().any(|other| other.name.spelling == attribute.name.spelling) {
            return Err(Fault::DuplicateAttribute);
        }
        attributes.push(attribute);
        rest = behind;
    }
    Ok(attributes)
}

/// Reads one attribute after the white space before it.
fn read_attribute(text: &str, start: usize) -> Result<(RawAttribute<'_>, &str), Fault> {
    let from = trim(text);
    if from.len() == text.len() {
        return Err(Fault::Markup);
    }
    let name = read_name(from)?;
    let rest = trim(from.get(name.spelling.len()..).unwrap_or_default());
    let rest = trim(rest.strip_prefix('=').ok_or(Fault::Markup)?);
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'')).ok_or(Fault::Markup)?;
    let (value, behind) = rest.get(1..).and_then(|rest| rest.split_once(quote)).ok_or(Fault::Markup)?;
    attribute_value(value)?;
    let value_start = start + (text.len() - rest.len()) + 1;
    let value_end = value_start + value.len();
    let attribute = RawAttribute { name, value, value_span: value_start..value_end, span: start..value_end + 1 };
    Ok((attribute, behind))
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

fn trim(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}
