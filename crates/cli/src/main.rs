//! `playlock`: the command line of the filter.

mod acl;
mod address;
#[cfg(feature = "serve")]
mod authorize;
mod check;
mod completions;
mod config;
mod content;
#[cfg(feature = "serve")]
mod control;
mod decrypt;
mod diagnostic;
mod ecds;
mod envoy;
mod explain;
mod failure;
mod fields;
mod findings;
mod given;
mod https;
mod inspect;
mod key;
mod media;
mod mpd;
mod mpd_time;
mod new;
mod playlist;
mod reference;
mod rewrite;
mod schema;
mod seal;
mod secrets;
#[cfg(feature = "serve")]
mod serve;
mod session_token;
mod speke;
mod terminal;
mod time;
mod token;
mod viewer;
mod watch;
mod why;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::terminal::Colours;

/// Configure, test and debug the playlock filter without a proxy.
///
/// Exit status: 0 on success; 1 if the filter refuses the request, or the input is not valid; 2 if an argument, the
/// configuration or a file cannot be used; 3 if a server could not be reached. Errors go to standard error, with the
/// reason codes of the filter's responses. Colours are used on terminals only, and not if NO_COLOR is set.
#[derive(Parser)]
#[command(name = "playlock", version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[cfg(feature = "serve")]
    Authorize(authorize::Authorize),
    Check(check::Check),
    Completions(completions::Completions),
    #[cfg(feature = "serve")]
    Control(control::ControlCommand),
    Decrypt(decrypt::Decrypt),
    Ecds(ecds::Ecds),
    #[cfg(feature = "serve")]
    Import(control::Import),
    Inspect(inspect::Inspect),
    Key(key::KeyCommand),
    #[cfg(feature = "serve")]
    MasterKey(serve::MasterKey),
    New(new::New),
    Rewrite(rewrite::Rewrite),
    Schema(schema::SchemaCommand),
    Seal(seal::Seal),
    #[cfg(feature = "serve")]
    Serve(Box<serve::Serve>),
    #[cfg(feature = "serve")]
    Sessions(control::sessions::Sessions),
    Speke(speke::Speke),
    Token(token::Token),
    Watch(watch::Watch),
    Why(why::Why),
}

fn main() -> ExitCode {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let colours = Colours::of(&io::stdout());
    let done = match CommandLine::parse().command {
        #[cfg(feature = "serve")]
        Command::Authorize(arguments) => authorize::run(&arguments, &mut output),
        Command::Check(arguments) => check::run(&arguments, &mut output),
        Command::Completions(arguments) => completions::run(&arguments, CommandLine::command(), &mut output),
        #[cfg(feature = "serve")]
        Command::Control(arguments) => control::run(&arguments, &mut output),
        Command::Decrypt(arguments) => decrypt::run(&arguments, &mut input, &mut output),
        Command::Ecds(arguments) => ecds::run(&arguments, &mut output),
        #[cfg(feature = "serve")]
        Command::Import(arguments) => control::import(&arguments, &mut input, &mut output),
        Command::Inspect(arguments) => inspect::run(&arguments, &mut input, &mut output, colours),
        Command::Key(arguments) => key::run(&arguments, &mut output),
        #[cfg(feature = "serve")]
        Command::MasterKey(arguments) => serve::master_key(&arguments, &mut output),
        Command::New(arguments) => new::run(&arguments, &mut output),
        Command::Rewrite(arguments) => rewrite::run(&arguments, &mut input, &mut output),
        Command::Schema(arguments) => schema::run(&arguments, &mut output),
        Command::Seal(arguments) => seal::run(&arguments, &mut input, &mut output),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => serve::run(&arguments, &mut output),
        #[cfg(feature = "serve")]
        Command::Sessions(arguments) => control::sessions::run(&arguments, &mut output),
        Command::Speke(arguments) => speke::run(&arguments, &mut input, &mut output),
        Command::Token(arguments) => token::run(&arguments, &mut input, &mut output),
        Command::Watch(arguments) => watch::run(&arguments, &mut output, colours),
        Command::Why(arguments) => why::run(&arguments, &mut output, colours),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let message = failure.to_string();
            if !message.is_empty() {
                // Without standard error, only the exit status is left.
                let _ = writeln!(io::stderr(), "playlock: {message}");
            }
            failure.exit_code()
        }
    }
}
