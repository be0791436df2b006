//! `playlock inspect`: explains and verifies a token, a URL, a playlist or an MPD.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use playlock_core::http::target::{normal_path, parameters};
use serde_json::{Value, json};

use crate::acl::decoded;
use crate::address::Address;
use crate::config;
use crate::failure::Failure;
use crate::fields::{self, looks_like_token};
use crate::findings::{Context, Finding, Site, looks_like_parameter, parameter, token};
use crate::mpd::Mpd;
use crate::playlist::{Key, Master, Media, Playlist};
use crate::terminal::{Colours, shown};
use crate::time::Moment;
use crate::viewer;

/// Maximum size of the input in bytes.
const MAX_INPUT: u64 = 64 << 20;

/// Explain a token, a URL, a playlist or an MPD, and verify it.
///
/// Without a configuration, signatures are not verified. Exit status 1 if anything is not valid.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock inspect \"$TOKEN\"
  playlock inspect 'https://edge.example/vod/master.m3u8?hdnts=…' --config policies.json
  curl -s \"$URL\" | playlock inspect --config policies.json --url \"$URL\"")]
pub struct Inspect {
    /// Token, URL, or file with a playlist or MPD; standard input if omitted or -.
    what: Option<String>,
    /// Configuration of the filter. Secrets given as {"env": NAME} are read from the environment.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// URL of the playlist or MPD, or of the request with the token.
    #[arg(long)]
    url: Option<Address>,
    /// Address of the viewer. Without it, addresses in tokens are not checked.
    #[arg(long, visible_alias = "client-ip", value_name = "ADDRESS")]
    ip: Option<String>,
    /// Request header that is sent with the token, for tokens that sign headers; may be repeated.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Time to use instead of now: seconds since 1970, 2026-12-24T18:00:00Z, +1h or -5m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    now: Option<Moment>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Writes the findings to `output`.
///
/// # Errors
/// Input that is not valid or cannot be read.
pub fn run(arguments: &Inspect, input: &mut dyn Read, output: &mut dyn Write, colours: Colours) -> Result<(), Failure> {
    let loaded = arguments.config.as_deref().map(config::load).transpose()?;
    let text = text(arguments.what.as_deref(), input)?;
    let text = text.trim();
    let headers = arguments.headers.iter().map(|line| viewer::header(line)).collect::<Result<Vec<_>, _>>()?;
    let context = Context {
        headers: &headers,
        policies: loaded.as_ref().map(|loaded| &loaded.policies),
        url: arguments.url.as_ref(),
        ip: arguments.ip.as_deref(),
        now: Moment::or_now(arguments.now),
    };
    let findings = if text.trim_start_matches('\u{feff}').starts_with("#EXTM3U") {
        playlist(text, &context)?
    } else if text.trim_start_matches('\u{feff}').starts_with('<') {
        mpd(text.trim_start_matches('\u{feff}'), &context)?
    } else if looks_like_url(text) {
        url(&text.parse().map_err(|error| Failure::Wrong(format!("URL: {error}")))?, &context)
    } else {
        vec![token(without_name(text), &context)]
    };
    let rendered = match arguments.json {
        true => {
            format!("{:#}\n", json!({"now": context.now, "findings": findings.iter().map(as_json).collect::<Vec<_>>()}))
        }
        false => findings.iter().map(|finding| as_text(finding, colours)).collect::<Vec<_>>().join("\n"),
    };
    output.write_all(rendered.as_bytes()).map_err(config::output_failure)?;
    let bad = findings.iter().any(|finding| matches!(finding.verdict, Some(Err(_))));
    if bad { Err(Failure::Reported(1)) } else { Ok(()) }
}

/// A token without the name of its parameter or cookie: `hdnts=exp=…`, `cat=2D3R…`.
fn without_name(text: &str) -> &str {
    match text.split_once('=') {
        // A token may be `exp=…` or look like `NAME=TOKEN` itself: what reads as a token as it stands is one.
        Some((name, rest)) if fields::read(text, 0).is_none() && is_name(name) && looks_like_token(rest) => rest,
        _ => text,
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The input: the argument itself, a file, or standard input.
fn text(what: Option<&str>, input: &mut dyn Read) -> Result<String, Failure> {
    let all = |reader: &mut dyn Read, name: &str| {
        let mut text = String::new();
        let read = reader.take(MAX_INPUT).read_to_string(&mut text);
        read.map_err(|error| Failure::Wrong(format!("{name}: {error}")))?;
        Ok(text)
    };
    match what {
        None | Some("-") => all(input, "standard input"),
        Some(what) if looks_like_url(what) || looks_like_token(what) => Ok(what.to_owned()),
        Some(what) if Path::new(what).is_file() => {
            let mut file = fs::File::open(what).map_err(|error| Failure::Wrong(format!("{what}: {error}")))?;
            all(&mut file, what)
        }
        Some(what) => Ok(what.to_owned()),
    }
}

fn looks_like_url(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// A URL, followed by the tokens and signed parameters in its query.
fn url(url: &Address, context: &Context<'_>) -> Vec<Finding> {
    let (url, in_path) = out_of_path(url);
    let context = Context { url: Some(&url), ..*context };
    let path = normal_path(&url.path).ok();
    let mut rows = vec![("host".to_owned(), url.authority.clone()), ("path".to_owned(), url.path.clone())];
    let mut inside = Vec::new();
    for sent in &in_path {
        rows.push(("in the path".to_owned(), "token, see below".into()));
        inside.push(token(sent, &context));
    }
    for (name, value) in parameters(url.query.as_deref()) {
        let value = value.unwrap_or_default();
        if looks_like_token(value) {
            rows.push((name.to_owned(), "token, see below".into()));
            inside.push(token(value, &context));
        } else if looks_like_parameter(value) {
            rows.push((name.to_owned(), "signed parameter, see below".into()));
            let site = path.as_deref().map(|path| Site { path, query: url.query.as_deref() });
            inside.push(parameter(value, site, &context));
        } else {
            rows.push((name.to_owned(), value.to_owned()));
        }
    }
    let verdict = path.is_none().then(|| {
        let reason = playlock_core::http::reply::Reason::Target;
        Err((Some(reason), reason.title().to_owned()))
    });
    [Finding { what: "URL".into(), rows, verdict }].into_iter().chain(inside).collect()
}

/// The URL without the tokens in its path, and these tokens: whole segments behind a `~` (the usual marker) or the name of
/// a parameter, and path parameters (RFC 9246 section 2.1).
fn out_of_path(url: &Address) -> (Address, Vec<String>) {
    let (mut tokens, mut kept) = (Vec::new(), Vec::new());
    for segment in url.path.split('/') {
        let mut left = Vec::new();
        for piece in segment.split(';') {
            let plain = decoded(piece.trim_start_matches('~'));
            let token = without_name(&plain);
            if looks_like_token(token) {
                tokens.push(token.to_owned());
            } else {
                left.push(piece);
            }
        }
        // A segment that was nothing but a token is none.
        if !left.is_empty() {
            kept.push(left.join(";"));
        }
    }
    (Address { path: kept.join("/"), ..url.clone() }, tokens)
}

fn playlist(text: &str, context: &Context<'_>) -> Result<Vec<Finding>, Failure> {
    let parsed = Playlist::parse(text, None).map_err(|error| Failure::Negative(format!("playlist: {error}")))?;
    let (finding, uris) = match &parsed {
        Playlist::Master(master) => describe_master(master),
        Playlist::Media(media) => describe_media(media),
    };
    let mut findings = vec![finding];
    findings.extend(findings_in_uris(&uris, context));
    Ok(findings)
}

fn mpd(text: &str, context: &Context<'_>) -> Result<Vec<Finding>, Failure> {
    let nowhere = Address { scheme: "https".into(), authority: "mpd.invalid".into(), path: "/".into(), query: None };
    let parsed = Mpd::parse(text, context.url.unwrap_or(&nowhere), context.now);
    let mpd = parsed.map_err(|error| Failure::Negative(format!("MPD: {error}")))?;
    let mut rows = vec![
        ("kind".to_owned(), if mpd.dynamic { "live (dynamic)" } else { "static" }.to_owned()),
        ("periods".to_owned(), mpd.periods.to_string()),
    ];
    for it in &mpd.representations {
        let kind = if it.kind.is_empty() { "unknown" } else { &it.kind };
        let text = format!("{kind}, {} kbit/s, {} segments", it.bandwidth / 1000, it.segments.len());
        rows.push((format!("representation {}", it.id), text));
    }
    if let Some(location) = &mpd.location {
        rows.push(("reloads from".to_owned(), location.path.clone()));
    }
    let urls: Vec<String> = mpd.urls.iter().map(ToString::to_string).collect();
    let mut findings = vec![Finding { what: "MPD".into(), rows, verdict: None }];
    findings.extend(findings_in_uris(&urls, context));
    Ok(findings)
}

fn describe_master(master: &Master) -> (Finding, Vec<String>) {
    let mut rows = Vec::new();
    for variant in &master.variants {
        let size = variant.resolution.as_deref().unwrap_or("no resolution");
        let uri = variant.uri.split('?').next().unwrap_or_default();
        rows.push(("variant".to_owned(), format!("{} kbit/s, {size}, {uri}", variant.bandwidth / 1000)));
    }
    for rendition in &master.renditions {
        let uri = rendition.uri.split('?').next().unwrap_or_default();
        rows.push(("rendition".to_owned(), format!("{} in group {}, {uri}", rendition.kind, rendition.group)));
    }
    let uris = master.variants.iter().map(|it| &it.uri).chain(master.renditions.iter().map(|it| &it.uri));
    let uris = uris.chain(&master.others).cloned().collect();
    (Finding { what: "master playlist".into(), rows, verdict: None }, uris)
}

fn describe_media(media: &Media) -> (Finding, Vec<String>) {
    let seconds: f64 = media.segments.iter().map(|segment| segment.duration).sum();
    let mut rows = vec![
        ("segments".to_owned(), format!("{} of {seconds:.1} s, from number {}", media.segments.len(), media.sequence)),
        ("kind".to_owned(), if media.ended { "ended (VOD)" } else { "live" }.to_owned()),
        ("target".to_owned(), format!("{} s", media.target_duration)),
    ];
    let mut keys: Vec<(Option<&Key>, u64, u64)> = Vec::new();
    for segment in &media.segments {
        match keys.last_mut() {
            Some((key, _, last)) if *key == segment.key.as_ref() => *last = segment.number,
            _ => keys.push((segment.key.as_ref(), segment.number, segment.number)),
        }
    }
    for (key, first, last) in keys {
        let what = match key {
            None => "in clear".to_owned(),
            Some(key) => {
                let uri = key.uri.split('?').next().unwrap_or_default();
                let iv = key.iv.map_or("IV from the sequence number".to_owned(), |iv| {
                    format!("IV {}", base16ct::lower::encode_string(&iv))
                });
                format!("{}, key at {uri}, {iv}", key.method)
            }
        };
        rows.push((format!("{first} to {last}"), what));
    }
    let mut uris: Vec<String> = media.segments.iter().map(|segment| segment.uri.clone()).collect();
    uris.extend(media.segments.iter().filter_map(|segment| Some(segment.map.as_ref()?.uri.clone())));
    uris.extend(media.segments.iter().filter_map(|segment| Some(segment.key.as_ref()?.uri.clone())));
    let mut seen = BTreeSet::new();
    uris.retain(|uri| seen.insert(uri.clone()));
    (Finding { what: "media playlist".into(), rows, verdict: None }, uris)
}

/// The tokens in the URIs of a playlist, each once; the signed parameters that are not valid; and one valid one of each
/// purpose.
fn findings_in_uris(uris: &[String], context: &Context<'_>) -> Vec<Finding> {
    let mut tokens: BTreeMap<&str, usize> = BTreeMap::new();
    let mut purposes: BTreeMap<&str, Finding> = BTreeMap::new();
    let mut broken: BTreeMap<&str, Finding> = BTreeMap::new();
    for uri in uris {
        let query = uri.split_once('#').map_or(uri.as_str(), |(main, _)| main).split_once('?').map(|(_, query)| query);
        let path = context.url.and_then(|url| url.join(uri).ok());
        let path = path.as_ref().and_then(|url| normal_path(&url.path).ok());
        for (_, value) in parameters(query) {
            let value = value.unwrap_or_default();
            if looks_like_token(value) {
                *tokens.entry(value).or_default() += 1;
            } else if looks_like_parameter(value) {
                let purpose = value.split('~').next().unwrap_or_default();
                if broken.contains_key(value) || (purposes.contains_key(purpose) && path.is_none()) {
                    continue;
                }
                let site = path.as_deref().map(|path| Site { path, query });
                let finding = parameter(value, site, context);
                if matches!(finding.verdict, Some(Err(_))) {
                    broken.insert(value, finding);
                } else {
                    purposes.entry(purpose).or_insert(finding);
                }
            }
        }
    }
    // The paths of a token apply to the URIs that contain it, not to the playlist.
    let anywhere = Context { url: None, ..*context };
    let tokens = tokens.into_iter().map(|(sent, count)| {
        let mut finding = token(sent, &anywhere);
        finding.what = format!("{} in {count} of {} URIs", finding.what, uris.len());
        finding
    });
    tokens.chain(purposes.into_values()).chain(broken.into_values()).collect()
}

fn as_text(finding: &Finding, colours: Colours) -> String {
    let mut text = format!("{}\n", colours.bold(&finding.what));
    let width = finding.rows.iter().map(|(name, _)| name.chars().count().min(28)).max().unwrap_or_default();
    for (name, value) in &finding.rows {
        text.push_str(&format!("  {:<width$}  {}\n", shown(name), shown(value)));
    }
    match &finding.verdict {
        None => {}
        Some(Ok(said)) => text.push_str(&format!("  {}\n", colours.good(&shown(said)))),
        Some(Err((reason, said))) => {
            let word = reason.map(|reason| format!("{}: ", reason.word())).unwrap_or_default();
            text.push_str(&format!("  {}\n", colours.bad(&format!("{word}{}", shown(said)))));
        }
    }
    text
}

fn as_json(finding: &Finding) -> Value {
    let (valid, reason, text) = match &finding.verdict {
        None => (None, None, None),
        Some(Ok(said)) => (Some(true), None, Some(said)),
        Some(Err((reason, said))) => (Some(false), reason.map(|reason| reason.word()), Some(said)),
    };
    let rows: Vec<Value> = finding.rows.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({"what": finding.what, "fields": rows, "valid": valid, "reason": reason, "text": text})
}
