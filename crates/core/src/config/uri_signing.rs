//! `tokenAuth.urisigning` as written.

use serde::Deserialize;

/// Verification of URI Signing tokens (RFC 9246).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct UriSigning {}
