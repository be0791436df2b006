//! Property of both license servers, that of samples and that of packaged content: a license is for admitted sessions, and
//! has the keys of the key IDs that were asked for, as the key's own URL gives them, and no other.

use std::thread_local;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playlock_core::exchange::Exchange;
use playlock_core::http::reply::Reply;
use playlock_core::step::{Known, Request, RequestBodyStep, RequestStep};
use serde_json::Value;

use crate::edge::{self, Asked, header};
use crate::protected::Protected;
use crate::site::{NOW, SESSION};
use crate::source::{Source, pieces};

/// Longest body that is a request.
const LONGEST: usize = 16 * 1024;

thread_local! {
    static VIEWER: Protected = Protected::new("cbcs");
}

/// Input: the endpoint, who asks, the method, what is said of the length, repetitions of the body; how long each piece is,
/// up to a zero; the body.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let packaged = source.flag();
    let asker = source.below(6);
    let method = source.pick(&["POST", "POST", "POST", "POST", "GET", "PUT", "HEAD"]);
    let announced = source.below(4);
    let times = if source.byte() == 255 { 40 } else { 1 };
    let sizes = source.until(0);
    let body = source.rest().repeat(times);
    VIEWER.with(|viewer| {
        let path = if packaged { format!("{}/license", viewer.packaged) } else { "/license".into() };
        let parameter = if packaged { "x=1" } else { &viewer.license };
        let end = |pair: &str, cut: usize| pair[..pair.len() - cut].to_owned();
        let query = match asker {
            // The session that it is for.
            0..=2 => format!("{parameter}&{}", viewer.session),
            3 => parameter.to_owned(),
            4 => format!("{parameter}&{}", end(&viewer.session, 2)),
            _ if packaged => end(&viewer.session, 1),
            _ => format!("{}&{}", end(&viewer.license, 2), viewer.session),
        };
        let announced = [None, Some(body.len()), Some(0), Some(LONGEST + 1)][announced];
        let ask = |pieces: &[&[u8]]| answer(viewer, method, &format!("{path}?{query}"), announced, pieces);
        let whole = ask(&[&body]);
        let cut = ask(&pieces(&body, &mut Source::new(sizes)));
        assert_eq!(whole, cut, "another answer in pieces");
        let Some(reply) = whole else { return };
        if reply.status != 200 || reply.body.len() == 16 {
            // Reading takes the key alone.
            let reads = matches!(method, "GET" | "HEAD") && body.is_empty();
            assert!(reply.status >= 400 || !packaged && reads && asker < 3, "{} for {asker}", reply.status);
            return;
        }
        assert!(asker < 3 && method == "POST" && body.len() <= LONGEST, "a license for {asker} by {method}");
        let license: Value = serde_json::from_slice(&reply.body).expect("JSON");
        assert_eq!(license["type"], "temporary");
        let keys = license["keys"].as_array().expect("a list");
        let given: Vec<_> = keys.iter().map(|key| (bytes(&key["kid"]), bytes(&key["k"]))).collect();
        assert!(keys.iter().all(|key| key["kty"] == "oct" && key.as_object().is_some_and(|key| key.len() == 3)));
        if packaged {
            let asked: Value = serde_json::from_slice(&body).expect("a request of JSON");
            let asked: Vec<_> = asked["kids"].as_array().expect("a list").iter().map(bytes).collect();
            let kids: Vec<_> = given.iter().map(|(kid, _)| *kid).collect();
            assert!(kids == asked && (1..=64).contains(&asked.len()), "the keys of other IDs");
        } else {
            assert!(given.len() == 1 && given[0].0 == viewer.kid, "not the key of samples");
        }
        for (kid, key) in given.iter().take(3) {
            assert_eq!(key.as_slice(), single(viewer, packaged.then_some(kid)), "not as by its own URL");
        }
    });
}

/// The 16 bytes of a base64url text.
fn bytes(text: &Value) -> [u8; 16] {
    let text = text.as_str().expect("text");
    URL_SAFE_NO_PAD.decode(text).expect("base64url").try_into().expect("16 bytes")
}

/// A key by its own URL.
fn single(viewer: &Protected, packaged: Option<&[u8; 16]>) -> Vec<u8> {
    let target = match packaged {
        None => format!("/license?{}&{}", viewer.license, viewer.session),
        Some(kid) => {
            let hex = crate::site::hex(kid);
            let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
            format!("{}/{a}-{b}-{c}-{d}-{e}?{}", viewer.packaged, viewer.session)
        }
    };
    let Asked::Answered(_, reply) = edge::get(&viewer.policies, target.as_bytes(), &[]) else { panic!("forwarded") };
    assert_eq!(reply.status, 200);
    reply.body
}

/// The answer to a request with a body; `None` if the origin gets it.
fn answer(viewer: &Protected, method: &str, target: &str, announced: Option<usize>, pieces: &[&[u8]]) -> Option<Reply> {
    let mut headers = vec![
        header(":method", method),
        header(":path", target),
        header(":authority", "tv.example"),
        header(":scheme", "https"),
    ];
    headers.extend(announced.map(|length| header("content-length", length.to_string())));
    let attributes = Known::client("203.0.113.7:4711");
    let end = pieces.iter().all(|piece| piece.is_empty());
    let request = Request { headers: &headers, attributes: &attributes, now: NOW, end_of_stream: end };
    let (mut exchange, step) = Exchange::open(&viewer.policies, &request, &mut || SESSION);
    match step {
        RequestStep::Reply(reply) => return Some(reply),
        RequestStep::Forward(_) => return None,
        RequestStep::Ask(_) => panic!("nobody is to be asked"),
        RequestStep::Collect => {}
    }
    for (index, piece) in pieces.iter().enumerate() {
        match exchange.on_request_body(piece, index + 1 == pieces.len(), &mut || SESSION) {
            RequestBodyStep::Hold => {}
            RequestBodyStep::Reply(reply) => return Some(reply),
            RequestBodyStep::Ask(_) => panic!("nobody is to be asked"),
        }
    }
    panic!("a whole body was not answered")
}
