//! The configuration document's JSON Schema, made of the types that read it. For tools; never in the module.

use super::document::Document;

/// The schema (draft 2020-12). What it lets pass may still be refused: it knows of single members, not of how they go
/// together.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Document);
    schema.insert("title".into(), "playlock's configuration".into());
    schema.to_value()
}
