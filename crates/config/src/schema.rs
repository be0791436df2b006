//! The JSON Schema of the configuration document, generated from the types that read it. For tools; never in the
//! module.

use super::document::Document;

/// The schema (draft 2020-12). A document that it accepts may still be rejected: the schema covers single members, not
/// their combinations.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Document);
    schema.insert("title".into(), "playlock's configuration".into());
    schema.to_value()
}
