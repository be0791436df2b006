//! Variables (EXT-X-DEFINE, RFC 8216bis section 4.4.2.3): their values, and URIs with the values inserted. A token can
//! be added to a URI only if its host, path and query are known.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::cmp::Ordering;

use memchr::memchr;

use super::attribute;
use super::line::MAX_LINE;
use crate::bytes::bug;
use crate::bytes::percent;
use crate::http::reply::Reason;
use crate::http::target;
use crate::token::signed::Variable;

const OPEN: &[u8] = b"{$";
/// Bytes counted for a variable in addition to its name and value, so that nameless variables are limited, too.
const ENTRY: usize = 48;
/// Limit on a playlist's growth by the values of variables, in bytes: a constant, plus a multiple of the bytes of the
/// texts that have any. Otherwise, short references that repeat a long value could grow to gigabytes.
const GROWTH: usize = MAX_LINE;
const GROWTH_TIMES: usize = 64;

/// Text with the values of its variables inserted.
#[derive(Debug, PartialEq, Eq)]
pub struct Expanded {
    /// The text.
    pub text: Vec<u8>,
    /// The viewer chose one of the values.
    pub chosen: bool,
}

/// The variables of one playlist.
#[derive(Debug)]
pub struct Variables {
    defined: ByName,
    imports: ByName,
    query: Query,
    /// The playlist has an EXT-X-DEFINE. Without one, `{$` has no special meaning.
    used: bool,
    bytes: usize,
    /// Bytes that values may still add.
    growth: Cell<usize>,
}

impl Default for Variables {
    fn default() -> Self {
        Self::new(None, Vec::new())
    }
}

impl Variables {
    /// The variables of a playlist that was requested with `query` and may import `imports`.
    pub fn new(query: Option<String>, imports: Vec<Variable>) -> Self {
        Self {
            defined: ByName::default(),
            imports: imports.into_iter().collect(),
            query: Query { raw: query, parameters: None },
            used: false,
            bytes: 0,
            growth: Cell::new(GROWTH),
        }
    }

    /// Whether the playlist has an EXT-X-DEFINE so far.
    pub fn are_used(&self) -> bool {
        self.used
    }

    /// The variables that this playlist has defined so far.
    pub fn defined(&self) -> &[Variable] {
        &self.defined.all
    }

    /// The variables that this playlist may import.
    pub fn imports(&self) -> &[Variable] {
        &self.imports.all
    }

    /// Reads an EXT-X-DEFINE. A variable with an unknown value stays undefined, which is an error only if it is used.
    ///
    /// # Errors
    /// [`Reason::Variable`] if its value uses an undefined variable, [`Reason::Line`] if the variables are too long
    /// together.
    pub fn define(&mut self, list: &[u8]) -> Result<(), Reason> {
        self.used = true;
        let text = |name| attribute::value(list, name).and_then(|value| core::str::from_utf8(value).ok());
        let found = if let Some(name) = text(b"NAME") {
            let value = text(b"VALUE").unwrap_or_default();
            match self.expand(value.as_bytes())? {
                None => Some((value.into(), false)),
                Some(Expanded { text, chosen }) => String::from_utf8(text).ok().map(|value| (value, chosen)),
            }
            .map(|(value, chosen)| Variable { name: name.into(), value, chosen })
        } else if let Some(name) = text(b"IMPORT") {
            self.imports.get(name.as_bytes()).cloned()
        } else if let Some(name) = text(b"QUERYPARAM") {
            self.query.value(name).map(|value| Variable { name: name.into(), value, chosen: true })
        } else {
            None
        };
        // The viewer may control the query: a value must not end the attribute or line that it is inserted into.
        let found = found.filter(|found| !found.value.chars().any(|c| c.is_control() || c == '"'));
        if let Some(found) = found {
            self.bytes += ENTRY + found.name.len() + found.value.len();
            if self.bytes > MAX_LINE {
                return Err(Reason::Line);
            }
            self.defined.push(found);
        }
        Ok(())
    }

