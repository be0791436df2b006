//! JSON Web Keys (RFC 7517) as written.

use alloc::string::String;
#[cfg(feature = "schema")]
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;
use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};

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
            "description": "An array of JSON Web Keys (RFC 7517), or a JWK Set: `{\"keys\": [...]}`. At most 64; of those with the same `kid` and algorithm at most 8.",
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

/// A JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037). Its type determines its algorithm: `oct` is HS256, `EC` on
/// P-256 is ES256, `OKP` on Ed25519 is EdDSA, and `RSA` is RS256.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Jwk {
    /// The type of the key.
    pub kty: KeyType,
    /// The key's id. Tokens with this id are verified with keys that have it; if none has it, with keys without an id.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["2026-01"])))]
    pub kid: Option<String>,
    /// The key's algorithm. It must be that of the key's type.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["ES256"])))]
    pub alg: Option<String>,
    /// The purpose of the key, `sig` if it is given.
    #[serde(rename = "use")]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["sig"])))]
    pub public_key_use: Option<String>,
    /// The operations of the key. If they are given, `verify` or `sign` must be one of them.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [["verify"]])))]
    pub key_ops: Option<Vec<String>>,
    /// The issuer (`iss`) whose tokens alone this key verifies. Not a member of RFC 7517.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["https://login.example"])))]
    pub iss: Option<String>,
    /// The secret of an `oct` key, in base64url. If it has fewer than 16 bytes, anyone who has a token can guess it, and
    /// playlock logs a warning.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_JWT_SECRET"})])))]
    pub k: Option<SecretSource>,
    /// The curve of an `EC` key (`P-256`) or of an `OKP` key (`Ed25519`).
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["P-256"])))]
    pub crv: Option<String>,
    /// The x coordinate of an `EC` key, or the public key of an `OKP` key: 32 bytes in base64url.
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = "^[A-Za-z0-9_-]{43}$"), extend("examples" = ["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"]))
    )]
    pub x: Option<String>,
    /// The y coordinate of an `EC` key: 32 bytes in base64url.
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = "^[A-Za-z0-9_-]{43}$"), extend("examples" = ["x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"]))
    )]
    pub y: Option<String>,
    /// The private key of an `EC` or `OKP` key: 32 bytes in base64url. Only where playlock signs tokens.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_PRIVATE_KEY"})])))]
    pub d: Option<SecretSource>,
    /// The modulus of an `RSA` key, 2048 to 4096 bits in base64url.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[A-Za-z0-9_-]{342,683}$")))]
    pub n: Option<String>,
    /// The exponent of an `RSA` key in base64url: 3, or an odd number from 65537 to 2^32 - 1.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["AQAB"])))]
    pub e: Option<String>,
    /// A prime of a private `RSA` key, which is refused.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub p: Option<IgnoredAny>,
    /// As `p`.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub q: Option<IgnoredAny>,
    /// As `p`.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub dp: Option<IgnoredAny>,
    /// As `p`.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub dq: Option<IgnoredAny>,
    /// As `p`.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub qi: Option<IgnoredAny>,
    /// As `p`.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub oth: Option<IgnoredAny>,
    /// Read and ignored.
    #[serde(rename = "x5c")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub _x5c: Option<IgnoredAny>,
    /// Read and ignored.
    #[serde(rename = "x5t")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub _x5t: Option<IgnoredAny>,
    /// Read and ignored.
    #[serde(rename = "x5t#S256")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub _x5t_s256: Option<IgnoredAny>,
    /// Read and ignored.
    #[serde(rename = "x5u")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub _x5u: Option<IgnoredAny>,
    /// Read and ignored.
    #[serde(rename = "ext")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub _ext: Option<IgnoredAny>,
}

/// The type of a key (`kty`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum KeyType {
    /// A shared secret.
    #[serde(rename = "oct")]
    Secret,
    /// An elliptic curve: P-256.
    #[serde(rename = "EC")]
    EllipticCurve,
    /// An octet key pair: Ed25519.
    #[serde(rename = "OKP")]
    OctetKeyPair,
    /// RSA.
    #[serde(rename = "RSA")]
    Rsa,
}
