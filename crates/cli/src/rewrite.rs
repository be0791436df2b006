//! `playlock rewrite`: rewrites a playlist or MPD as the filter does for a viewer.

use std::io;
use std::io::{Read, Write};
use std::mem::take;
use std::net::IpAddr;
use std::path::PathBuf;
use std::rc::Rc;

use clap::Args;
use playlock_core::dash::{self, DashError};
use playlock_core::exchange::Exchange;
use playlock_core::http::headers;
use playlock_core::http::reply::{Header, Reason, Reply};
use playlock_core::http::route::{Extension, Format, extension};
use playlock_core::policy::{Match, Opening, Policies, Policy};
use playlock_core::session::jar;
use playlock_core::step::{BodyStep, HeadStep, Known, Request, RequestStep};

use crate::address::Address;
use crate::config;
use crate::failure::Failure;
use crate::time::Moment;
use crate::viewer::random;

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

/// Rewrite the playlist or MPD on standard input as the filter does for a viewer who requests URL.
///
/// As in the filter, a live media playlist that is requested with an access token becomes a multivariant playlist that
/// names it; with the session token from there, it is rewritten itself. Output is streamed: it is complete only if the
/// exit status is 0.
#[derive(Args)]
#[command(after_help = "Example:
  playlock rewrite --config policies.json --url https://edge.example/vod/720p.m3u8 \\
    --access-token \"$TOKEN\" < 720p.m3u8 > protected.m3u8")]
pub struct Rewrite {
    /// Configuration of the filter. Secrets given as {"env": NAME} are read from the environment.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// URL that the player requests; it may contain tokens.
    #[arg(long)]
    url: Address,
    /// Access token that opens a session; sent where the policy expects it.
    #[arg(long, value_name = "TOKEN", conflicts_with = "session_token")]
    access_token: Option<String>,
    /// Session token of an open session; sent where the policy expects it.
    #[arg(long, value_name = "TOKEN")]
    session_token: Option<String>,
    /// Address of the viewer, for tokens that are bound to one.
    #[arg(long, value_name = "ADDRESS")]
    client_ip: Option<IpAddr>,
    /// Time to use instead of now: seconds since 1970, 2026-12-24T18:00:00Z, +1h or -5m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    now: Option<Moment>,
}

/// Rewrites `input` to `output`.
///
/// # Errors
/// The filter refuses the request or the playlist; the configuration or a stream cannot be used.
pub fn run(arguments: &Rewrite, input: &mut dyn Read, output: &mut dyn Write) -> Result<(), Failure> {
    let loaded = config::load(&arguments.config)?;
    config::warn(&loaded.warnings);
    let policies = Rc::new(loaded.policies);
    let mut exchange = open(arguments, &arguments.url, true, &policies)?;
    let mut chunk = read(input)?;
    let is_mpd =
        dash::is_mpd(&chunk) == Some(true) || extension(&arguments.url.path) == Extension::Playlist(Format::Dash);
    let media_type = if is_mpd { "application/dash+xml" } else { "application/vnd.apple.mpegurl" };
    let head = [header(":status", "200"), header("content-type", media_type)];
    if let HeadStep::Reply(reply) = exchange.on_response_head(&head, false) {
        return Err(refusal(&reply, None));
    }
    loop {
        let length = chunk.len();
        let ready = match exchange.on_body(chunk.clone(), length == 0) {
            BodyStep::Replace(bytes) | BodyStep::Whole(bytes) => bytes.into_vec(),
            BodyStep::Forward => take(&mut chunk),
            BodyStep::Hold => Vec::new(),
            BodyStep::Reply(reply) => return Err(refusal(&reply, exchange.mpd_error())),
            BodyStep::Reset(reason) => return Err(refused(reason, exchange.mpd_error())),
        };
        output.write_all(&ready).map_err(config::output_failure)?;
        if length == 0 {
            if let Some(unservable) = exchange.unservable() {
                config::warn(&[format!(
                    "{} of the playlist's URIs will be refused with 400 (target), first {:?}; expected file names in UTF-8, without escaped /, \\, ?, #, % or control characters",
                    unservable.count(),
                    unservable.first()
                )]);
            }
            return output.flush().map_err(config::output_failure);
        }
        chunk = read(input)?;
    }
}

/// The next bytes of standard input, none at its end.
fn read(input: &mut dyn Read) -> Result<Vec<u8>, Failure> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match input.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::Wrong(format!("standard input: {error}"))),
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
        }
    }
}

