//! `tokenAuth.mediacdn` as written.

use serde::Deserialize;

/// Verification of dual tokens of Google Media CDN.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MediaCdn {}
