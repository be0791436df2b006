//! The JSON Schema of the configuration document, generated from the types that read it. For tools; never in the
//! module.

use alloc::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::value::{Duration, PolicyId, SecretSource};

/// The schema (draft 2020-12). A document that it accepts may still be rejected: the schema covers single members, not
/// their combinations.
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
            "description": "A policy's number, as one or as a string.",
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
            "description": "An integer followed by `d`, `h`, `m` or `s` (days, hours, minutes, seconds), at most ten years.",
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
            "description": "A secret's text (which logs and dumps of the configuration show), or the environment variable of the VM that holds it: `{\"env\": \"NAME\"}`.",
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

/// A point in time, which the document's types keep as text.
pub struct Time;

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A time (RFC 3339), such as `2026-12-24T18:00:00Z`; in UTC without an offset, at midnight without a time of day. A fraction of a second does not count.",
            "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?$",
        })
    }
}

/// A point in time, or `*`.
pub struct TimeOrAny;

impl JsonSchema for TimeOrAny {
    fn schema_name() -> Cow<'static, str> {
        "TimeOrAny".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A time, or `*` for any.",
            "anyOf": [{"const": "*"}, generator.subschema_for::<Time>()],
        })
    }
}