/// The failure for a refusal. `cause`: what is wrong with an MPD.
fn refused(reason: Reason, cause: Option<DashError>) -> Failure {
    match cause {
        Some(cause) => Failure::Negative(format!("{}: {}: {cause}", reason.word(), reason.title())),
        None => Failure::Refused(reason),
    }
}

/// Passes the viewer's request for `asked` through the filter, and follows a redirect to the URL with the session's token.
/// `first`: the tokens in `arguments` are still to be sent.
fn open(arguments: &Rewrite, asked: &Address, first: bool, policies: &Rc<Policies>) -> Result<Exchange, Failure> {
    let Address { scheme, authority, path, .. } = asked;
    let mut headers = vec![header(":method", "GET"), header(":scheme", scheme), header(":authority", authority)];
    let now = Moment::or_now(arguments.now);
    let (mut parameter, mut url) = (None, asked.clone());
    if first && (arguments.access_token.is_some() || arguments.session_token.is_some()) {
        // Under no policy the token has no position; the filter then decides without it.
        if let Some(Match::Policy(_, policy)) = policies.policy_for_raw(authority, path, now) {
            match position(arguments, policy)? {
                TokenPosition::Query(text) => parameter = Some(text),
                TokenPosition::Cookie(text) => headers.push(header("cookie", &text)),
                TokenPosition::Path(marker, token) => url = url.with_path_token(&marker, &token),
            }
        }
    }
    headers.push(header(":path", &url.target(parameter.as_deref())));
    let client_address = arguments.client_ip.map(|address| address.to_string().into_bytes());
    let attributes = Known { client_address, ..Known::default() };
    let session = random()?;
    let request = Request { headers: &headers, attributes: &attributes, now, end_of_stream: true };
    match Exchange::open(policies, &request, &mut || session) {
        (exchange, RequestStep::Forward(_)) => Ok(exchange),
        (_, RequestStep::Reply(reply)) => match redirected(&reply, asked).filter(|_| first) {
            Some(url) => open(arguments, &url, false, policies),
            None => Err(refusal(&reply, None)),
        },
        (mut exchange, RequestStep::Ask(_) | RequestStep::Collect) => Err(refusal(&exchange.on_answer(None), None)),
    }
}

/// The URL that a redirect without a reason leads to.
fn redirected(reply: &Reply, asked: &Address) -> Option<Address> {
    let location = headers::text(&reply.headers, "location").filter(|_| reply.reason.is_none())?;
    asked.join(location).ok()
}

/// The position of a token in a request.
enum TokenPosition {
    /// A parameter, `name=value`.
    Query(String),
    /// A cookie, `name=value`.
    Cookie(String),
    /// The first segment of the path, behind this marker.
    Path(String, String),
}

fn position(arguments: &Rewrite, policy: &Policy) -> Result<TokenPosition, Failure> {
    if let Some(token) = &arguments.access_token {
        return match policy.opening() {
            Opening::AccessToken(access) => {
                let name = access.formats.first().map(|format| format.parameter.as_str()).unwrap_or_default();
                Ok(TokenPosition::Query(format!("{name}={}", in_query(token))))
            }
            Opening::Free => Err(Failure::Wrong(format!(
                "--access-token: the policy \"{}\" takes no access tokens; expected a URL under one with tokenAuth",
                policy.name
            ))),
        };
    }
    let (name, token) = (&policy.session.name, arguments.session_token.as_deref().unwrap_or_default());
    Ok(match &policy.session.path_marker {
        Some(marker) => TokenPosition::Path(marker.to_string(), token.into()),
        None if policy.session.transport.in_query() => TokenPosition::Query(format!("{name}={}", in_query(token))),
        None => TokenPosition::Cookie(format!("{}={token}", jar::cookie_name_for(name, token))),
    })
}

/// A token as the value of a query parameter. Its escapes stay, since it may come from a URL.
fn in_query(token: &str) -> String {
    let mut value = String::with_capacity(token.len());
    for byte in token.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'&' | b'#' | b'+') {
            value.push(char::from(byte));
        } else {
            value.push_str(&format!("%{byte:02x}"));
        }
    }
    value
}

/// The failure for a response that the filter makes itself.
fn refusal(reply: &Reply, cause: Option<DashError>) -> Failure {
    match reply.reason {
        Some(reason) => refused(reason, cause),
        None => Failure::Wrong(format!(
            "--url: the filter responds with {} itself; expected the URL of a playlist or MPD",
            reply.status
        )),
    }
}

fn header(name: &str, value: &str) -> Header {
    (name.to_owned(), value.as_bytes().to_vec())
}
