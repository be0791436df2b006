//! `playlock`: what the filter does, on the command line.

mod address;
mod assigned;
mod check;
mod completions;
mod config;
mod content;
mod decrypt;
mod diagnostic;
mod ecds;
mod envoy;
mod failure;
mod fields;
mod findings;
mod given;
mod inspect;
mod key;
mod media;
mod new;
mod playlist;
mod reference;
mod rewrite;
mod schema;
mod terminal;
mod time;
mod token;
mod trace;
mod viewer;
mod watch;
mod why;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::terminal::Colours;

/// What the filter does, without a proxy.
///
/// Exit status: 0 if it was done and all is good; 1 if the filter refuses, or what was looked at is not good; 2 if the
/// command, the configuration or a file is wrong; 3 if a server could not be reached. Standard error says why, in the
/// words of the filter's HTTP answers. Colours are for terminals, and for none if NO_COLOR is set.
#[derive(Parser)]
#[command(name = "playlock", version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Completions(completions::Completions),
    Decrypt(decrypt::Decrypt),
    Ecds(ecds::Ecds),
    Inspect(inspect::Inspect),
    Key(key::KeyCommand),
    New(new::New),
    Rewrite(rewrite::Rewrite),
    Schema(schema::SchemaCommand),
    Token(token::Token),
    Watch(watch::Watch),
    Why(why::Why),
}

fn main() -> ExitCode {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let colours = Colours::of(&io::stdout());
    let done = match CommandLine::parse().command {
        Command::Check(arguments) => check::run(&arguments, &mut output),
        Command::Completions(arguments) => completions::run(&arguments, CommandLine::command(), &mut output),
        Command::Decrypt(arguments) => decrypt::run(&arguments, &mut input, &mut output),
        Command::Ecds(arguments) => ecds::run(&arguments, &mut output),
        Command::Inspect(arguments) => inspect::run(&arguments, &mut input, &mut output, colours),
        Command::Key(arguments) => key::run(&arguments, &mut output),
        Command::New(arguments) => new::run(&arguments, &mut output),
        Command::Rewrite(arguments) => rewrite::run(&arguments, &mut input, &mut output),
        Command::Schema(arguments) => schema::run(&arguments, &mut output),
        Command::Token(arguments) => token::run(&arguments, &mut input, &mut output),
        Command::Watch(arguments) => watch::run(&arguments, &mut output, colours),
        Command::Why(arguments) => why::run(&arguments, &mut output, colours),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let said = failure.to_string();
            if !said.is_empty() {
                // Without standard error there is only the status.
                let _ = writeln!(io::stderr(), "playlock: {said}");
            }
            failure.exit_code()
        }
    }
}
