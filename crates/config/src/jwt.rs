//! `tokenAuth.jwt` as written.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::jwk::Jwks;
use super::value::Duration;
#[cfg(feature = "schema")]
use playlock_core::policy::text::{HeaderName, TokenName};

/// Verification of JSON Web Tokens (RFC 7519): signed with HS256, ES256, EdDSA (Ed25519) or RS256, in compact form. Either
/// `keys` or `metadata` is required.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Jwt {
    /// The keys of the issuers. A key determines the algorithm of its tokens.
    pub keys: Option<Jwks>,
    /// Accept the claims that Envoy's `jwt_authn` filter has written into the request's metadata, instead of a token.
    /// `jwt_authn` then checks signature, issuer, audience and times, and has to be before playlock.
    pub metadata: Option<Metadata>,
    /// The accepted issuers (`iss`). Without it, any whose token is signed with one of `keys`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [["https://login.example"]])))]
    pub issuers: Vec<String>,
    /// The names of this service (`aud`). Tokens must be for one of them. Without it, tokens must be for no audience.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [["https://tv.example"]])))]
    pub audiences: Vec<String>,
    /// The longest time since a token was issued (`iat`). Tokens then need no `exp`; without `maxAge` they do.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["5m"])))]
    pub max_age: Option<Duration>,
    /// The claims of which a session is made.
    #[serde(default)]
    pub claims: JwtClaims,
    /// The form of a token's paths.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "patterns")))]
    pub paths_are: PathsAre,
    /// Refuse tokens without paths. `false`: they open any playlist, and everything below its directory (or below
    /// `sessionAcl`), as OpenID Connect's tokens, which have no paths, need it.
    #[serde(default = "yes")]
    pub require_paths: bool,
    /// The query parameter of the token.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TokenName>", extend("default" = "token", "examples" = ["access_token"]))
    )]
    pub parameter: Option<String>,
    /// The token's cookie.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TokenName>", extend("default" = "token", "examples" = ["access_token"]))
    )]
    pub cookie: Option<String>,
    /// The token's request header. Tokens in `authorization` follow the word `Bearer`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<HeaderName>", extend("default" = "authorization", "examples" = ["x-token"]))
    )]
    pub header: Option<String>,
}

/// Names of claims. A dot leads to a member of a claim (`realm_access.paths`); names that are URLs are taken as they are
/// (`https://example.com/paths`).
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct JwtClaims {
    /// The claim with the paths that the token opens: an array of strings, or one string in which `!` separates them.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("default" = "paths", "examples" = ["https://example.com/paths"]))
    )]
    pub paths: Option<String>,
    /// The claim that identifies the token for revocation, a string.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "jti", "examples" = ["sid"])))]
    pub id: Option<String>,
    /// The claim that becomes the payload of the session (`data` of EdgeAuth tokens), a string.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "sub", "examples" = ["device.name"])))]
    pub payload: Option<String>,
}

/// The form of a token's paths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PathsAre {
    /// Patterns as in the `acl` of EdgeAuth tokens: `*` matches any characters, including `/`; `?` matches one.
    #[default]
    Patterns,
    /// Beginnings of paths, in which no character is special.
    Prefixes,
}

/// The place of verified claims in the request's dynamic metadata.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Metadata {
    /// The name of the filter that verified the token.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("default" = "envoy.filters.http.jwt_authn", "examples" = ["tv.example.login"]))
    )]
    pub namespace: Option<String>,
    /// The `payload_in_metadata` of the `jwt_authn` provider.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["payload"])))]
    pub key: String,
}

fn yes() -> bool {
    true
}
