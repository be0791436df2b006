//! `playlock schema`: the configuration's JSON Schema, for editors and other tools; or what it says, as a page.

use std::io::Write;

use clap::Args;
use playlock_config::schema::schema;

use crate::failure::Failure;
use crate::{config, reference};

/// Print the JSON Schema (draft 2020-12) of the configuration.
///
/// Editors validate and complete with it. `playlock check` may still reject a document that the schema accepts: the
/// schema describes single members, not their combinations or secrets. With --markdown, print the reference page instead.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock schema > policies.schema.json
  jsonschema -i policies.json policies.schema.json
  playlock schema --markdown > configuration.md")]
pub struct SchemaCommand {
    /// Print a page with tables of all members and examples: docs/configuration.md.
    #[arg(long)]
    markdown: bool,
}

/// Writes the schema or the page to `output`.
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
