//! `playlock token`: makes an access token, as a site does for a viewer. One file for each format.

mod cat;
mod edge_auth;
mod jws;
mod jwt;
mod key;
mod media_cdn;
mod policy;
mod uri_signing;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::rc::Rc;

use clap::Args;
use playlock_core::bytes::percent;
use playlock_core::exchange::Exchange;
use playlock_core::http::target::strip;
use playlock_core::step::RequestStep;
use playlock_core::token::format::Format;
use serde_json::json;

use crate::address::Address;
use crate::config::{self, Loaded};
use crate::failure::Failure;
use crate::time::{self, Moment, parse_span};
use crate::token::key::{Algorithm, SigningKey};
use crate::viewer::{Viewer, random};

/// Make an access token, as a site does for a viewer.
///
/// With --url, print that URL with the token in it. Unless --acl is given, the token is for this URL, and its session
/// covers everything below the URL's directory.
///
/// The key is the first of the policy that can sign, or that of --key-file: a JSON Web Key, or hex digits for an HMAC (or,
/// with --algorithm eddsa, for Ed25519).
#[derive(Args)]
#[command(after_help = "Examples:
  playlock token --config policies.json --url https://edge.example/vod/master.m3u8
  playlock token --config policies.json --policy vod --acl '/vod/*' --duration 1h --ip 203.0.113.7
  playlock token --config policies.json --format jwt --acl '/vod/*' --id viewer-7
  playlock token --key-file password.hex --acl '/vod/*!/live/*' --expires 2030-01-01
  playlock token --key-file private.jwk --format cat --acl '/vod/*' --issuer https://site.example
  printenv PLAYLOCK_PASSWORD | playlock token --key-file - --acl '/vod/*'")]
pub struct Token {
    /// Configuration with the key. Secrets given as {"env": NAME} are read from the environment.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["key", "key_file"])]
    config: Option<PathBuf>,
    /// Policy, if the URL does not determine it and the configuration has several.
    #[arg(long, value_name = "NAME", requires = "config")]
    policy: Option<String>,
    /// Format of the token; without it, the first one of the policy, or edgeauth.
    #[arg(long, value_parser = parse_format, value_name = "edgeauth|cat|urisigning|jwt|mediacdn")]
    format: Option<Format>,
    /// Key in hex, instead of a configuration. Other users of this machine can see it; prefer --key-file.
    #[arg(long, value_name = "HEX", conflicts_with = "key_file")]
    key: Option<String>,
    /// File with the key: a JSON Web Key with its private part, or hex; - is standard input. With --config, instead of the
    /// policy's key.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Algorithm of the signature, if the key does not determine it. SHA-1 and MD5 are for edgeauth and mediacdn only.
    #[arg(long, value_enum)]
    algorithm: Option<Algorithm>,
    /// Key ID (`kid`) in the token, instead of the key's (cat, urisigning, jwt).
    #[arg(long, value_name = "ID")]
    kid: Option<String>,
    /// Salt, instead of the configuration's (edgeauth).
    #[arg(long)]
    salt: Option<String>,
    /// Name of the query parameter, instead of the configuration's or the format's own.
    #[arg(long)]
    name: Option<String>,
    /// URL of the playlist that the viewer opens.
    #[arg(long, required_unless_present = "acl")]
    url: Option<Address>,
    /// Paths that the token covers; may be repeated, or joined with !. With mediacdn, also the beginning of a URL.
    #[arg(long, value_name = "PATTERN")]
    acl: Vec<String>,
    /// Start of validity.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    start: Option<Moment>,
    /// End of validity.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with = "duration")]
    expires: Option<Moment>,
    /// Duration of validity, from the start or from now: 90s, 5m, 12h, 1d.
    #[arg(long, value_parser = parse_span, default_value = "5m")]
    duration: u64,
    /// Address of the viewer, to bind the token to it; with cat and mediacdn, also a network such as 203.0.113.0/24.
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,
    /// Request header that the viewer will send, to bind the token to it; may be repeated (mediacdn).
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Payload; the filter copies it to the session token.
    #[arg(long, visible_alias = "data")]
    payload: Option<String>,
    /// Id of the token, for revocation. The sessions that it opens have ids of their own.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Issuer (`iss`), instead of the key's or the policy's (cat, urisigning, jwt).
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    /// Audience (`aud`), instead of the policy's (cat, urisigning, jwt).
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// Lifetime of the tokens that renew this one: 90s, 5m (cat, urisigning).
    #[arg(long, value_parser = parse_span, value_name = "DURATION")]
    renew: Option<u64>,
    /// Time to use instead of now: seconds since 1970, 2026-12-24T18:00:00Z, +1h or -5m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    now: Option<Moment>,
    /// Print the token, the URL and the times as JSON.
    #[arg(long)]
    json: bool,
}

