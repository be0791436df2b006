//! `playlock key`: derives the content key and IV of a session, a stream or a policy.

use std::io::Write;
use std::path::PathBuf;

use base16ct::lower::encode_string as hex;
use clap::Args;
use serde_json::json;

use crate::config;
use crate::content::{KeySource, find};
use crate::failure::Failure;

/// Derive a content key and its IV.
///
/// A URL is enough; without one, give the policy, the session (or --scope) and the period. Anyone with the key can
/// decrypt the content.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock key --config policies.json 'https://edge.example/vod/1.ts?hdntl=…'
  playlock key --config policies.json --policy vod --session-id AAECAwQFBgcICQoLDA0ODw --period 3
  playlock key --config policies.json --policy live --scope stream --stream /live/a/
  playlock key --config policies.json \"$URL\" --raw > key.bin")]
pub struct KeyCommand {
    /// Configuration of the filter. Secrets given as {"env": NAME} are read from the environment.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    source: KeySource,
    /// Print only the 16 bytes of the key.
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Writes the key to `output`.
///
/// # Errors
/// As [`find`].
pub fn run(arguments: &KeyCommand, output: &mut dyn Write) -> Result<(), Failure> {
    let loaded = config::load(&arguments.config)?;
    let content = find(&arguments.source, &loaded.policies)?;
    let (key, iv) = (hex(&content.key), hex(&content.iv));
    let written = if arguments.raw {
        output.write_all(&content.key)
    } else if arguments.json {
        let json = json!({"key": key, "iv": iv, "policy": content.policy, "scope": content.scope,
            "period": content.period, "notes": content.notes});
        return config::write_json(output, &json);
    } else {
        let notes: String = content.notes.iter().map(|note| format!("note     {note}\n")).collect();
        let scope = &content.scope;
        write!(
            output,
            "key      {key}\niv       {iv}\npolicy   {}\nscope    {scope}\nperiod   {}\n{notes}",
            content.policy, content.period
        )
    };
    written.map_err(config::output_failure)
}
