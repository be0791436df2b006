//! `playlock inspect`: explains and verifies a token, a URL or a playlist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use playlock_core::http::target::{normal_path, parameters};
use serde_json::{Value, json};

use crate::address::Address;
use crate::config;
use crate::failure::Failure;
use crate::fields::looks_like_token;
use crate::findings::{Context, Finding, Site, looks_like_parameter, parameter, token};
use crate::playlist::{Key, Master, Media, Playlist};
use crate::session_token;
use crate::terminal::{Colours, shown};
use crate::time::Moment;

/// Maximum size of the input in bytes.
const MAX_INPUT: u64 = 64 << 20;

/// Explain a token, a URL or a playlist, and verify it.
///
/// Without a configuration, signatures are not verified. Exit status 1 if anything is not valid.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock inspect \"$TOKEN\"
  playlock inspect 'https://edge.example/vod/master.m3u8?hdnts=…' --config policies.json
  curl -s \"$URL\" | playlock inspect --config policies.json --url \"$URL\"")]
pub struct Inspect {
    /// Token, URL, or file with a playlist; standard input if omitted or -.
    what: Option<String>,
    /// Configuration of the filter. Secrets given as {"env": NAME} are read from the environment.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// URL of the playlist, or of the request with the token.
    #[arg(long)]
    url: Option<Address>,
    /// Address of the viewer. Without it, addresses in tokens are not checked.
    #[arg(long, visible_alias = "client-ip", value_name = "ADDRESS")]
    ip: Option<String>,
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
    let context = Context {
        policies: loaded.as_ref().map(|loaded| &loaded.policies),
        url: arguments.url.as_ref(),
        ip: arguments.ip.as_deref(),
        now: Moment::or_now(arguments.now),
    };
    let findings = if text.trim_start_matches('\u{feff}').starts_with("#EXTM3U") {
        playlist(text, &context)?
    } else if looks_like_url(text) {
        url(&text.parse().map_err(|error| Failure::Wrong(format!("URL: {error}")))?, &context)
    } else {
        let named = text.split_once('=').filter(|(_, rest)| rest.contains("exp=") || session_token::is_one(rest));
        let sent = named.map_or(text, |(name, rest)| {
            // `hdnts=exp=…` or `hdntl=…`, as it stands in a query or a cookie.
            if matches!(name, "ip" | "st" | "exp") { text } else { rest }
        });
        vec![token(sent, &context)]
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
    let context = Context { url: Some(url), ..*context };
    let path = normal_path(&url.path).ok();
    let mut rows = vec![("host".to_owned(), url.authority.clone()), ("path".to_owned(), url.path.clone())];
    let mut inside = Vec::new();
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