/// The claims of a token, whatever its format.
struct Claims<'a> {
    /// The options, for claims that not every format has.
    options: &'a Token,
    /// Start of validity, in seconds since 1970-01-01T00:00:00Z.
    start: Option<u64>,
    /// End of validity, in the same unit.
    expires: u64,
    /// The patterns of `--acl`, joined with `!`.
    acl: Option<String>,
    /// The URL that the viewer opens, without a token.
    url: Option<&'a Address>,
}

/// A key and the settings of the policy that it belongs to.
struct Signer {
    format: Format,
    key: SigningKey,
    /// The format's member of the policy's `tokenAuth`.
    settings: serde_json::Value,
    salt: Option<String>,
    /// Name of the query parameter.
    name: String,
    policy: Option<String>,
}

impl Signer {
    /// The issuer: that of the options, of the key, or the first that the policy accepts.
    fn issuer<'a>(&'a self, options: &'a Token) -> Option<&'a str> {
        options.issuer.as_deref().or(self.key.issuer.as_deref()).or_else(|| self.first("issuers"))
    }

    /// The audience: that of the options, or the first that the policy accepts.
    fn audience<'a>(&'a self, options: &'a Token) -> Option<&'a str> {
        options.audience.as_deref().or_else(|| self.first("audience")).or_else(|| self.first("audiences"))
    }

    /// The first text of a member of the format's settings.
    fn first(&self, member: &str) -> Option<&str> {
        self.settings.get(member)?.get(0)?.as_str()
    }
}

/// Prints the token, or the URL with it.
///
/// # Errors
/// An argument or a configuration that cannot be used.
pub fn run(arguments: &Token, input: &mut dyn Read, output: &mut dyn Write) -> Result<(), Failure> {
    let now = Moment::or_now(arguments.now);
    let loaded = arguments.config.as_deref().map(config::load).transpose()?;
    let signer = policy::signer(arguments, loaded.as_ref(), now, input)?;
    let start = arguments.start.map(|moment| moment.seconds(now));
    let expires = match arguments.expires {
        Some(moment) => moment.seconds(now),
        None => start.unwrap_or(now).saturating_add(arguments.duration),
    };
    check_options(arguments, signer.format)?;
    let opened = arguments.url.as_ref().map(|url| without_token(url, &signer.name));
    let acl = (!arguments.acl.is_empty()).then(|| arguments.acl.join("!"));
    let claims = Claims { options: arguments, start, expires, acl, url: opened.as_ref() };
    let token = match signer.format {
        Format::EdgeAuth => edge_auth::sign(&claims, &signer)?,
        Format::Cat => cat::sign(&claims, &signer)?,
        Format::UriSigning => uri_signing::sign(&claims, &signer)?,
        Format::Jwt => jwt::sign(&claims, &signer)?,
        Format::MediaCdn => media_cdn::sign(&claims, &signer)?,
    };
    let patterns = arguments.acl.iter().flat_map(|acl| acl.split('!'));
    config::warn(&patterns.filter_map(|pattern| acl_mistake(pattern, signer.format)).collect::<Vec<_>>());
    let url = opened.map(|url| {
        let target = url.target(Some(&format!("{}={}", signer.name, in_query(&token))));
        format!("{}://{}{target}", url.scheme, url.authority)
    });
    if let (Some(loaded), Some(url)) = (loaded, &url) {
        warn_of_refusal(arguments, loaded, url, now)?;
    }
    if arguments.json {
        let json = json!({"token": token, "url": url, "name": signer.name, "policy": signer.policy,
            "format": signer.format.word(), "start": start, "expires": expires, "expiresLocal": time::local(expires)});
        return config::write_json(output, &json);
    }
    writeln!(output, "{}", url.unwrap_or(token)).map_err(config::output_failure)
}

