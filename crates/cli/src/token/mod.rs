//! `playlock token`: makes an access token, as a site does for a viewer.

use std::env;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::path::PathBuf;
use std::rc::Rc;

use clap::{Args, ValueEnum};
use hmac::{Hmac, KeyInit, Mac};
use playlock_core::bytes::percent;
use playlock_core::config::document::{Document, SecretSource, TokenAuth};
use playlock_core::exchange::Exchange;
use playlock_core::http::target::strip;
use playlock_core::policy::{Match, Opening, Policies, Policy, PolicyIndex};
use playlock_core::step::RequestStep;
use playlock_core::token::edge_auth::Claims;
use serde_json::json;

use crate::address::Address;
use crate::config::{self, Loaded};
use crate::failure::Failure;
use crate::given;
use crate::time::{self, Moment, parse_span};
use crate::viewer::{Viewer, random};

/// Make an access token (EdgeAuth v2), as a site does for a viewer.
///
/// With --url, print that URL with the token in it. Unless --acl is given, the token covers this URL and everything below
/// its directory.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock token --config policies.json --url https://edge.example/vod/master.m3u8
  playlock token --config policies.json --policy vod --acl '/vod/*' --duration 1h --ip 203.0.113.7
  playlock token --key-file password.hex --acl '/vod/*!/live/*' --expires 2030-01-01
  printenv PLAYLOCK_PASSWORD | playlock token --key-file - --acl '/vod/*'")]
pub struct Token {
    /// Configuration with the password. Secrets given as {"env": NAME} are read from the environment.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["key", "key_file"])]
    config: Option<PathBuf>,
    /// Policy, if the URL does not determine it and the configuration has several.
    #[arg(long, value_name = "NAME", requires = "config")]
    policy: Option<String>,
    /// Password in hex, instead of a configuration. Other users of this machine can see it; prefer --key-file.
    #[arg(long, value_name = "HEX", conflicts_with_all = ["config", "policy"])]
    key: Option<String>,
    /// File with the password in hex; - is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "policy", "key"])]
    key_file: Option<PathBuf>,
    /// Hash function of the HMAC.
    #[arg(long, value_enum, default_value = "sha256")]
    algorithm: Hash,
    /// Salt, instead of the configuration's.
    #[arg(long)]
    salt: Option<String>,
    /// Name of the query parameter, instead of the configuration's (hdnts).
    #[arg(long)]
    name: Option<String>,
    /// URL of the playlist that the viewer opens.
    #[arg(long, required_unless_present = "acl")]
    url: Option<Address>,
    /// Paths that the token covers; may be repeated, or joined with !.
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
    /// Address of the viewer, to bind the token to it.
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,
    /// Payload (`data`); the filter copies it to the session token.
    #[arg(long, visible_alias = "data")]
    payload: Option<String>,
    /// Id of the token (`id`), for revocation. The sessions that it opens have ids of their own.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Time to use instead of now: seconds since 1970, 2026-12-24T18:00:00Z, +1h or -5m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    now: Option<Moment>,
    /// Print the token, the URL and the times as JSON.
    #[arg(long)]
    json: bool,
}

/// The hash function of the HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Hash {
    Sha256,
    Sha1,
    Md5,
}

/// The password and the settings of the policy that it belongs to.
struct Signer {
    key: Vec<u8>,
    salt: Option<String>,
    name: String,
    policy: Option<String>,
}

