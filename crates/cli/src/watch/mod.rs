//! `playlock watch`: a protected stream played without a screen, as a probe that monitoring can run.

mod client;
mod player;
mod report;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use self::client::Client;
use self::player::Player;
use self::report::{Problem, Report};
use crate::address::Address;
use crate::config;
use crate::failure::Failure;
use crate::terminal::Colours;
use crate::time::parse_span;

/// Play a protected stream without a screen: playlists, keys, segments, decrypted and looked at.
///
/// VOD is fetched as fast as it comes, to its end; live as it grows, until --duration is over. Exit status 0 if all of it
/// played; 1 if it was refused, or anything was missing, did not decrypt or was broken; 2 if the command is wrong; 3 if the
/// server could not be reached. HTTP/1.1; of low-latency streams the whole segments are played, not their parts.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock watch \"$(playlock token --config policies.json --url https://edge.example/vod/master.m3u8)\"
  playlock watch \"$URL\" --duration 5m --json > probe.json
  playlock watch \"$URL\" --all --encrypted --cacert ca.pem")]
pub struct Watch {
    /// The playlist, with its access token.
    url: Address,
    /// How long a live stream is watched, and the longest that anything is: 90s, 5m, 12h.
    #[arg(long, value_parser = parse_span, default_value = "60s")]
    duration: u64,
    /// Which variant of a master playlist.
    #[arg(long, value_enum, default_value = "first")]
    variant: VariantChoice,
    /// Every variant and rendition.
    #[arg(long, conflicts_with = "variant")]
    all: bool,
    /// At most so many segments of each.
    #[arg(long, value_name = "NUMBER")]
    segments: Option<usize>,
    /// A segment in clear is an error.
    #[arg(long)]
    encrypted: bool,
    /// A request header; may be given several times. Sent to the host of the URL alone, not to others that playlists or
    /// redirects name.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Certificates in PEM that servers are verified with, if not those of SSL_CERT_FILE or the system's.
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// How long one answer may take.
    #[arg(long, value_parser = parse_span, default_value = "10s")]
    timeout: u64,
    /// Print the closing report as JSON.
    #[arg(long)]
    json: bool,
}

/// Which variant is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VariantChoice {
    /// The one that players begin with.
    First,
    /// The one with the highest bandwidth.
    Best,
    /// The one with the lowest.
    Least,
}

/// What is to be played of what there is.
struct Choice {
    /// `None`: everything.
    variant: Option<VariantChoice>,
    segments: usize,
    encrypted: bool,
}

/// Plays the stream and writes the closing report to `output`.
///
/// # Errors
/// A refusal, or whatever else was not as it should be.
pub fn run(arguments: &Watch, output: &mut dyn Write, colours: Colours) -> Result<(), Failure> {
    let began = Instant::now();
    let client = Client::new(
        &arguments.url,
        &arguments.headers,
        arguments.cacert.as_deref(),
        Duration::from_secs(arguments.timeout),
    )?;
    let choice = Choice {
        variant: (!arguments.all).then_some(arguments.variant),
        segments: arguments.segments.unwrap_or(usize::MAX),
        encrypted: arguments.encrypted,
    };
    let deadline = began.checked_add(Duration::from_secs(arguments.duration)).unwrap_or(began);
    let mut player = Player::new(client, choice, deadline, io::stderr().is_terminal());
    let outcome = player.play(&arguments.url);
    player.clear_progress();
    let report = player.into_report(began.elapsed());
    let text = match arguments.json {
        true => format!("{:#}\n", report.as_json()),
        false => report.as_text(colours),
    };
    output.write_all(text.as_bytes()).map_err(config::output_failure)?;
    verdict(outcome, &report)
}

fn verdict(outcome: Result<(), Problem>, report: &Report) -> Result<(), Failure> {
    match (outcome, report.problems.first()) {
        (Err(problem), _) if problem.unreachable && report.segments == 0 => {
            Err(Failure::Unreachable(problem.to_string()))
        }
        (Err(problem), _) => Err(Failure::Negative(problem.to_string())),
        (Ok(()), Some(problem)) => Err(Failure::Negative(problem.to_string())),
        (Ok(()), None) if report.segments == 0 => Err(Failure::Negative("there was no segment to play".into())),
        (Ok(()), None) => Ok(()),
    }
}
