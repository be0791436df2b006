//! Property of URI Signing tokens (RFC 9246): a token is accepted if and only if it was signed with a known key, is in time and
//! covers the URI, whatever its place. No modification of a token yields another valid one, and nothing of it reaches the
//! origin. Patterns match as in another implementation of regular expressions.

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use playlock_core::http::reply::Reason;
use playlock_core::policy::Policies;
use serde_json::json;
use sha2::Sha256;

use crate::edge::{self, Asked, End, Flow, header, value};
use crate::site::NOW;
use crate::source::Source;
use crate::text;
use crate::token::changed;

/// The key of the site's tokens, HS256.
pub const KEY: [u8; 32] = [7; 32];
const NAME: &str = "URISigningPackage";

/// Policies of `/signed/` and `/chained/`.
fn policies() -> Rc<Policies> {
    thread_local! {
        static POLICIES: Rc<Policies> = {
            let keys = json!([
                {"kty": "oct", "kid": "site", "iss": "site", "k": URL_SAFE_NO_PAD.encode(KEY)},
                {"kty": "oct", "kid": "edge", "iss": "edge", "k": URL_SAFE_NO_PAD.encode([8; 32])},
            ]);
            let auth = |chaining: Option<_>| {
                let format = json!({"keys": keys, "chaining": chaining, "acceptTokenIds": true});
                json!({"enabled": true, "formats": ["urisigning"], "urisigning": format})
            };
            let document = json!({
                "policies": [
                    {"policyName": "signed", "tokenAuth": auth(None),
                     "mediaEncryption": {"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f"}},
                    {"policyName": "chained", "tokenAuth": auth(Some(json!({"issuer": "edge"})))},
                ],
                "assignments": [
                    {"policyName": "signed", "path": "/signed/..."},
                    {"policyName": "chained", "path": "/chained/..."},
                ],
            });
            let (policies, _) = playlock_config::parse(document.to_string().as_bytes(), &|_| None).expect("it loads");
            Rc::new(policies)
        };
    }
    POLICIES.with(Rc::clone)
}

/// A token in the compact serialization (RFC 7515) under [`KEY`].
pub fn sign(header: &str, claims: &str) -> String {
    let text = [URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims)].join(".");
    let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).expect("any length");
    mac.update(text.as_bytes());
    [text, URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())].join(".")
}

