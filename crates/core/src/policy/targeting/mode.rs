//! Whether a list is of those that may, or of those that may not.

use serde::Deserialize;

/// Whether a list names who may or who may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Only these may.
    Allow,
    /// All but these may.
    Deny,
}
