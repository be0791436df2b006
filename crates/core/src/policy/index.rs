//! Indices of policies and of keyrings, as distinct types.

use core::fmt;

#[cfg(feature = "schema")]
use alloc::borrow::Cow;
use serde::Deserialize;
use serde::de::{self, Visitor};

/// Position of a policy in its document, from 0. Valid only for the [`Policies`](super::Policies) that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyIndex(usize);

/// Position of a keyring in its policy, from 0. The first belongs to the current secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyringIndex(usize);

macro_rules! index {
    ($name:ident) => {
        impl $name {
            /// Index of the element at this position.
            pub const fn new(place: usize) -> Self {
                Self(place)
            }

            /// Position, from 0.
            pub const fn get(self) -> usize {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

index!(PolicyIndex);
index!(KeyringIndex);

/// A policy's number; the API writes it as a number and, in places, as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyId(pub u64);

impl<'de> Deserialize<'de> for PolicyId {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Id;
        impl Visitor<'_> for Id {
            type Value = PolicyId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a policy's number, such as 1 or \"1\"")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<PolicyId, E> {
                Ok(PolicyId(number))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<PolicyId, E> {
                text.parse().map(PolicyId).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Id)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for PolicyId {
    fn schema_name() -> Cow<'static, str> {
        "PolicyId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A policy's number, as one or as a string.",
            "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[+]?[0-9]+$"}],
        })
    }
}
