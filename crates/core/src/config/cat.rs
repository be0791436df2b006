//! `tokenAuth.cat` as written.

use serde::Deserialize;

/// Verification of Common Access Tokens (CTA-5007).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Cat {}
