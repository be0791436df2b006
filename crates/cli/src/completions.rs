//! `playlock completions`: shell completion scripts.

use std::io::Write;

use clap::Args;
use clap_complete::Shell;

use crate::config;
use crate::failure::Failure;

/// Print a shell completion script.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock completions bash > ~/.local/share/bash-completion/completions/playlock
  playlock completions zsh > \"${fpath[1]}/_playlock\"
  playlock completions fish > ~/.config/fish/completions/playlock.fish")]
pub struct Completions {
    /// Shell that the script is for.
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes the script to `output`.
///
/// # Errors
/// If it cannot be written.
pub fn run(arguments: &Completions, mut command: clap::Command, output: &mut dyn Write) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "playlock", &mut script);
    output.write_all(&script).map_err(config::output_failure)
}
