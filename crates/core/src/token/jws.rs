//! Compact serialisations of JSON Web Signatures (RFC 7515 section 7.1) and their headers. JSON objects are read member by
//! member, each name once.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Most members of a header or a claims set.
const MAX_MEMBERS: usize = 64;

/// Most digits of a time. Seconds since the epoch need 10.
const MAX_DIGITS: usize = 12;

/// The members of a JSON object in order, with their values as written. No name occurs twice.
#[derive(Debug)]
pub struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    /// Parses an object; `None` if it is not one, repeats a name, or has more than 64 members.
    pub fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Parses an object in base64url.
    pub fn decode(text: &str) -> Option<Self> {
        Self::parse(&decode(text)?)
    }

    /// The value of a member as written.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.get())
    }

    /// The value of a member: `Ok(None)` if it is missing, `Err` if it is not a `T`.
    ///
    /// # Errors
    /// If the member has another type.
    pub fn get<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Result<Option<T>, WrongType> {
        self.raw(name).map(|raw| serde_json::from_str(raw).map_err(|_| WrongType)).transpose()
    }

    /// A time (NumericDate of RFC 7519): the whole seconds since the epoch, and whether there is a fraction. `Ok(None)` if it
    /// is missing.
    ///
    /// # Errors
    /// If it is not a number, or negative, or written with an exponent.
    pub fn seconds(&self, name: &str) -> Result<Option<(u64, bool)>, WrongType> {
        self.raw(name).map(|raw| number(raw).ok_or(WrongType)).transpose()
    }

    /// A string, or an array of strings that is not empty; empty if it is missing.
    ///
    /// # Errors
    /// If the member has another type.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, WrongType> {
        match self.raw(name) {
            None => Ok(Vec::new()),
            Some(raw) if raw.starts_with('[') => {
                let texts: Vec<String> = serde_json::from_str(raw).map_err(|_| WrongType)?;
                if texts.is_empty() { Err(WrongType) } else { Ok(texts) }
            }
            Some(raw) => serde_json::from_str(raw).map(|text| alloc::vec![text]).map_err(|_| WrongType),
        }
    }

    /// All members in order, with their values as written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.get()))
    }
}

/// A member has another type than expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongType;

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if members.len() >= MAX_MEMBERS || members.iter().any(|(other, _)| *other == name) {
                        return Err(A::Error::custom("too many members, or one twice"));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// The whole part of a JSON number without sign and exponent, and whether it has a fraction other than zeros.
fn number(raw: &str) -> Option<(u64, bool)> {
    let (whole, fraction) = raw.split_once('.').unwrap_or((raw, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() > MAX_DIGITS || !digits(whole) || !digits(fraction) {
        return None;
    }
    whole.parse().ok().map(|whole| (whole, fraction.bytes().any(|digit| digit != b'0')))
}

/// Decodes base64url without padding; the only spelling of the bytes.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The header of a signed or encrypted token.
#[derive(Debug)]
pub struct Header {
    members: Members,
    /// `kid`: the id of the key.
    pub kid: Option<String>,
}

impl Header {
    /// Decodes the header of a signed token: [`Header::decode`], without `enc`.
    pub fn decode_signed(text: &str) -> Option<Self> {
        Self::decode(text).filter(|header| header.members.raw("enc").is_none())
    }

    /// Decodes a header; `None` if it is malformed, or has extensions that change how a token is read (`crit`, `b64`,
    /// `zip`). No key is taken from a header (`jwk`, `jku`, `x5c`, `x5u`).
    pub fn decode(text: &str) -> Option<Self> {
        let members = Members::decode(text)?;
        if ["crit", "b64", "zip"].iter().any(|name| members.raw(name).is_some()) {
            return None;
        }
        let kid = members.get("kid").ok()?;
        Some(Self { members, kid })
    }

    /// The text of a member; `None` if it is missing or not a string.
    pub fn text(&self, name: &str) -> Option<String> {
        self.members.get(name).ok().flatten()
    }
}

/// A signed token in its parts, not verified. Without a header of its own, it has the one that the configuration names.
#[derive(Debug, PartialEq, Eq)]
pub struct Compact<'a> {
    /// The header in base64url.
    pub header: &'a str,
    /// The payload in base64url.
    pub payload: &'a str,
    /// The signature.
    pub signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Splits a token at its dots. `header` is that of tokens without one (RFC 9246 section 2.2).
    pub fn split(token: &'a str, header: Option<&'a str>) -> Option<Self> {
        let mut parts = token.split('.');
        let (first, second) = (parts.next()?, parts.next()?);
        let (header, payload, signature) = match parts.next() {
            Some(third) => (first, second, third),
            None => (header?, first, second),
        };
        if parts.next().is_some() || payload.is_empty() || signature.is_empty() {
            return None;
        }
        Some(Self { header, payload, signature: decode(signature)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_have_each_member_once() {
        let members = Members::parse(br#" {"a": [1, {"b": 2}], "c":"x\u0041" , "d": 7 } "#).unwrap();
        assert_eq!(members.iter().collect::<Vec<_>>(), [("a", r#"[1, {"b": 2}]"#), ("c", r#""x\u0041""#), ("d", "7")]);
        assert_eq!(members.get::<String>("c"), Ok(Some("xA".into())));
        assert_eq!((members.get::<u64>("d"), members.get::<u64>("e")), (Ok(Some(7)), Ok(None)));
        assert_eq!((members.get::<u64>("c"), members.get::<String>("d")), (Err(WrongType), Err(WrongType)));
        for bad in [
            "",
            "{",
            "[]",
            "1",
            "null",
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": 1, "\u0061": 1}"#,
            r#"{"a": 1} x"#,
            r#"{"a": }"#,
            "{\"a\": 1}\0",
            r#"{a: 1}"#,
        ] {
            assert!(Members::parse(bad.as_bytes()).is_none(), "{bad}");
        }
        let many = |count: usize| {
            let members: Vec<_> = (0..count).map(|index| alloc::format!("\"{index}\": 1")).collect();
            alloc::format!("{{{}}}", members.join(","))
        };
        assert!(Members::parse(many(MAX_MEMBERS).as_bytes()).is_some());
        assert!(Members::parse(many(MAX_MEMBERS + 1).as_bytes()).is_none());
    }

    #[test]
    fn tokens_have_three_parts_or_a_configured_header() {
        let compact = |token, header| Compact::split(token, header).map(|it| (it.header, it.payload));
        assert_eq!(compact("aa.bb.AA", None), Some(("aa", "bb")));
        assert_eq!(compact("aa.bb.AA", Some("h")), Some(("aa", "bb")));
        assert_eq!(compact("aa.AA", Some("h")), Some(("h", "aa")));
        for bad in
            ["", "aa", "aa.bb", "aa.bb.", "aa..AA", "aa.bb.AA.x", "aa.bb.A", "aa.bb.AB", "aa.bb.AA=", "aa.bb.A A"]
        {
            assert_eq!(compact(bad, None), None, "{bad}");
        }
    }
}
