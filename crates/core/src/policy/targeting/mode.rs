//! Allow lists and deny lists.

use serde::Deserialize;

/// Whether a list names allowed or denied clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Only listed clients are allowed.
    Allow,
    /// All clients except the listed ones are allowed.
    Deny,
}
