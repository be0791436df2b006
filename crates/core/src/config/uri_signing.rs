//! `tokenAuth.urisigning` as written.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::jwk::Jwks;
use super::value::SecretSource;
#[cfg(feature = "schema")]
use crate::policy::text::TokenName;

/// Verification of URI Signing tokens (RFC 9246).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct UriSigning {
    /// The issuers' keys, as JWKs. A token with an issuer (`iss`) must be signed with a key of this issuer.
    pub keys: Jwks,
    /// The keys that decrypt the claim `cdniip`, as JWKs. Without them, tokens with this claim are refused.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = serde_json::json!([]))))]
    pub decryption_keys: Vec<DecryptionJwk>,
    /// The names of this service. A token with the claim `aud` must name one of them; without this member, such tokens are
    /// refused.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(extend("default" = serde_json::json!([]), "examples" = [["edge.example"]]))
    )]
    pub audience: Vec<String>,
    /// The query parameter and the path parameter of the token (the URI Signing Package Attribute).
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TokenName>", extend("default" = "URISigningPackage", "examples" = ["usp"]))
    )]
    pub parameter: Option<String>,
    /// The token's cookie, if its name is not that of the parameter.
    #[cfg_attr(feature = "schema", schemars(with = "Option<TokenName>", extend("examples" = ["usp"])))]
    pub cookie: Option<String>,
    /// The JOSE header of tokens that leave it out, in base64url.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["eyJhbGciOiJFUzI1NiJ9"])))]
    pub jwt_header: Option<String>,
    /// Accept tokens with the claim `jti`. playlock does not store used ids, so such a token can be used repeatedly. `false`:
    /// they are refused, as RFC 9246 demands.
    #[serde(default)]
    pub accept_token_ids: bool,
    /// Renew the token with each response (signed token renewal) and open no sessions. Every request then needs a token.
    pub chaining: Option<Chaining>,
}

/// A key that decrypts claims: a JWK (RFC 7517) of type `oct`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DecryptionJwk {
    /// The key type.
    pub kty: Octets,
    /// The key's id.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["2026-1"])))]
    pub kid: Option<String>,
    /// The content encryption algorithm.
    pub alg: ContentEncryption,
    /// The key in base64url: 16 bytes for `A128GCM`, 32 for `A256GCM`.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_CLAIMS_KEY"})])))]
    pub k: SecretSource,
    /// Read and ignored.
    #[serde(rename = "use")]
    pub _use: Option<Encryption>,
}

/// The key type of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Octets {
    /// A secret.
    Oct,
}

/// The use of encryption keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// Encryption.
    Enc,
}

/// A content encryption algorithm (RFC 7518 section 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ContentEncryption {
    /// AES-GCM with a key of 16 bytes.
    A128GCM,
    /// AES-GCM with a key of 32 bytes.
    A256GCM,
}

/// Renewal of tokens with each response.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Chaining {
    /// The issuer (`iss`) of renewed tokens. The first key in `keys` that has this `iss` and can sign (`k` or `d`) signs them.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["edge.example"])))]
    pub issuer: String,
}
