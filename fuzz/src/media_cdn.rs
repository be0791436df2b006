//! Property of Media CDN's tokens: one opens a session if and only if an independent reader of the format agrees. No
//! modification of a token, and no value of the request that its signature covers, makes another valid one.

use std::cell::RefCell;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use playlock_core::http::reply::Reason;
use playlock_core::policy::Policies;
use serde_json::json;

use crate::edge::{self, Asked, header};
use crate::site::NOW;
use crate::source::Source;
use crate::text;
use crate::token::{Place, changed, is, path, placed};

const KEY: [u8; 16] = *b"a good password!";
const CLIENT: [u8; 4] = [203, 0, 113, 7];
const HOST: &str = "tv.example";

fn policies() -> Rc<Policies> {
    thread_local! {
        static MADE: RefCell<Option<Rc<Policies>>> = const { RefCell::new(None) };
    }
    MADE.with_borrow_mut(|made| made.get_or_insert_with(build).clone())
}

fn build() -> Rc<Policies> {
    let document = json!({
        "policies": [{
            "policyName": "p",
            "tokenAuth": {
                "enabled": true,
                "formats": ["mediacdn"],
                "mediacdn": {
                    "keys": [{"kty": "oct", "k": URL_SAFE_NO_PAD.encode(KEY)}],
                    "algorithms": ["hmac-sha256"],
                    "parameter": "t",
                    "cookie": "t",
                    "header": "t",
                },
            },
            "mediaEncryption": {"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f"},
        }],
        "assignments": [{"policyName": "p", "path": "/..."}],
    });
    let (policies, _) = playlock_config::parse(document.to_string().as_bytes(), &|_| None).expect("a configuration");
    Rc::new(policies)
}

/// Input: place and spelling; then changes to the token, four bytes each, behind their number; then, a line each, the path
/// of the request, the path that is signed, the value of the header `x` that is sent, that which is signed; then the text
/// of the token without its signature.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let place = source.pick(&[Place::Query, Place::Cookie, Place::Header]);
    let spelling = source.below(3);
    let changes: Vec<[u8; 4]> =
        (0..source.below(8)).map(|_| [source.byte(), source.byte(), source.byte(), source.byte()]).collect();
    let path = path(source.until(b'\n'));
    let signed_path = String::from_utf8_lossy(source.until(b'\n')).into_owned();
    let value = String::from_utf8_lossy(source.until(b'\n')).into_owned();
    let signed_value = String::from_utf8_lossy(source.until(b'\n')).into_owned();
    let fields = String::from_utf8_lossy(source.rest()).into_owned();

    let covered: Vec<String> = fields
        .split('~')
        .map(|field| match field {
            "FullPath" => format!("FullPath={signed_path}"),
            "Headers=x" => format!("Headers=x={signed_value}"),
            other => other.to_owned(),
        })
        .collect();
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(&KEY).expect("any length");
    mac.update(covered.join("~").as_bytes());
    let tag: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let token = format!("{fields}~hmac={tag}");

    let sent = changed(&token, &changes);
    let Some(placed) = placed("t", &sent, place, spelling) else { return };
    let mut headers = placed.headers;
    let plain = |value: &str| value.bytes().all(|byte| byte >= b' ' && byte != 0x7f);
    if !plain(&value) {
        return;
    }
    headers.push(header("x", value.clone()));
    let policies = policies();
    let target = format!("{path}{}", placed.query);
    let asked = edge::get(&policies, target.as_bytes(), &headers);
    let request = Request { path: &path, signed_path: &signed_path, value: &value, signed_value: &signed_value };
    let good = is(&placed.wire, &token) && verdict(&fields, &request).is_some();
    match asked {
        Asked::Forwarded(..) => assert!(good, "let {sent:?} in to {path} with {value:?}"),
        // Whether a session token is short enough is not for this to say.
        Asked::Answered(exchange, _) => {
            assert!(!good || exchange.reason() == Some(Reason::Oversize), "refused {sent:?} for {path} with {value:?}");
        }
    }
    let target = format!("/vod/1.ts{}", placed.query);
    let asked = edge::get(&policies, target.as_bytes(), &headers);
    assert!(matches!(asked, Asked::Answered(..)), "content for an access token");
}