/// Prints the token, or the URL with it.
///
/// # Errors
/// An argument or a configuration that cannot be used.
pub fn run(arguments: &Token, input: &mut dyn Read, output: &mut dyn Write) -> Result<(), Failure> {
    let now = Moment::or_now(arguments.now);
    let loaded = arguments.config.as_deref().map(config::load).transpose()?;
    let signer = match &loaded {
        None => from_key(arguments, input)?,
        Some(loaded) => from_config(arguments, loaded, now)?,
    };
    let start = arguments.start.map(|moment| moment.seconds(now));
    let expires = match arguments.expires {
        Some(moment) => moment.seconds(now),
        None => start.unwrap_or(now).saturating_add(arguments.duration),
    };
    let opened = arguments.url.as_ref().map(|url| without_token(url, &signer.name));
    let token = sign(arguments, &signer, opened.as_ref(), start, expires)?;
    config::warn(&arguments.acl.iter().flat_map(|acl| acl.split('!')).filter_map(acl_mistake).collect::<Vec<_>>());
    let url = opened.map(|url| {
        let target = url.target(Some(&format!("{}={}", signer.name, in_query(&token))));
        format!("{}://{}{target}", url.scheme, url.authority)
    });
    if let (Some(loaded), Some(url)) = (loaded, &url) {
        warn_of_refusal(arguments, loaded, url, now)?;
    }
    if arguments.json {
        let json = json!({"token": token, "url": url, "name": signer.name, "policy": signer.policy,
            "start": start, "expires": expires, "expiresLocal": time::local(expires)});
        return config::write_json(output, &json);
    }
    writeln!(output, "{}", url.unwrap_or(token)).map_err(config::output_failure)
}

fn from_key(arguments: &Token, input: &mut dyn Read) -> Result<Signer, Failure> {
    Ok(Signer {
        key: given::key(arguments.key.as_deref(), arguments.key_file.as_deref(), None, input)?,
        salt: arguments.salt.clone(),
        name: arguments.name.clone().unwrap_or_else(|| "hdnts".to_owned()),
        policy: None,
    })
}

/// The password, salt and parameter name of the chosen policy.
fn from_config(arguments: &Token, loaded: &Loaded, now: u64) -> Result<Signer, Failure> {
    let (index, policy) = chosen_policy(arguments, &loaded.policies, now)?;
    let Opening::AccessToken(access) = policy.opening() else {
        return Err(Failure::Wrong(format!(
            "the policy \"{}\" takes no access tokens; expected one with tokenAuth",
            policy.name
        )));
    };
    let document: Document =
        serde_json::from_str(&loaded.text).map_err(|error| Failure::Wrong(format!("--config: {error}")))?;
    let auth: Option<&TokenAuth> = document.policies.get(index.get()).and_then(|policy| policy.token_auth.as_ref());
    let password = auth.and_then(|auth| auth.password.as_ref());
    let text = match password {
        Some(SecretSource::Inline(text)) => Some(text.clone()),
        Some(SecretSource::Env(name)) => env::var(name).ok(),
        None => None,
    };
    let key = text.and_then(|text| base16ct::mixed::decode_vec(text).ok());
    Ok(Signer {
        key: key.ok_or_else(|| {
            Failure::Wrong(format!(
                "the policy \"{}\" has no password that is known here; expected tokenAuth.password",
                policy.name
            ))
        })?,
        salt: arguments.salt.clone().or_else(|| auth.and_then(|auth| auth.salt.clone())),
        name: arguments
            .name
            .clone()
            .unwrap_or_else(|| access.formats.first().map(|format| format.parameter.to_string()).unwrap_or_default()),
        policy: Some(policy.name.clone()),
    })
}

fn chosen_policy<'a>(
    arguments: &Token,
    policies: &'a Policies,
    now: u64,
) -> Result<(PolicyIndex, &'a Policy), Failure> {
    if let Some(name) = &arguments.policy {
        let found = policies.iter().find(|(_, policy)| policy.name == *name);
        return found.ok_or_else(|| {
            Failure::Wrong(format!(
                "--policy: no policy is named \"{name}\"; expected a policyName of the configuration"
            ))
        });
    }
    if let Some(url) = &arguments.url {
        return match policies.policy_for_raw(&url.authority, &url.path, now) {
            Some(Match::Policy(index, policy)) => Ok((index, policy)),
            _ => Err(Failure::Wrong(
                "--url: no policy is assigned to this URL at this time; expected another URL or time, or --policy"
                    .into(),
            )),
        };
    }
    let takers: Vec<_> =
        policies.iter().filter(|(_, policy)| matches!(policy.opening(), Opening::AccessToken(_))).collect();
    match takers.as_slice() {
        [one] => Ok(*one),
        _ => {
            let names: Vec<&str> = takers.iter().map(|(_, policy)| policy.name.as_str()).collect();
            Err(Failure::Wrong(format!(
                "--policy: not given, and not exactly one policy takes access tokens; expected one of: {}",
                names.join(", ")
            )))
        }
    }
}

