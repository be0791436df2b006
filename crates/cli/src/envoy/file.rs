//! A file of Envoy's configuration.

use serde_json::Value;

/// A file with Envoy's configuration, or one that discovery reads.
pub struct File {
    /// The path, as given.
    pub name: String,
    /// The parsed contents.
    pub document: Value,
}
