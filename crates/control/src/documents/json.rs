//! JSON texts in which no object names a member twice, and small helpers for values.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::Finding;

/// Parses a text. A member that stands twice in an object is refused: readers differ about which one counts.
///
/// # Errors
/// A finding at `$` with line and column; it shows no value.
pub fn parse(text: &[u8]) -> Result<Value, Finding> {
    let tree: Tree = serde_json::from_slice(text).map_err(|error| finding("$", &format!("{error}; expected JSON")))?;
    Ok(tree.0)
}

/// A finding.
pub fn finding(member: &str, detail: &str) -> Finding {
    Finding { member: member.into(), detail: detail.into() }
}

/// Whether the member at a path of object members is `true`.
pub fn is_true(value: &Value, path: &[&str]) -> bool {
    at(value, path).and_then(Value::as_bool) == Some(true)
}

/// The value at a path of object members.
pub fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, member| value.get(member))
}

/// Sets the member of an object; of anything else nothing.
pub fn set(value: &mut Value, member: &str, to: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(member.into(), to);
    }
}

/// Removes the member of an object.
pub fn take(value: &mut Value, member: &str) -> Option<Value> {
    value.as_object_mut()?.remove(member)
}

/// Removes members that are `null` from all objects: an absent member is the same.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, member| !member.is_null());
            object.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// The kind of a value, for errors that must not show it.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
            }
            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut array = Vec::new();
                while let Some(Tree(item)) = items.next_element()? {
                    array.push(item);
                }
                Ok(array.into())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
                let mut object = Map::new();
                while let Some((name, Tree(value))) = members.next_entry::<String, _>()? {
                    if object.contains_key(&name) {
                        return Err(de::Error::custom(format_args!("the member {name:?} stands twice in one object")));
                    }
                    object.insert(name, value);
                }
                Ok(object.into())
            }
        }
        deserializer.deserialize_any(Any).map(Tree)
    }
}
