//! Variables (EXT-X-DEFINE, RFC 8216bis section 4.4.2.3): what they are worth, and URIs with their values put in. A
//! token cannot be put onto a URI whose host, path or query only the player would know.

use alloc::string::String;
use alloc::vec::Vec;

use super::attribute;
use super::line::MAX_LINE;
use crate::percent;
use crate::reply::Reason;
use crate::signed::Variable;
use crate::target;

const OPEN: &[u8] = b"{$";
/// Bytes that a variable takes beside its name and value: without them, nameless ones would be free.
const ENTRY: usize = 48;

/// Text with the values of its variables.
#[derive(Debug, PartialEq, Eq)]
pub struct Expanded {
    /// The text.
    pub text: Vec<u8>,
    /// The viewer chose one of the values.
    pub chosen: bool,
}

/// The variables of one playlist.
#[derive(Debug, Default)]
pub struct Variables {
    defined: Vec<Variable>,
    imports: Vec<Variable>,
    query: Option<String>,
    /// Without any EXT-X-DEFINE, `{$` is nothing special.
    used: bool,
    bytes: usize,
}

impl Variables {
    /// Those of a playlist that was asked for with `query`, and that may import `imports`.
    pub fn new(query: Option<String>, imports: Vec<Variable>) -> Self {
        Self { query, imports, ..Self::default() }
    }

    /// Whether the playlist has an EXT-X-DEFINE.
    pub fn are_used(&self) -> bool {
        self.used
    }

    /// What this playlist has defined so far.
    pub fn defined(&self) -> &[Variable] {
        &self.defined
    }

    /// What this playlist may import.
    pub fn imports(&self) -> &[Variable] {
        &self.imports
    }

    /// Takes an EXT-X-DEFINE. What cannot be known stays undefined, which only matters where it is used.
    ///
    /// # Errors
    /// [`Reason::Variable`] from a variable in its value, [`Reason::Line`] if there is too much of them.
    pub fn define(&mut self, list: &[u8]) -> Result<(), Reason> {
        self.used = true;
        let text = |name| attribute::value(list, name).and_then(|value| core::str::from_utf8(value).ok());
        let found = if let Some(name) = text(b"NAME") {
            let value = text(b"VALUE").unwrap_or_default();
            match self.expand(value.as_bytes())? {
                None => Some((name, value.into(), false)),
                Some(Expanded { text, chosen }) => String::from_utf8(text).ok().map(|value| (name, value, chosen)),
            }
        } else if let Some(name) = text(b"IMPORT") {
            let import = self.imports.iter().find(|known| known.name == name);
            import.map(|import| (name, import.value.clone(), import.chosen))
        } else if let Some(name) = text(b"QUERYPARAM") {
            let mut parameters = target::parameters(self.query.as_deref());
            let value = parameters.find(|(raw, _)| target::is_named(raw, name)).and_then(|(_, value)| value);
            value.and_then(percent::decode_str).map(|value| (name, value, true))
        } else {
            None
        };
        // Whoever made the URL chose what its query says: it must not get out of the attribute or line it is put into.
        let found = found.filter(|(_, value, _)| !value.chars().any(|c| c.is_control() || c == '"'));
        if let Some((name, value, chosen)) = found {
            self.bytes += ENTRY + name.len() + value.len();
            if self.bytes > MAX_LINE {
                return Err(Reason::Line);
            }
            self.defined.push(Variable { name: name.into(), value, chosen });
        }
        Ok(())
    }

    /// `text` with the values of its variables; `None` if there is nothing to put in.
    ///
    /// # Errors
    /// [`Reason::Variable`] if one of them is not defined; [`Reason::Line`] if the result is too long.
    pub fn expand(&self, text: &[u8]) -> Result<Option<Expanded>, Reason> {
        if !self.used || find(text).is_none() {
            return Ok(None);
        }
        let mut out = Vec::with_capacity(text.len() * 2);
        let (mut rest, mut chosen) = (text, false);
        while let Some(at) = find(rest) {
            let (before, reference) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            let after = reference.get(OPEN.len()..).unwrap_or_default();
            out.extend_from_slice(before);
            let length = after.iter().take_while(|byte| is_name(**byte)).count();
            let (name, after_name) = after.split_at_checked(length).unwrap_or((after, &[]));
            // What is no reference by the grammar is text.
            let Some(after_reference) = after_name.strip_prefix(b"}").filter(|_| length > 0) else {
                out.extend_from_slice(OPEN);
                rest = after;
                continue;
            };
            let known = self.defined.iter().find(|known| known.name.as_bytes() == name).ok_or(Reason::Variable)?;
            chosen |= known.chosen;
            out.extend_from_slice(known.value.as_bytes());
            if out.len() > MAX_LINE {
                return Err(Reason::Line);
            }
            rest = after_reference;
        }
        out.extend_from_slice(rest);
        Ok(Some(Expanded { text: out, chosen }))
    }
}

fn find(text: &[u8]) -> Option<usize> {
    text.windows(OPEN.len()).position(|window| window == OPEN)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nameless_ones_are_limited_too() {
        let mut variables = Variables::default();
        let taken = (0..10_000).take_while(|_| variables.define(br#"NAME="",VALUE="""#).is_ok()).count();
        assert_eq!(taken, MAX_LINE / ENTRY);
    }
}
