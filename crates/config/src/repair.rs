//! JSON documents without the parts that have errors, so that the rest can be read. Paths stay those of the document as
//! it was.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::de::DeserializeOwned;

use crate::json::{Json, written};

/// Most errors that are looked for in one policy, and among policies.
pub const MOST: usize = 100;

/// A document, and the items of its arrays that were taken out.
pub struct Repaired {
    /// The rest of it, without the members and items that were left out.
    pub tree: Json,
    /// By the array's path, their positions in the document as it was.
    removed: BTreeMap<String, BTreeSet<usize>>,
}

/// A step of a path.
enum Step<'p> {
    /// A member's name, as paths have it.
    Member(&'p str),
    /// A position in an array.
    Item(usize),
}

impl Repaired {
    /// The whole document.
    pub fn new(tree: Json) -> Self {
        Self { tree, removed: BTreeMap::new() }
    }

    /// The path in the document as it was, for one in what is left.
    pub fn original(&self, path: &str) -> String {
        let mut original = String::new();
        for step in steps(path) {
            match step {
                Step::Member(name) => {
                    let dot = if original.is_empty() || name.starts_with('[') { "" } else { "." };
                    original.push_str(dot);
                    original.push_str(name);
                }
                Step::Item(mut index) => {
                    for before in self.removed.get(&original).into_iter().flatten() {
                        index = index.saturating_add(usize::from(*before <= index));
                    }
                    original.push_str(&format!("[{index}]"));
                }
            }
        }
        original
    }

    /// Takes out the value at a path in what is left; if there is none, the one that should have it. Returns its path, in
    /// what was left. `None` if that is the whole document.
    pub fn remove(&mut self, path: &str) -> Option<String> {
        let steps: Vec<_> = steps(path).collect();
        let mut found = Vec::new();
        let mut at = &self.tree;
        for step in &steps {
            let next = match (at, step) {
                (Json::Object(members), Step::Member(name)) => last(members, name),
                (Json::Array(items), Step::Item(index)) => items.get(*index).map(|_| *index),
                _ => None,
            };
            let Some(next) = next else { break };
            found.push(next);
            at = match at {
                Json::Object(members) => members.get(next).map(|(_, value)| value)?,
                Json::Array(items) => items.get(next)?,
                _ => break,
            };
        }
        let last = found.pop()?;
        let parent = joined(steps.iter().take(found.len()));
        let gone = joined(steps.iter().take(found.len().saturating_add(1)));
        let original = self.original(&gone);
        let array = self.original(&parent);
        let mut at = &mut self.tree;
        for next in found {
            at = match at {
                Json::Object(members) => members.get_mut(next).map(|(_, value)| value)?,
                Json::Array(items) => items.get_mut(next)?,
                _ => return None,
            };
        }
        match at {
            Json::Object(members) if last < members.len() => drop(members.remove(last)),
            Json::Array(items) if last < items.len() => {
                drop(items.remove(last));
                let index = steps_of_last(&original)?;
                self.removed.entry(array).or_default().insert(index);
            }
            _ => return None,
        }
        Some(gone)
    }
}

/// An error in a part of the document.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// From the part on; empty for the part itself.
    pub path: String,
    /// The error.
    pub message: String,
    /// A member was too much, and is left out.
    pub is_of_excess: bool,
}

