//! `tokenAuth.mediacdn` as written.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::jwk::Jwks;
#[cfg(feature = "schema")]
use playlock_core::policy::text::TokenName;

/// Verification of dual tokens of Google Media CDN.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MediaCdn {
    /// The keys, each of which may have signed a token: of type `OKP` with the curve `Ed25519`, or for an HMAC `oct`.
    pub keys: Jwks,
    /// The signature algorithms that are accepted. Each needs a key. Ed25519 keys here only verify; with an HMAC key,
    /// anyone who can read the configuration can sign tokens.
    #[serde(default = "ed25519_alone")]
    #[cfg_attr(
        feature = "schema",
        schemars(
            length(min = 1),
            extend("default" = serde_json::json!(["ed25519"]), "examples" = [["ed25519", "hmac-sha256"]])
        )
    )]
    pub algorithms: Vec<SignatureAlgorithm>,
    /// The query parameter of the token.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TokenName>", extend("default" = "edge-cache-token", "examples" = ["short-token"]))
    )]
    pub parameter: Option<String>,
    /// The token's cookie.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TokenName>", extend("default" = "Edge-Cache-Cookie", "examples" = ["short-token"]))
    )]
    pub cookie: Option<String>,
    /// The token's request header. Without it, none.
    #[cfg_attr(feature = "schema", schemars(with = "Option<TokenName>", extend("examples" = ["x-media-token"])))]
    pub header: Option<String>,
}

/// A signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SignatureAlgorithm {
    /// Ed25519 (RFC 8032).
    #[serde(rename = "ed25519")]
    Ed25519,
    /// HMAC-SHA-256.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// HMAC-SHA-1.
    #[serde(rename = "hmac-sha1")]
    HmacSha1,
}

fn ed25519_alone() -> Vec<SignatureAlgorithm> {
    alloc::vec![SignatureAlgorithm::Ed25519]
}
