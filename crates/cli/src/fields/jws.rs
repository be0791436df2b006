//! The claims of JSON Web Tokens (RFC 7519) and signed URIs (RFC 9246), which are JSON Web Signatures.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playlock_core::token::format::Format;
use serde_json::{Map, Value};

use super::{Role, TokenFields, add, ends, starts};
use crate::acl::describe;
use crate::time;

/// Whether `text` is a JSON Web Signature with claims.
pub fn is_one(text: &str) -> bool {
    parts(text).is_some()
}

/// The header and the claims; `None` if it is no compact JSON Web Signature (RFC 7515 section 3.1) over a JSON object.
fn parts(text: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let (signed, signature) = text.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let object = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let (header, payload): (Map<String, Value>, _) = (object(header)?, object(payload)?);
    (URL_SAFE_NO_PAD.decode(signature).is_ok() && header.contains_key("alg")).then_some((header, payload))
}

/// Parses a token; `None` if it is no JSON Web Signature.
pub fn read(text: &str, now: u64) -> Option<TokenFields> {
    let (header, payload) = parts(text)?;
    let format = if payload.contains_key("cdniuc") { Format::UriSigning } else { Format::Jwt };
    let mut rows = Vec::new();
    for (name, value) in &header {
        let meaning = match name.as_str() {
            "alg" => "algorithm of the signature",
            "kid" => "id of the key",
            "typ" => "type of the token",
            "crit" => "header members that must be understood",
            _ => "in the header",
        };
        add(&mut rows, name, shown(value), meaning);
    }
    for (name, value) in &payload {
        add(&mut rows, name, shown(value), meaning(name, value, now));
    }
    add(&mut rows, "signature", "…", "over header and claims");
    let seconds = |name: &str| payload.get(name).and_then(seconds);
    Some(TokenFields {
        role: Role::Access,
        formats: match format {
            Format::UriSigning => vec![Format::UriSigning, Format::Jwt],
            _ => vec![Format::Jwt],
        },
        text: text.to_owned(),
        rows,
        times: (seconds("nbf"), seconds("exp")),
        ip: None,
        covers: None,
    })
}

/// Text without its quotes, anything else as JSON.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A time of RFC 7519 section 2, which may have a fraction.
fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.to_string().split('.').next()?.parse().ok())
}

fn meaning(name: &str, value: &Value, now: u64) -> String {
    let at = seconds(value);
    match (name, at) {
        ("exp", Some(at)) => return ends(at, now),
        ("nbf", Some(at)) => return starts(at, now),
        ("iat", Some(at)) => return format!("issued {}, {}", time::local(at), time::distance(at, now)),
        ("cdniets", Some(lifetime)) => return format!("the renewed token is valid for {lifetime} s"),
        _ => {}
    }
    let text = match (name, shown(value).as_str()) {
        ("iss", _) => "issuer",
        ("aud", _) => "audience",
        ("sub", _) => "subject, or the payload",
        ("jti", _) => "id of the token, for revocation",
        ("cdniv", _) => "version of URI Signing",
        ("cdnicrit", _) => "claims that must be understood",
        ("cdniip", _) => "the client's network, encrypted",
        ("cdniuc", text) if text.starts_with("hash:") => "only the URL with this hash",
        ("cdniuc", _) => "every URL that matches the expression as a whole",
        ("cdnistt", "0") => "is not renewed",
        ("cdnistt", "1") => "is renewed in a cookie",
        ("cdnistt", "2") => "is renewed in the query",
        ("cdnistd", _) => "number of path segments in the path of the renewed token's cookie",
        ("paths", _) => return paths(value),
        _ => "a claim of the site",
    };
    text.into()
}

/// The meaning of path patterns, in an array or joined with `!`.
fn paths(value: &Value) -> String {
    let patterns: Vec<&str> = match value {
        Value::Array(patterns) => patterns.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    describe(&patterns.join("!"))
}
