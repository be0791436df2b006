//! The configuration document's JSON Schema, made of the types that read it. For tools; never in the module.

use alloc::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::value::{Duration, PolicyId, SecretSource};

/// The schema (draft 2020-12). What it lets pass may still be refused: it knows of single members, not of how they go
/// together.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(super::document::Document);
    schema.insert("title".into(), "playlock's configuration".into());
    schema.to_value()
}

impl JsonSchema for PolicyId {
    fn schema_name() -> Cow<'static, str> {
        "PolicyId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A policy's number.",
            "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[+]?[0-9]+$"}],
        })
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An integer followed by d, h, m or s, at most ten years.",
            "type": "string",
            "pattern": "^[0-9]+[dhms]$",
        })
    }
}

impl JsonSchema for SecretSource {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A secret, or the environment variable that holds it.",
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "properties": {"env": {"type": "string", "description": "The variable's name."}},
                    "required": ["env"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}