/// The URL without the token that it may contain.
fn without_token(url: &Address, name: &str) -> Address {
    Address { query: url.query.as_deref().and_then(|query| strip(query, &[name])), ..url.clone() }
}

fn sign(
    arguments: &Token,
    signer: &Signer,
    url: Option<&Address>,
    start: Option<u64>,
    expires: u64,
) -> Result<String, Failure> {
    let acl = (!arguments.acl.is_empty()).then(|| arguments.acl.join("!"));
    let fields = [
        ("ip", arguments.ip.map(|ip| ip.to_string())),
        ("st", start.map(|start| start.to_string())),
        ("exp", Some(expires.to_string())),
        ("acl", acl.clone()),
        ("id", arguments.id.clone()),
        ("data", arguments.payload.clone()),
    ];
    let fields: Vec<String> =
        fields.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?))).collect();
    let fields = fields.join("~");
    let mut signed = fields.clone();
    if let (None, Some(url)) = (&acl, url) {
        signed.push_str("~url=");
        signed.push_str(&url.target(None));
    }
    if let Some(salt) = &signer.salt {
        signed.push_str("~salt=");
        signed.push_str(salt);
    }
    let token = format!("{fields}~hmac={}", mac(arguments.algorithm, &signer.key, signed.as_bytes())?);
    // EdgeAuth generators do not escape: a value may look like another field to the filter.
    let read = Claims::parse(&token).ok().is_some_and(|claims| {
        claims.acl == acl.as_deref()
            && claims.id == arguments.id.as_deref()
            && claims.data == arguments.payload.as_deref()
    });
    let plain = token.chars().all(|char| !char.is_control());
    if !read || !plain {
        return Err(Failure::Wrong(
            "--acl, --id or --payload: empty, or not possible in a token; expected text without ~name= and control characters, and valid escapes in an ACL".into(),
        ));
    }
    Ok(token)
}

/// The warning about a pattern of an ACL that is valid, but likely a mistake.
fn acl_mistake(pattern: &str) -> Option<String> {
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

fn mac(hash: Hash, key: &[u8], text: &[u8]) -> Result<String, Failure> {
    fn hex<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Result<String, Failure> {
        let mac = <M as KeyInit>::new_from_slice(key).map_err(|error| Failure::Wrong(format!("--key: {error}")))?;
        Ok(base16ct::lower::encode_string(&mac.chain_update(text).finalize().into_bytes()))
    }
    match hash {
        Hash::Sha256 => hex::<Hmac<sha2::Sha256>>(key, text),
        Hash::Sha1 => hex::<Hmac<sha1::Sha1>>(key, text),
        Hash::Md5 => hex::<Hmac<md5::Md5>>(key, text),
    }
}

/// Warns if the filter would refuse the URL now. No error, since the token may be meant for another time or place.
fn warn_of_refusal(arguments: &Token, loaded: Loaded, url: &str, now: u64) -> Result<(), Failure> {
    let url: Address = url.parse().map_err(Failure::Wrong)?;
    let viewer = Viewer {
        ip: arguments.ip.map(|ip| ip.to_string()),
        headers: Vec::new(),
        cookies: Vec::new(),
        method: "GET".into(),
        host: None,
        route_policy: arguments.policy.clone(),
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