struct Request<'a> {
    path: &'a str,
    signed_path: &'a str,
    value: &'a str,
    signed_value: &'a str,
}

/// Whether the fields cover the request, read anew; `None` if they do not.
fn verdict(fields: &str, request: &Request<'_>) -> Option<()> {
    let mut seen: Vec<&str> = Vec::new();
    for field in fields.split('~') {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        let known = match name {
            "URLPrefix" | "FullPath" | "PathGlobs" | "paths" | "acl" => "scope",
            "Starts" | "st" => "start",
            "Expires" | "exp" => "end",
            "SessionID" | "id" => "id",
            "Data" | "data" | "payload" => "data",
            "Headers" => "headers",
            "IPRanges" => "ranges",
            _ => return None,
        };
        if seen.contains(&known)
            || (name == "FullPath") == field.contains('=')
            || (name != "FullPath" && value.is_empty())
        {
            return None;
        }
        seen.push(known);
        let good = match (known, name) {
            ("scope", "URLPrefix") => begins(&decoded(value)?, request.path)?,
            ("scope", "FullPath") => request.path == request.signed_path,
            ("scope", "acl") if value.contains(',') => return None,
            ("scope", _) => {
                let acl = value.replace(',', "!");
                text::is_acl(&acl) && text::matches(&acl, request.path.as_bytes())
            }
            ("start", _) => seconds(value)? <= NOW + 10,
            ("end", _) => seconds(value)? + 10 >= NOW,
            // One that is not `x` is not sent.
            ("headers", _) => value == "x" && request.value == request.signed_value && !is_ambiguous(request.value),
            ("ranges", _) => decoded(value)?.split(',').any(contains),
            _ => true,
        };
        if !good {
            return None;
        }
    }
    (seen.contains(&"scope") && seen.contains(&"end")).then_some(())
}

fn seconds(text: &str) -> Option<u64> {
    (text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn decoded(text: &str) -> Option<String> {
    let bytes = URL_SAFE.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()?;
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

/// Whether the value could be another header or field.
fn is_ambiguous(value: &str) -> bool {
    let another = value.split(',').skip(1).any(|piece| {
        let name = piece.split('=').next().unwrap_or_default();
        let in_name = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
        piece.contains('=') && !name.is_empty() && name.chars().all(in_name)
    });
    another || value.split('~').skip(1).any(|piece| piece.contains('='))
}

/// Whether `https://tv.example` and the path begin with the prefix; `None` if that is no URL.
fn begins(prefix: &str, path: &str) -> Option<bool> {
    if prefix.chars().any(|char| char.is_control() || " \\#".contains(char)) {
        return None;
    }
    let (scheme, rest) = prefix.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if !known || authority.is_empty() || authority.contains('@') {
        return None;
    }
    let (own, query) = rest.split_once('?').map_or((rest, None), |(own, query)| (own, Some(query)));
    let own = String::from_utf8(text::decode(if own.is_empty() { b"/" } else { own.as_bytes() })?).ok()?;
    let host = authority.to_ascii_lowercase();
    let here = scheme.eq_ignore_ascii_case("https") && host.strip_suffix(":443").unwrap_or(&host) == HOST;
    // The request has no query but for the token.
    Some(here && if let Some(query) = query { query.is_empty() && path == own } else { path.starts_with(&own) })
}

/// Whether the block contains the client's address.
fn contains(block: &str) -> bool {
    let (address, length) = block.split_once('/').map_or((block, None), |(address, length)| (address, Some(length)));
    let length = match length {
        Some(length) if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) => return false,
        Some(length) => length.parse::<u32>().unwrap_or(999),
        None => 999,
    };
    let (bits, address) = match address.parse() {
        Ok(std::net::IpAddr::V4(address)) => (if length == 999 && !block.contains('/') { 32 } else { length }, address),
        Ok(std::net::IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) if !block.contains('/') => (32, address),
            Some(address) if (96..=128).contains(&length) => (length - 96, address),
            _ => return false,
        },
        Err(_) => return false,
    };
    let mask = u32::MAX.checked_shl(32_u32.wrapping_sub(bits)).unwrap_or(0);
    bits <= 32 && u32::from(address) & mask == u32::from_be_bytes(CLIENT) & mask
}
