//! `playlock schema`: the configuration's JSON Schema, for editors and other tools.

use std::io::Write;

use clap::Args;
use playlock_core::config::schema::schema;

use crate::config;
use crate::failure::Failure;

/// Print the JSON Schema (draft 2020-12) of the configuration.
///
/// Editors check and complete with it. What it lets pass, `playlock check` may still refuse: a schema knows of single
/// members, not of how they go together, nor of secrets.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock schema > policies.schema.json
  jsonschema -i policies.json policies.schema.json")]
pub struct SchemaCommand {}

/// Writes it to `output`.
///
/// # Errors
/// If it cannot be written.
pub fn run(_: &SchemaCommand, output: &mut dyn Write) -> Result<(), Failure> {
    config::write_json(output, &schema())
}
