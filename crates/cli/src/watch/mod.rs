//! `playlock watch`: plays a protected stream without a screen, as a probe for monitoring.

mod choice;
mod client;
mod mpd;
mod player;
mod progress;
mod report;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use self::choice::{Choice, VariantChoice};
use self::client::Client;
use self::player::Player;
use self::report::{Problem, Report};
use crate::address::Address;
use crate::config;
use crate::failure::Failure;
use crate::terminal::Colours;
use crate::time::parse_span;

/// Play a protected stream without a screen, as a probe for monitoring.
///
/// Fetches playlists or MPDs, keys and segments, decrypts the segments and checks them. VOD is fetched at full speed to its end,
/// live streams as they grow, until --duration is over. Exit status 0 if everything played; 1 if a request was refused,
/// or anything was missing, damaged or did not decrypt; 2 if an argument cannot be used; 3 if the server could not be
/// reached. Uses HTTP/1.1. Of low-latency streams, whole segments are played, not partial ones.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock watch \"$(playlock token --config policies.json --url https://edge.example/vod/master.m3u8)\"
  playlock watch \"$URL\" --duration 5m --json > probe.json
  playlock watch \"$URL\" --all --encrypted --cacert ca.pem")]
pub struct Watch {
    /// URL of the playlist or MPD, with its access token.
    url: Address,
    /// Time after which watching ends, for live streams and all others: 90s, 5m, 12h.
    #[arg(long, value_parser = parse_span, default_value = "60s")]
    duration: u64,
    /// Variant of a multivariant playlist, or Representation of an MPD's video, to play.
    #[arg(long, value_enum, default_value = "first")]
    variant: VariantChoice,
    /// Play every variant and rendition, or every Representation.
    #[arg(long, conflicts_with = "variant")]
    all: bool,
    /// Maximum number of segments of each playlist.
    #[arg(long, value_name = "NUMBER")]
    segments: Option<usize>,
    /// Treat segments in clear as errors.
    #[arg(long)]
    encrypted: bool,
    /// Request header; may be repeated. Sent only to the host of the URL, not to other hosts in playlists or redirects.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// CA certificates in PEM, instead of those of SSL_CERT_FILE or the system.
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Time limit for one response.
    #[arg(long, value_parser = parse_span, default_value = "10s")]
    timeout: u64,
    /// Print the final report as JSON.
    #[arg(long)]
    json: bool,
}

/// Plays the stream and writes the final report to `output`.
///
/// # Errors
/// The first problem of the report.
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
        (Ok(()), None) if report.segments == 0 => Err(Failure::Negative("the stream has no segment to play".into())),
        (Ok(()), None) => Ok(()),
    }
}