/// Reads a part without the members and items that its types refuse; `None` if nothing can be left out, or it would have
/// to be read too often.
pub fn read_parts<T: DeserializeOwned>(repaired: &mut Repaired, rounds: usize, found: &mut Vec<Found>) -> Option<T> {
    // A member that is left out may take the object with it, which lacks it then.
    for _ in 0..rounds.saturating_mul(2) {
        let error = match T::deserialize(&repaired.tree) {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let is_of_excess = error.is_of_excess();
        let path = repaired.original(&error.path);
        // What had to be left out is missing now.
        let follows = found.iter().any(|it| match it.is_of_excess {
            false => is_within(&it.path, &path),
            // The object that it was left out of.
            true => is_member(&it.path, &path),
        });
        let place = error.path.clone();
        let new = Found { path, message: error.message, is_of_excess };
        if !follows && !found.contains(&new) {
            found.push(new);
        }
        if found.len() >= MOST {
            return None;
        }
        repaired.remove(&place)?;
    }
    None
}

/// Whether a path is that of a member of the object at `path`, and not further below.
fn is_member(member: &str, path: &str) -> bool {
    let mut rest = member.strip_prefix(path).unwrap_or_default().chars();
    matches!(rest.next(), Some('.' | '[')) && !rest.any(|character| matches!(character, '.' | '['))
}

/// The part of a path up to its last position in an array; `None` if it has none.
pub fn item(path: &str) -> Option<String> {
    let steps: Vec<_> = steps(path).collect();
    let last = steps.iter().rposition(|step| matches!(step, Step::Item(_)))?;
    Some(joined(steps.iter().take(last.saturating_add(1))))
}

/// Whether the value at `path` is the one at `other`, or in it.
pub fn is_within(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']) || other.is_empty())
}

/// The first step of a path, as it is written.
pub fn section(path: &str) -> &str {
    match steps(path).next() {
        Some(Step::Member(name)) => name,
        _ => "",
    }
}

/// The last member of this name: of two, the second is too much.
fn last(members: &[(String, Json)], name: &str) -> Option<usize> {
    members.iter().rposition(|(other, _)| written(other) == name)
}

fn steps_of_last(path: &str) -> Option<usize> {
    match steps(path).last()? {
        Step::Item(index) => Some(index),
        Step::Member(_) => None,
    }
}

fn joined<'p>(steps: impl Iterator<Item = &'p Step<'p>>) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Item(index) => path.push_str(&format!("[{index}]")),
            Step::Member(name) => {
                path.push_str(if path.is_empty() || name.starts_with('[') { "" } else { "." });
                path.push_str(name);
            }
        }
    }
    path
}

fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    let mut rest = path;
    core::iter::from_fn(move || {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let length = match rest.strip_prefix("[\"") {
            Some(quoted) => quoted_end(quoted)?.saturating_add(2),
            None if rest.starts_with('[') => rest.find(']')?.saturating_add(1),
            None => rest.find(['.', '[']).unwrap_or(rest.len()),
        };
        let (step, after) = rest.split_at_checked(length).filter(|(step, _)| !step.is_empty())?;
        rest = after;
        let index = step.strip_prefix('[').and_then(|step| step.strip_suffix(']')).and_then(|index| index.parse().ok());
        Some(index.map_or(Step::Member(step), Step::Item))
    })
}

/// Bytes up to the end of a name in quotes, with its quote and bracket. Quotes in the name have a backslash before them.
fn quoted_end(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => return at.checked_add(2),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_those_of_the_document() {
        let text = r#"{"a": [0, 1, 2, {"b\"]": [7, 8]}], "c.d": {"e": 1, "e": 2}}"#;
        let mut repaired = Repaired::new(serde_json::from_str(text).unwrap());
        for (path, original, gone) in [
            ("a[1]", "a[1]", Some("a[1]")),
            ("a[1]", "a[2]", Some("a[1]")),
            ("a[0]", "a[0]", Some("a[0]")),
            ("a[0][\"b\\\"]\"][0]", "a[3][\"b\\\"]\"][0]", Some("a[0][\"b\\\"]\"][0]")),
            ("a[0][\"b\\\"]\"][0]", "a[3][\"b\\\"]\"][1]", Some("a[0][\"b\\\"]\"][0]")),
            ("[\"c.d\"].e", "[\"c.d\"].e", Some("[\"c.d\"].e")),
            ("[\"c.d\"].f.g", "[\"c.d\"].f.g", Some("[\"c.d\"]")),
            ("a[9]", "a[12]", Some("a")),
            ("x", "x", None),
        ] {
            assert_eq!(repaired.original(path), original, "{path}");
            assert_eq!(repaired.remove(path).as_deref(), gone, "{path}");
        }
        assert_eq!(item("a[0].b[1].c").as_deref(), Some("a[0].b[1]"));
        assert_eq!((item("a.b"), section("a[0].b"), section("")), (None, "a", ""));
        assert!(is_within("a.b", "a") && is_within("a[0]", "a") && is_within("a", "a") && is_within("a", ""));
        assert!(!is_within("ab", "a") && !is_within("a", "a.b"));
    }
}