/// Input: the policy, the place, the times of the token, whether it is renewed, and how its pattern ends; then
/// changes to the token, four bytes
/// each, behind their number; then, a line each, the path and a pattern for it; the rest are claims in JSON, without braces.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let policy = source.pick(&["signed", "chained"]);
    let place = source.below(3);
    let (nbf, exp) = (NOW - 2 + source.below(4) as u64, NOW - 1 + source.below(4) as u64);
    let renewal = source.pick(&["", r#","cdniets":30,"cdnistt":1"#, r#","cdniets":30,"cdnistt":2"#, r#","cdnistt":1"#]);
    let ending = source.pick(&[r"\.m3u8", r"\.m", ""]);
    let changes: Vec<[u8; 4]> =
        (0..source.below(4)).map(|_| [source.byte(), source.byte(), source.byte(), source.byte()]).collect();
    let letters = |bytes: &[u8], extra: &[u8]| -> String {
        let kept = bytes.iter().take(60).filter(|byte| byte.is_ascii_lowercase() || extra.contains(byte));
        kept.map(|byte| char::from(*byte)).collect()
    };
    let name = letters(source.until(b'\n'), b"");
    let pattern = letters(source.until(b'\n'), b"|()*+?{},.^$123");
    let more = String::from_utf8_lossy(source.rest()).into_owned();

    let path = format!("/{policy}/{name}.m3u8");
    let container = format!(r"regex:https://tv\.example/{policy}/({pattern}){ending}").replace('\\', r"\\");
    let more = if more.is_empty() { String::new() } else { format!(",{more}") };
    let claims = format!(r#"{{"cdniuc":"{container}","nbf":{nbf},"exp":{exp}{renewal}{more}}}"#);
    let token = sign(r#"{"alg":"HS256","kid":"site"}"#, &claims);
    let sent = changed(&token, &changes);
    let is_it =
        sent.len() <= 2048 && (sent == token || text::decode(sent.as_bytes()).as_deref() == Some(token.as_bytes()));
    let (target, headers) = match place {
        0 if !sent.contains(['&', '#', ' ']) => (format!("{path}?{NAME}={sent}"), Vec::new()),
        1 if !sent.contains(['/', ';', '?', '#', ' ']) => (format!("{path};{NAME}={sent}"), Vec::new()),
        2 if !sent.contains(';') && sent.trim() == sent => {
            (path.clone(), vec![header("cookie", format!("a=1; {NAME}={sent}"))])
        }
        _ => return,
    };
    let other = regex_lite::Regex::new(&format!(r"^(?:https://tv\.example/{policy}/({pattern}){ending})$"));
    let matches = || other.as_ref().is_ok_and(|regex| regex.is_match(&format!("https://tv.example{path}")));
    match edge::get(&policies(), target.as_bytes(), &headers) {
        Asked::Forwarded(exchange, at_origin) => {
            assert!(is_it, "{sent} was accepted for {token}");
            assert!(nbf <= NOW && NOW < exp, "{nbf} {exp}");
            assert!(matches(), "{pattern} is said to match {name}");
            assert_ne!(renewal, r#","cdnistt":1"#, "a transport without a time");
            assert_eq!(value(&at_origin, ":path"), Some(&*path));
            assert!(value(&at_origin, "cookie").is_none_or(|cookie| cookie == "a=1"));
            if policy == "chained" {
                renewed(exchange, renewal, &more);
            }
        }
        Asked::Answered(exchange, reply) => {
            let reason = exchange.reason().expect("a reason");
            assert!(reply.status >= 400);
            if is_it && more.is_empty() {
                let expected = match reason {
                    Reason::Early => NOW < nbf,
                    Reason::Expired => NOW >= exp,
                    Reason::Path => !matches(),
                    // A pattern that the standard leaves undefined, or a claim without the other.
                    Reason::Malformed => {
                        !pattern.bytes().all(|byte| byte.is_ascii_lowercase())
                            || pattern.is_empty()
                            || renewal.len() == 12
                    }
                    _ => false,
                };
                assert!(expected, "{reason:?} for {claims}");
            }
        }
    }
}

/// A response carries the next token, which is valid in its turn.
fn renewed(exchange: playlock_core::exchange::Exchange, renewal: &str, more: &str) {
    let mut flow = Flow::new(exchange);
    let location = "https://cdn.example/b.m3u8?x=1";
    flow.head(&[header(":status", "302"), header("location", location)], true, false);
    assert_eq!((flow.end, flow.replied), (End::Clean, false));
    if !more.is_empty() {
        return;
    }
    let cookie = value(&flow.headers, "set-cookie");
    let next = match renewal.chars().last() {
        Some('1') => cookie.and_then(|cookie| cookie.strip_prefix("URISigningPackage=")?.split(';').next()),
        Some(_) => value(&flow.headers, "location")
            .and_then(|found| found.strip_prefix(location)?.split_once('=').map(|it| it.1)),
        None => None,
    };
    assert_eq!(next.is_some(), !renewal.is_empty());
    assert_eq!(cookie.is_some(), renewal.ends_with('1'));
    if let Some(next) = next {
        let (text, signature) = next.rsplit_once('.').expect("a token");
        let mut mac = Hmac::<Sha256>::new_from_slice(&[8; 32]).expect("any length");
        mac.update(text.as_bytes());
        assert_eq!(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()), signature);
        let claims = URL_SAFE_NO_PAD.decode(text.split('.').nth(1).expect("claims")).expect("base64url");
        let claims: serde_json::Value = serde_json::from_slice(&claims).expect("an object");
        assert_eq!((&claims["iss"], &claims["exp"]), (&json!("edge"), &json!(NOW + 30)));
    }
}
