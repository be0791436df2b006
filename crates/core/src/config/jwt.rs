//! `tokenAuth.jwt` as written.

use serde::Deserialize;

/// Verification of JSON Web Tokens (RFC 7519).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Jwt {}
