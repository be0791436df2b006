//! Property of JSON Web Tokens (RFC 7519): a token is accepted if and only if it was signed with a known key, is in time and
//! covers the path, in the query or in a header. No modification of a token yields another valid one, and nothing of it reaches
//! the origin.

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playlock_core::http::reply::Reason;
use playlock_core::policy::Policies;
use serde_json::json;

use crate::edge::{self, Asked, header, value};
use crate::site::NOW;
use crate::source::Source;
use crate::token::changed;
use crate::uri_signing::{KEY, sign};

/// A policy for everything, whose tokens need an issuer and paths.
fn policies() -> Rc<Policies> {
    thread_local! {
        static POLICIES: Rc<Policies> = {
            let keys = json!([{"kty": "oct", "kid": "site", "k": URL_SAFE_NO_PAD.encode(KEY)}]);
            let document = json!({
                "policies": [{
                    "policyName": "jwt",
                    "tokenAuth": {"enabled": true, "formats": ["jwt"], "jwt": {"keys": keys, "issuers": ["site"]}},
                    "mediaEncryption": {"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f"},
                }],
                "assignments": [{"policyName": "jwt", "path": "/..."}],
            });
            let (policies, _) = playlock_config::parse(document.to_string().as_bytes(), &|_| None).expect("it loads");
            Rc::new(policies)
        };
    }
    POLICIES.with(Rc::clone)
}

/// Input: the place, the header, the token's times and whether its pattern covers the path; then changes to the token, four
/// bytes each, behind their number; the rest are claims in JSON, without braces.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let place = source.below(2);
    let head = source.pick(&[
        r#"{"alg":"HS256","kid":"site"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS384","kid":"site"}"#,
        r#"{"alg":"HS256","kid":"other"}"#,
        r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
    ]);
    // Beyond any difference between clocks.
    let mut time = || NOW + source.pick(&[600, 1200, 0, 1199]) - 600;
    let (nbf, exp) = (time(), time());
    let pattern = source.pick(&["/vod/*", "/vod/film.m3u8", "/other/*"]);
    let changes: Vec<[u8; 4]> =
        (0..source.below(4)).map(|_| [source.byte(), source.byte(), source.byte(), source.byte()]).collect();
    let more = String::from_utf8_lossy(source.rest()).into_owned();

    let tail = if more.is_empty() { String::new() } else { format!(",{more}") };
    let claims = format!(r#"{{"iss":"site","paths":["{pattern}"],"nbf":{nbf},"exp":{exp}{tail}}}"#);
    let token = sign(head, &claims);
    let sent = changed(&token, &changes);
    // None of its characters needs an escape, so none is decoded.
    let is_it = sent == token;
    let path = "/vod/film.m3u8";
    let (target, headers) = match place {
        0 if !sent.contains(['&', '#', ' ']) => (format!("{path}?token={sent}"), Vec::new()),
        1 if sent.trim() == sent && !sent.contains([',', '\r', '\n']) => {
            (path.into(), vec![header("authorization", format!("Bearer {sent}"))])
        }
        _ => return,
    };
    match edge::get(&policies(), target.as_bytes(), &headers) {
        Asked::Forwarded(_, at_origin) => {
            assert!(is_it && sent.len() <= 2048, "{sent} was accepted for {token}");
            assert!(
                head.starts_with(r#"{"alg":"HS256""#) && !head.contains("other") && !head.contains("crit"),
                "{head}"
            );
            assert!(nbf <= NOW && NOW <= exp, "{nbf} {exp}");
            assert_ne!(pattern, "/other/*");
            assert_eq!(value(&at_origin, ":path"), Some(path));
            assert_eq!(value(&at_origin, "authorization"), None);
        }
        Asked::Answered(exchange, reply) => {
            let reason = exchange.reason().expect("a reason");
            assert!(reply.status >= 400);
            if is_it && more.is_empty() && head == r#"{"alg":"HS256","kid":"site"}"# {
                let expected = match reason {
                    Reason::Early => NOW < nbf,
                    Reason::Expired => NOW >= exp,
                    Reason::Path => pattern == "/other/*",
                    _ => false,
                };
                assert!(expected, "{reason:?} for {claims}");
            }
        }
    }
}
