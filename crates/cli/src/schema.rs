//! `playlock schema`: the configuration's JSON Schema, for editors and other tools; or what it says, as a page.

use std::io::Write;

use clap::Args;
use playlock_core::config::schema::schema;

use crate::failure::Failure;
use crate::{config, reference};

/// Print the JSON Schema (draft 2020-12) of the configuration.
///
/// Editors check and complete with it. What it lets pass, `playlock check` may still refuse: a schema knows of single
/// members, not of how they go together, nor of secrets. With --markdown, the same as a page to read.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock schema > policies.schema.json
  jsonschema -i policies.json policies.schema.json
  playlock schema --markdown > configuration.md")]
pub struct SchemaCommand {
    /// Every member in tables, with examples: docs/configuration.md.
    #[arg(long)]
    markdown: bool,
}

/// Writes it to `output`.
///
/// # Errors
/// If it cannot be written.
pub fn run(arguments: &SchemaCommand, output: &mut dyn Write) -> Result<(), Failure> {
    if !arguments.markdown {
        return config::write_json(output, &schema());
    }
    let page = reference::page(&schema()).map_err(|error| Failure::Wrong(error.to_string()))?;
    output.write_all(page.as_bytes()).map_err(config::output_failure)
}
