//! `playlock`: what the filter does, on the command line.

mod address;
mod check;
mod config;
mod ecds;
mod envoy;
mod failure;
mod rewrite;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What the filter does, without a proxy.
///
/// Exit status: 0 if it was done, 1 if the filter refuses (standard error says why, in the words of its HTTP answers),
/// 2 if the command, the configuration or a file is wrong.
#[derive(Parser)]
#[command(name = "playlock", version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Ecds(ecds::Ecds),
    Rewrite(rewrite::Rewrite),
}

fn main() -> ExitCode {
    let done = match CommandLine::parse().command {
        Command::Check(arguments) => check::run(&arguments, &mut io::stdout().lock()),
        Command::Ecds(arguments) => ecds::run(&arguments, &mut io::stdout().lock()),
        Command::Rewrite(arguments) => rewrite::run(&arguments, &mut io::stdin().lock(), &mut io::stdout().lock()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Without standard error there is only the status.
            let _ = writeln!(io::stderr(), "playlock: {failure}");
            failure.exit_code()
        }
    }
}
