//! `playlock speke`: a client of SPEKE servers, which packagers get keys from, and the filter's server on files.

mod answer;
mod asked;
mod document;
mod offline;
mod open;
mod options;
mod print;
mod read;
mod send;
mod signals;
mod verify;

use std::io::{Read, Write};

use clap::{Args, Subcommand};

use self::answer::Answer;
use self::options::Request;
use crate::config;
use crate::failure::Failure;
use crate::terminal::shown;

/// Request content keys from a SPEKE server, as packagers do, or answer such a request.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock speke request https://edge.example/speke/cpix/getKey --token-file token --content-id film \\
      --track SD,HD,AUDIO --system widevine,playready,common
  playlock speke answer --config policies.json < request.xml > answer.xml")]
pub struct Speke {
    #[command(subcommand)]
    command: SpekeCommand,
}

#[derive(Subcommand)]
enum SpekeCommand {
    Answer(offline::AnswerCommand),
    Request(Box<Request>),
}

/// Runs the subcommand.
///
/// # Errors
/// An argument that cannot be used, a server that cannot be reached or refuses, a document or response that is not valid.
pub fn run(arguments: &Speke, input: &mut dyn Read, output: &mut dyn Write) -> Result<(), Failure> {
    match &arguments.command {
        SpekeCommand::Answer(arguments) => offline::run(arguments, input, output),
        SpekeCommand::Request(arguments) => request(arguments, output),
    }
}

/// Requests keys and prints them.
fn request(arguments: &Request, output: &mut dyn Write) -> Result<(), Failure> {
    let asked = arguments.asked()?;
    print::check(arguments.output, &asked)?;
    let document = document::write(&asked);
    if arguments.request_only {
        return output.write_all(document.as_bytes()).map_err(config::output_failure);
    }
    let body = send::post(arguments, &asked, &document)?;
    let mut problems = verify::Problems::default();
    let answer = answer_of(arguments, &asked, &document, &body, &mut problems)?;
    config::warn(&problems.warnings());
    problems.into_result()?;
    print::print(arguments.output, &asked, &answer, output)
}

/// Reads the response, opens its encrypted keys and verifies it.
fn answer_of(
    arguments: &Request,
    asked: &asked::Asked,
    request: &str,
    body: &str,
    problems: &mut verify::Problems,
) -> Result<Answer, Failure> {
    let parse = |name: &str, text| {
        roxmltree::Document::parse(text)
            .map_err(|error| Failure::Negative(format!("{name}: {}; expected XML", shown(&error.to_string()))))
    };
    let (sent, received) = (parse("request", request)?, parse("response", body)?);
    let mut answer = read::read(&received, asked, problems);
    if let Some(private_key) = &arguments.private_key {
        open::open(&mut answer, private_key, problems)?;
    }
    verify::document(&sent, &received, asked, &answer, problems);
    signals::verify(asked, &answer, problems);
    Ok(answer)
}
