//! `tokenAuth.urisigning` as written.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::jwk::Jwks;
#[cfg(feature = "schema")]
use playlock_core::policy::text::TokenName;

/// Verification of URI Signing tokens (RFC 9246).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct UriSigning {
    /// The issuers' keys, as JWKs. A token with an issuer (`iss`) must be signed with a key of this issuer.
    pub keys: Jwks,
    /// The keys that decrypt the claim `cdniip`, as JWKs: `kty` `oct`, `alg` `A128GCM`, and `k` with 16 bytes in base64url.
    /// Without them, tokens with this claim are refused.
    pub decryption_keys: Option<Jwks>,
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

/// Renewal of tokens with each response.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Chaining {
    /// The issuer (`iss`) of renewed tokens. The first key in `keys` that has this `iss` and can sign (`k` or `d`) signs them.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["edge.example"])))]
    pub issuer: String,
}
