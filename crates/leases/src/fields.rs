//! Fields of an access token's payload: the members of a JSON object, or `name=value` pairs.

use playlock_core::bytes::percent;
use serde_json::Value;

/// The field `name` of a payload; `None` if it has none.
///
/// A payload has fields if it is a JSON object, whose values are texts or whole numbers, or if it consists of
/// `name=value` pairs that are separated by `;`, `&` or `,`. Values of pairs stand as they are: nothing is unescaped, so
/// that no value can add a field. Libraries that escape whole payloads leave neither `{` nor `=`: only then the payload is
/// unescaped, once.
///
/// # Errors
/// [`Ambiguous`] if the field occurs twice, or is of another type.
pub fn field(payload: &str, name: &str) -> Result<Option<String>, Ambiguous> {
    let whole = if payload.contains(['{', '=']) { None } else { percent::decode_str(payload) };
    let payload = whole.as_deref().unwrap_or(payload);
    if payload.trim_start().starts_with('{') {
        return member(payload, name);
    }
    let pairs = payload.split([';', '&', ',']).filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(Ambiguous),
        (value, None) => Ok(value.map(String::from)),
    }
}

/// A field that cannot be read: it occurs twice, or has another type than text or whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ambiguous;

fn member(payload: &str, name: &str) -> Result<Option<String>, Ambiguous> {
    let members: Members = serde_json::from_str(payload).map_err(|_| Ambiguous)?;
    let mut found = members.0.into_iter().filter(|(key, _)| key == name).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(Value::String(text)), None) => Ok(Some(text)),
        (Some(Value::Number(number)), None) if number.is_u64() => Ok(Some(number.to_string())),
        _ => Err(Ambiguous),
    }
}

/// The members of an object, with those that occur twice.
struct Members(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_pairs_have_fields() {
        for (payload, user, screens) in [
            (r#"{"user":"ann","screens":4}"#, Some("ann"), Some("4")),
            (r#" {"screens":"4","more":{"user":"bob"}}"#, None, Some("4")),
            ("user=ann;screens=4", Some("ann"), Some("4")),
            ("screens=4&user=a=b", Some("a=b"), Some("4")),
            ("user=,screens", Some(""), None),
            ("user=x%3bscreens=9&screens=2", Some("x%3bscreens=9"), Some("2")),
            ("user%3dann%3bscreens%3D4", Some("ann"), Some("4")),
            ("%7b%22user%22%3a%22a%253bn%22%2c%22screens%22%3a4%7d", Some("a%3bn"), Some("4")),
            ("user%3dann%3bscreens=4", None, None),
            ("ann", None, None),
            ("100%", None, None),
            ("", None, None),
        ] {
            assert_eq!(field(payload, "user").unwrap().as_deref(), user, "{payload}");
            assert_eq!(field(payload, "screens").unwrap().as_deref(), screens, "{payload}");
        }
    }

    #[test]
    fn a_field_that_occurs_twice_or_has_another_type_is_refused() {
        for payload in [
            "user=a;user=b",
            r#"{"user":"a","user":"b"}"#,
            r#"{"user":"a","us\u0065r":"a"}"#,
            r#"{"user":null}"#,
            r#"{"user":1.5}"#,
            r#"{"user":-1}"#,
            r#"{"user":["a"]}"#,
            r#"{"user":"a"} trailing"#,
            "{",
        ] {
            assert_eq!(field(payload, "user"), Err(Ambiguous), "{payload}");
        }
    }
}