    /// `text` with the values of its variables; `None` if there is nothing to insert.
    ///
    /// # Errors
    /// [`Reason::Variable`] if one of them is not defined; [`Reason::Line`] if the result is too long.
    pub fn expand(&self, text: &[u8]) -> Result<Option<Expanded>, Reason> {
        if !self.used {
            return Ok(None);
        }
        let Some(first) = find(text) else { return Ok(None) };
        let mut growth = self.growth.get().saturating_add(text.len().saturating_mul(GROWTH_TIMES));
        let mut out = Vec::with_capacity(text.len().saturating_mul(2));
        let (mut rest, mut next, mut chosen) = (text, Some(first), false);
        while let Some(at) = next {
            let (before, reference) = bug::split(rest, at, Reason::Variable)?;
            let after = bug::part(reference, OPEN.len().., Reason::Variable)?;
            out.extend_from_slice(before);
            let length = after.iter().take_while(|byte| is_name(**byte)).count();
            let (name, after_name) = bug::split(after, length, Reason::Variable)?;
            rest = match after_name.strip_prefix(b"}").filter(|_| length > 0) {
                Some(after_reference) => {
                    let known = self.defined.get(name).ok_or(Reason::Variable)?;
                    chosen |= known.chosen;
                    out.extend_from_slice(known.value.as_bytes());
                    growth = growth.checked_sub(known.value.len()).ok_or(Reason::Line)?;
                    if out.len() > MAX_LINE {
                        return Err(Reason::Line);
                    }
                    after_reference
                }
                // Text that does not match the grammar of references stays as it is.
                None => {
                    out.extend_from_slice(OPEN);
                    after
                }
            };
            next = find(rest);
        }
        out.extend_from_slice(rest);
        self.growth.set(growth.min(GROWTH));
        Ok(Some(Expanded { text: out, chosen }))
    }
}

/// Variables in the order of their definition, with a search by name. The first variable of a name counts.
#[derive(Debug, Default)]
struct ByName {
    all: Vec<Variable>,
    /// Key and index of the first variable of each name, in order of their keys, then of their names.
    sorted: Vec<(u64, usize)>,
}

impl ByName {
    fn push(&mut self, variable: Variable) {
        if let Err(place) = self.place(variable.name.as_bytes()) {
            self.sorted.insert(place, (key(variable.name.as_bytes()), self.all.len()));
        }
        self.all.push(variable);
    }

    fn get(&self, name: &[u8]) -> Option<&Variable> {
        let (_, number) = self.sorted.get(self.place(name).ok()?)?;
        self.all.get(*number)
    }

    /// The index of a name in `sorted`, or where to insert it.
    fn place(&self, name: &[u8]) -> Result<usize, usize> {
        let wanted = key(name);
        self.sorted.binary_search_by(|(known, number)| match known.cmp(&wanted) {
            Ordering::Equal => match self.all.get(*number) {
                Some(known) => known.name.as_bytes().cmp(name),
                None => bug::instead(Ordering::Less),
            },
            other => other,
        })
    }
}

impl FromIterator<Variable> for ByName {
    fn from_iter<T: IntoIterator<Item = Variable>>(variables: T) -> Self {
        let mut made = Self::default();
        variables.into_iter().for_each(|variable| made.push(variable));
        made
    }
}

/// The hash of a name (FNV-1a): numbers compare faster than text. Names chosen to collide are compared as text, but
/// a search compares only logarithmically many of them.
fn key(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// The query of the playlist request, parsed when its first parameter is needed.
#[derive(Debug)]
struct Query {
    raw: Option<String>,
    /// Raw values.
    parameters: Option<ByName>,
}

impl Query {
    /// The value of the first parameter of a name; `None` if there is none, or its value is malformed.
    fn value(&mut self, name: &str) -> Option<String> {
        let Self { raw, parameters } = self;
        let parameters = parameters.get_or_insert_with(|| {
            let all = target::parameters(raw.as_deref());
            // A malformed name matches nothing. A missing value is kept as `%`, which does not decode either.
            let named = |(name, value): (&str, Option<&str>)| {
                let value = value.unwrap_or("%").into();
                Some(Variable { name: percent::decode_str(name)?, value, chosen: true })
            };
            all.filter_map(named).collect()
        });
        parameters.get(name.as_bytes()).and_then(|found| percent::decode_str(&found.value))
    }
}

/// The position of the next `{$`.
fn find(text: &[u8]) -> Option<usize> {
    if text.starts_with(OPEN) {
        return Some(0);
    }
    let mut from = 0;
    loop {
        let rest = bug::look(text, from..);
        let at = memchr(b'{', rest)?;
        if rest.get(at + 1) == Some(&b'$') {
            return Some(from + at);
        }
        from += at + 1;
    }
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
