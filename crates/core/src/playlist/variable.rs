//! Variables (EXT-X-DEFINE, RFC 8216bis section 4.4.2.3): what they are worth, and URIs with their values put in. A
//! token cannot be put onto a URI whose host, path or query only the player would know.

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
/// Bytes that a variable takes beside its name and value: without them, nameless ones would be free.
const ENTRY: usize = 48;
/// How much longer than it came a playlist may become by its variables' values: this to begin with, and so many times the
/// bytes of the texts that have any. A value that a few bytes call for again and again would become gigabytes else.
const GROWTH: usize = MAX_LINE;
const GROWTH_TIMES: usize = 64;

/// Text with the values of its variables.
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
    /// Without any EXT-X-DEFINE, `{$` is nothing special.
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
    /// Those of a playlist that was asked for with `query`, and that may import `imports`.
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

    /// Whether the playlist has an EXT-X-DEFINE.
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
        // Whoever made the URL chose what its query says: it must not get out of the attribute or line it is put into.
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

    /// `text` with the values of its variables; `None` if there is nothing to put in.
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
                // What is no reference by the grammar is text.
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

/// Variables in the order in which they came, and a search by name. Of one name the first counts.
#[derive(Debug, Default)]
struct ByName {
    all: Vec<Variable>,
    /// The number of the first variable of each name, in order of their keys, then of their names.
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

    /// Where a name stands in the order, or would.
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

/// A name as a number (FNV-1a): numbers are compared sooner than texts. Whoever finds names of one number has them compared
/// as texts, and no more of them than the logarithm of all.
fn key(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// The query that the playlist was asked for with, taken apart when its first parameter is asked for.
#[derive(Debug)]
struct Query {
    raw: Option<String>,
    /// Values as they stand in the query.
    parameters: Option<ByName>,
}

impl Query {
    /// The value of the first parameter of a name; `None` without one, or if it is no text.
    fn value(&mut self, name: &str) -> Option<String> {
        let Self { raw, parameters } = self;
        let parameters = parameters.get_or_insert_with(|| {
            let all = target::parameters(raw.as_deref());
            // A name that cannot be decoded is no one's; what has no value is no more one than a lone `%`.
            let named = |(name, value): (&str, Option<&str>)| {
                let value = value.unwrap_or("%").into();
                Some(Variable { name: percent::decode_str(name)?, value, chosen: true })
            };
            all.filter_map(named).collect()
        });
        parameters.get(name.as_bytes()).and_then(|found| percent::decode_str(&found.value))
    }
}

/// Where the next `{$` begins.
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
