//! JSON Web Keys (RFC 7517) as written.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};

use super::value::SecretSource;

/// Keys: an array of JSON Web Keys, or a JWK Set, which has the array as its only member `keys`.
#[derive(Debug)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
    /// Whether they are written as a JWK Set.
    pub is_set: bool,
}

impl<'de> Deserialize<'de> for Jwks {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Jwks;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of JSON Web Keys, or {\"keys\": [...]}")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Jwks, A::Error> {
                let mut keys = Vec::new();
                while let Some(key) = seq.next_element()? {
                    keys.push(key);
                }
                Ok(Jwks { keys, is_set: false })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Jwks, A::Error> {
                let mut keys = None;
                while let Some(name) = map.next_key::<String>()? {
                    if name != "keys" {
                        return Err(de::Error::unknown_field(&name, &["keys"]));
                    }
                    if keys.replace(map.next_value()?).is_some() {
                        return Err(de::Error::duplicate_field("keys"));
                    }
                }
                let keys = keys.ok_or_else(|| de::Error::missing_field("keys"))?;
                Ok(Jwks { keys, is_set: true })
            }
        }
        deserializer.deserialize_any(Keys)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Jwks {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Keys".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let keys = generator.subschema_for::<Vec<Jwk>>();
        schemars::json_schema!({
            "description": "An array of JSON Web Keys (RFC 7517), or a JWK Set: `{\"keys\": [...]}`. At most 64; of those with the same `kid` and algorithm at most 8. `kty` is `oct` with the secret `k` (HS256; base64url text, the environment variable that holds it, or a sealed text), `EC` with `crv` `P-256`, `x` and `y` (ES256), `OKP` with `crv` `Ed25519` and `x` (EdDSA), or `RSA` with `n` of 2048 to 4096 bits and `e` (RS256). `alg`, `use` and `key_ops` may be given if they fit. Tokens with a `kid` are verified with the keys that have it; if none has it, with keys without one. `iss`, a member of playlock, binds a key to an issuer. Private keys (`d`) are refused unless playlock signs with them.",
            "anyOf": [
                keys,
                {
                    "type": "object",
                    "properties": {"keys": keys},
                    "required": ["keys"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

/// A JSON Web Key as written: its type, and its other members by name. One type for all of them keeps their code small.
pub struct Jwk {
    /// The type of the key.
    pub kty: KeyType,
    members: Vec<(&'static str, Member)>,
}

/// The value of a member.
#[derive(Clone)]
pub enum Member {
    /// A text, perhaps a secret.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
    /// The source of a secret that is not in clear.
    Hidden(SecretSource),
    /// Anything else.
    Other,
}

/// All members but `kty`. Those of private RSA keys are known, so that their refusal is clear; others are ignored.
const NAMES: [&str; 23] = [
    "kid", "alg", "use", "key_ops", "iss", "k", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "oth",
    "x5c", "x5t", "x5t#S256", "x5u", "ext",
];

impl Jwk {
    /// The member `name`.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwk({:?}, [redacted])", self.kty)
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Jwk;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON Web Key")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Jwk, A::Error> {
                let (mut kty, mut members) = (None, Vec::new());
                while let Some(name) = map.next_key::<String>()? {
                    if name == "kty" {
                        if kty.replace(map.next_value()?).is_some() {
                            return Err(de::Error::duplicate_field("kty"));
                        }
                        continue;
                    }
                    let value: Member = map.next_value()?;
                    let known = NAMES.iter().find(|known| **known == name);
                    let known = *known.ok_or_else(|| de::Error::unknown_field(&name, &NAMES))?;
                    if members.iter().any(|(other, _)| *other == known) {
                        return Err(de::Error::duplicate_field(known));
                    }
                    members.push((known, value));
                }
                Ok(Jwk { kty: kty.ok_or_else(|| de::Error::missing_field("kty"))?, members })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = Member;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member of a JSON Web Key")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Member, E> {
                Ok(Member::Text(text.into()))
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Member, E> {
                Ok(Member::Other)
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Member, E> {
                Ok(Member::Other)
            }
            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Member, E> {
                Ok(Member::Other)
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Member, E> {
                Ok(Member::Other)
            }
            fn visit_unit<E: de::Error>(self) -> Result<Member, E> {
                Ok(Member::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Member, A::Error> {
                let mut texts = Vec::new();
                let mut are_texts = true;
                while let Some(member) = seq.next_element()? {
                    match member {
                        Member::Text(text) => texts.push(text),
                        _ => are_texts = false,
                    }
                }
                Ok(if are_texts { Member::Texts(texts) } else { Member::Other })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Member, A::Error> {
                let (mut source, mut count) = (None, 0_usize);
                while let Some(name) = map.next_key::<String>()? {
                    if let Member::Text(text) = map.next_value()? {
                        source = SecretSource::of_member(&name, text);
                    }
                    count = count.saturating_add(1);
                }
                Ok(source.filter(|_| count == 1).map_or(Member::Other, Member::Hidden))
            }
        }
        deserializer.deserialize_any(Value)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Jwk {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Jwk".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        super::jwk_schema::Jwk::json_schema(generator)
    }
}

/// The type of a key (`kty`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// A shared secret.
    Secret,
    /// An elliptic curve: P-256.
    EllipticCurve,
    /// An octet key pair: Ed25519.
    OctetKeyPair,
    /// RSA.
    Rsa,
}

impl<'de> Deserialize<'de> for KeyType {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Member::deserialize(deserializer)? {
            Member::Text(text) => match text.as_str() {
                "oct" => Ok(Self::Secret),
                "EC" => Ok(Self::EllipticCurve),
                "OKP" => Ok(Self::OctetKeyPair),
                "RSA" => Ok(Self::Rsa),
                other => Err(de::Error::unknown_variant(other, &["oct", "EC", "OKP", "RSA"])),
            },
            _ => Err(de::Error::custom("found no text, expected \"oct\", \"EC\", \"OKP\" or \"RSA\"")),
        }
    }
}