fn parse_format(text: &str) -> Result<Format, String> {
    let known = Format::ALL.into_iter().find(|format| format.word() == text);
    known.ok_or_else(|| {
        let words: Vec<&str> = Format::ALL.iter().map(|format| format.word()).collect();
        format!("expected one of: {}", words.join(", "))
    })
}

/// Refuses options that the format has no claim for: a token without it would be less than was asked for.
fn check_options(arguments: &Token, format: Format) -> Result<(), Failure> {
    use Format::{Cat, EdgeAuth, Jwt, MediaCdn, UriSigning};
    let formats: [(&str, bool, &[Format]); 8] = [
        ("--salt", arguments.salt.is_some(), &[EdgeAuth]),
        ("--kid", arguments.kid.is_some(), &[Cat, UriSigning, Jwt]),
        ("--ip", arguments.ip.is_some(), &[EdgeAuth, Cat, MediaCdn]),
        ("--header", !arguments.headers.is_empty(), &[MediaCdn]),
        ("--payload", arguments.payload.is_some(), &[EdgeAuth, Cat, Jwt, MediaCdn]),
        ("--issuer", arguments.issuer.is_some(), &[Cat, UriSigning, Jwt]),
        ("--audience", arguments.audience.is_some(), &[Cat, UriSigning, Jwt]),
        ("--renew", arguments.renew.is_some(), &[Cat, UriSigning]),
    ];
    match formats.iter().find(|(_, given, having)| *given && !having.contains(&format)) {
        None => Ok(()),
        Some((option, _, having)) => {
            let having: Vec<&str> = having.iter().map(|format| format.word()).collect();
            let having = having.join(", ");
            let word = format.word();
            Err(Failure::Wrong(format!("{option}: {word} tokens have no such claim; expected a format of: {having}")))
        }
    }
}

/// The URL without the token that it may contain.
fn without_token(url: &Address, name: &str) -> Address {
    Address { query: url.query.as_deref().and_then(|query| strip(query, &[name])), ..url.clone() }
}

/// The warning about a pattern of an ACL that is valid, but likely a mistake.
fn acl_mistake(pattern: &str, format: Format) -> Option<String> {
    if format == Format::MediaCdn && pattern.contains("://") {
        return None;
    }
    let why = if !pattern.starts_with(['/', '*', '?']) {
        "does not begin with /, so it matches no path; expected a path without a host"
    } else if pattern.contains(",/") {
        "is one pattern with a comma; expected ! between patterns"
    } else if pattern.ends_with('/') {
        "matches the directory, but nothing in it; expected a * at the end"
    } else {
        return None;
    };
    Some(format!("--acl: \"{pattern}\" {why}"))
}

/// Warns if the filter would refuse the URL now. No error, since the token may be meant for another time or place.
fn warn_of_refusal(arguments: &Token, loaded: Loaded, url: &str, now: u64) -> Result<(), Failure> {
    let url: Address = url.parse().map_err(Failure::Wrong)?;
    let viewer = Viewer {
        // Of a network, any address.
        ip: arguments.ip.as_ref().map(|ip| ip.split('/').next().unwrap_or(ip).to_owned()),
        headers: arguments.headers.clone(),
        cookies: Vec::new(),
        method: "GET".into(),
        host: None,
        route_policy: arguments.policy.clone(),
        protocol: "HTTP/1.1".to_owned(),
        now: Some(Moment::At(now)),
    };
    let session = random()?;
    let (_, step) =
        viewer.asks(&url)?.with(|request| Exchange::open(&Rc::new(loaded.policies), request, &mut || session));
    if let RequestStep::Reply(reply) = step
        && let Some(reason) = reply.reason
    {
        config::warn(&[format!("the filter would refuse this now: {}: {}", reason.word(), reason.title())]);
    }
    Ok(())
}

/// A token as the value of a query parameter; escapes in it are escaped once more.
fn in_query(token: &str) -> String {
    let mut value = String::with_capacity(token.len());
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!*/:@=,".contains(&byte);
    percent::encode_into(&mut value, token.as_bytes(), keep);
    value
}
