//! `tokenAuth.cat` as written.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::jwk::{Jwk, Jwks};
#[cfg(feature = "schema")]
use playlock_core::policy::text::TokenName;

/// Verification of Common Access Tokens (CTA-5007).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Cat {
    /// The issuers' keys: `oct` keys for HS256, `EC` keys on P-256 for ES256. A key with `iss` verifies tokens of that issuer
    /// only.
    pub keys: Jwks,
    /// The names of which a token's `aud` must have one. Without it, `aud` is not checked.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(extend("default" = serde_json::json!([]), "examples" = [["cdn.example"]]))
    )]
    pub audience: Vec<String>,
    /// The query parameter of the token. Must differ from those of other tokens and from `plk`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TokenName>", extend("default" = "cat", "examples" = ["CAT"]))
    )]
    pub parameter: Option<String>,
    /// The cookie of the token. Its name is compared without case.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<TokenName>",
            extend("default" = "CTA-Common-Access-Token", "examples" = ["Common-Access-Token"])
        )
    )]
    pub cookie: Option<String>,
    /// The request header of the token.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<TokenName>",
            extend("default" = "cta-common-access-token", "examples" = ["common-access-token"])
        )
    )]
    pub header: Option<String>,
    /// Envoy sets the country, region and AS number headers of `geoHeaders`, and removes those of clients. Without it, tokens
    /// with `catgeoiso3166` or AS numbers in `catnip` are refused.
    #[serde(default)]
    pub location: bool,
    /// Renews tokens that have `catr`. Without it, they are not renewed.
    pub renewal: Option<CatRenewal>,
}

/// How tokens are renewed.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CatRenewal {
    /// The key that signs new tokens: an `oct` key, or an `EC` key with its private part `d`. Tokens that it signed are
    /// accepted even if `keys` does not have it.
    #[cfg_attr(
        feature = "schema",
        schemars(
            schema_with = "one_key",
            extend("examples" = [{"kty": "oct", "kid": "edge", "k": {"env": "PLAYLOCK_CAT_KEY"}}])
        )
    )]
    pub key: Jwk,
    /// The `iss` of new tokens.
    #[cfg_attr(feature = "schema", schemars(length(min = 1), extend("examples" = ["edge.example"])))]
    pub issuer: String,
}

/// Any type of key: no document has the members of all.
#[cfg(feature = "schema")]
fn one_key(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"allOf": [generator.subschema_for::<Jwk>()]})
}
