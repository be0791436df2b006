//! The description of JSON Web Keys for the schema. [`super::jwk`] reads them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::de::IgnoredAny;

use super::value::SecretSource;

/// A JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037). Its type determines its algorithm: `oct` is HS256, `EC` on
/// P-256 is ES256, `OKP` on Ed25519 is EdDSA, and `RSA` is RS256.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "a description")]
#[serde(deny_unknown_fields)]
pub struct Jwk {
    /// The type of the key.
    pub kty: KeyType,
    /// The key's id. Tokens with this id are verified with keys that have it; if none has it, with keys without an id.
    #[schemars(extend("examples" = ["2026-01"]))]
    pub kid: Option<String>,
    /// The key's algorithm. It must be that of the key's type.
    #[schemars(extend("examples" = ["ES256"]))]
    pub alg: Option<String>,
    /// The purpose of the key, `sig` if it is given.
    #[serde(rename = "use")]
    #[schemars(extend("examples" = ["sig"]))]
    pub public_key_use: Option<String>,
    /// The operations of the key. If they are given, `verify` or `sign` must be one of them.
    #[schemars(extend("examples" = [["verify"]]))]
    pub key_ops: Option<Vec<String>>,
    /// The issuer (`iss`) whose tokens alone this key verifies. Not a member of RFC 7517.
    #[schemars(extend("examples" = ["https://login.example"]))]
    pub iss: Option<String>,
    /// The secret of an `oct` key, in base64url. If it has fewer than 16 bytes, anyone who has a token can guess it, and
    /// playlock logs a warning.
    #[schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_JWT_SECRET"})]))]
    pub k: Option<SecretSource>,
    /// The curve of an `EC` key (`P-256`) or of an `OKP` key (`Ed25519`).
    #[schemars(extend("examples" = ["P-256"]))]
    pub crv: Option<String>,
    /// The x coordinate of an `EC` key, or the public key of an `OKP` key: 32 bytes in base64url.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{43}$"), extend("examples" = ["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"]))]
    pub x: Option<String>,
    /// The y coordinate of an `EC` key: 32 bytes in base64url.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{43}$"), extend("examples" = ["x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"]))]
    pub y: Option<String>,
    /// The private key of an `EC` or `OKP` key: 32 bytes in base64url. Only where playlock signs tokens.
    #[schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_PRIVATE_KEY"})]))]
    pub d: Option<SecretSource>,
    /// The modulus of an `RSA` key, 2048 to 4096 bits in base64url.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{342,683}$"))]
    pub n: Option<String>,
    /// The exponent of an `RSA` key in base64url: 3, or an odd number from 65537 to 2^32 - 1.
    #[schemars(extend("examples" = ["AQAB"]))]
    pub e: Option<String>,
    /// Read and ignored.
    #[serde(rename = "x5c")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub _x5c: Option<IgnoredAny>,
    /// Read and ignored.
    #[serde(rename = "x5t")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub _x5t: Option<IgnoredAny>,
    /// Read and ignored.
    #[serde(rename = "x5t#S256")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub _x5t_s256: Option<IgnoredAny>,
    /// Read and ignored.
    #[serde(rename = "x5u")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub _x5u: Option<IgnoredAny>,
}

/// The type of a key.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "a description")]
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
