//! Values of the configuration document with a format of their own: durations and secrets.

use alloc::string::String;
use core::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};

/// A duration in seconds: `"30s"`, `"5m"`, `"12h"`, `"1d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration(pub u64);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Duration;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer followed by d, h, m or s, such as \"1d\", at most ten years")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
                parse_duration(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Duration {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An integer followed by `d`, `h`, `m` or `s` (days, hours, minutes, seconds), at most ten years.",
            "type": "string",
            "pattern": "^[0-9]+[dhms]$",
        })
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let unit = match text.chars().next_back()? {
        'd' => 86_400,
        'h' => 3600,
        'm' => 60,
        's' => 1,
        _ => return None,
    };
    let digits = text.get(..text.len() - 1)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    (seconds <= 10 * 366 * 86_400).then_some(Duration(seconds))
}

/// The source of a secret. `Debug` and errors never show an inline one.
#[derive(Clone)]
pub enum SecretSource {
    /// Written in the document.
    Inline(String),
    /// An environment variable of the VM.
    Env(String),
    /// Written in the document under a key of the VM's environment ([`crate::sealed`]).
    Sealed(String),
}

/// The members of an object that is the source of a secret.
pub const FORMS: [&str; 2] = ["env", "sealed"];

impl SecretSource {
    /// The source that an object with this one member stands for.
    pub fn of_member(name: &str, text: String) -> Option<Self> {
        match name {
            "env" => Some(Self::Env(text)),
            "sealed" => Some(Self::Sealed(text)),
            _ => None,
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("Inline([redacted])"),
            Self::Env(name) => write!(f, "Env({name})"),
            Self::Sealed(_) => f.write_str("Sealed([redacted])"),
        }
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Source;
        impl<'de> Visitor<'de> for Source {
            type Value = SecretSource;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret's text, {\"env\": \"NAME\"} or {\"sealed\": \"TEXT\"}")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretSource, E> {
                Ok(SecretSource::Inline(text.into()))
            }
            // A number is a password without its quotes, which the default error would print.
            fn visit_u64<E: de::Error>(self, _: u64) -> Result<SecretSource, E> {
                Err(E::custom(
                    "found a number, expected a secret's text in quotes, {\"env\": \"NAME\"} or {\"sealed\": \"TEXT\"}",
                ))
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<SecretSource, E> {
                self.visit_u64(0)
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<SecretSource, E> {
                self.visit_u64(0)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
                let Some(key) = map.next_key::<String>()? else {
                    return Err(de::Error::custom("found an empty object, expected env or sealed"));
                };
                if !FORMS.contains(&&*key) {
                    return Err(de::Error::unknown_field(&key, &FORMS));
                }
                let source = SecretSource::of_member(&key, map.next_value()?);
                match (source, map.next_key::<String>()?) {
                    (Some(source), None) => Ok(source),
                    _ => Err(de::Error::custom("found another member beside it, expected either env or sealed alone")),
                }
            }
        }
        deserializer.deserialize_any(Source)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SecretSource {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A secret's text (which logs and dumps of the configuration show), the environment variable of the VM that holds it (`{\"env\": \"NAME\"}`), or the text under the key in the environment variable `PLAYLOCK_SEAL_KEY` (`{\"sealed\": \"1.…\"}`), as `playlock seal` writes it.",
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "properties": {"env": {"type": "string", "description": "The variable's name."}},
                    "required": ["env"],
                    "additionalProperties": false,
                },
                {
                    "type": "object",
                    "properties": {"sealed": {
                        "type": "string",
                        "pattern": "^1\\.[0-9a-f]{8}\\.[A-Za-z0-9_-]{39,}$",
                        "description": "Version, key ID, and in base64url nonce, ciphertext and tag.",
                    }},
                    "required": ["sealed"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}
