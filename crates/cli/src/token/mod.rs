//! `playlock token`: makes an access token, as a site does for a viewer. One file for each format.

mod cat;
mod edge_auth;
mod jws;
mod jwt;
mod key;
mod media_cdn;
mod options;
mod policy;
mod uri_signing;

use std::io::{Read, Write};
use std::rc::Rc;

use playlock_core::bytes::percent;
use playlock_core::exchange::Exchange;
use playlock_core::http::target::strip;
use playlock_core::step::RequestStep;
use playlock_core::token::format::Format;
use serde_json::json;

use self::options::Claims;
pub use self::options::Token;
use crate::address::Address;
use crate::config::{self, Loaded};
use crate::failure::Failure;
use crate::time::{self, Moment};
use crate::viewer::{Viewer, random};

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
        ja4: None,
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
