//! The cost of ordinary requests, in instructions of the module: a limit for each, so that no change makes requests dearer
//! unseen. The headers are those of a browser behind a load balancer. No clock is read.

use std::collections::BTreeMap;

use playlock_host::edge_auth::Token;
use playlock_host::envoy::Envoy;
use playlock_host::message::{Outcome, Request, Response, Seen};
use playlock_host::node::{Node, Setup};
use playlock_host::wasm::Vm;

use crate::cost::module;
use crate::{MEDIA, NOW, PASSWORD, SECRET};

/// Headers beside the pseudo headers.
const HEADERS: &[(&str, &str)] = &[
    ("sec-ch-ua", "\"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\""),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", "\"Linux\""),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    ),
    ("accept", "*/*"),
    ("origin", "https://tv.example"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-dest", "empty"),
    ("referer", "https://tv.example/"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-request-id", "3f0b1d7e-7c5a-4a57-9a71-0f3a0d1c2b4e"),
];

/// The instructions of an exchange on a VM that has seen its like.
fn executed(vm: &mut Vm, target: &str, body: &[u8]) -> (u64, Seen) {
    let mut ask = || {
        let mut request = Request::new("GET", target);
        request.headers.extend(HEADERS.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())));
        let before = vm.executed();
        let seen = vm.exchange(&Envoy::new(false), request, &mut |_| Response::new(200, body));
        assert_eq!(seen.outcome, Outcome::Complete, "{}", seen.why);
        (vm.executed() - before, seen)
    };
    ask();
    ask()
}

#[test]
fn ordinary_requests_stay_within_their_limits() {
    let config = serde_json::json!({
        "policies": [{"policyName": "vod", "tokenAuth": {"enabled": true, "password": PASSWORD},
            "mediaEncryption": {"enabled": true, "secret": SECRET}}],
        "assignments": [{"policyName": "vod", "path": "/vod/..."}],
        "default": "pass",
    });
    let setup = Setup { config: config.to_string(), env: BTreeMap::new(), now: NOW, seed: 1 };
    let mut vm = Vm::start(module(), &setup).unwrap_or_else(|refused| panic!("{refused:?}"));
    let token = Token { exp: Some(NOW + 60), acl: Some("/vod/*".into()), ..Token::default() };
    let opening = format!("/vod/720p/index.m3u8?hdnts={}", token.sign("sha256", PASSWORD).unwrap());
    let (opened, seen) = executed(&mut vm, &opening, MEDIA);
    let body = String::from_utf8(seen.body).unwrap();
    let key = body.split_once("URI=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let segment = format!("/vod/720p/{}", body.lines().find(|line| line.starts_with("seg.ts")).unwrap());
    let session = segment.split_once('?').unwrap().1.to_owned();
    let costs = [
        ("pass", executed(&mut vm, "/elsewhere/1.ts", b""), None),
        ("opens a session", (opened, executed(&mut vm, &opening, MEDIA).1), None),
        ("playlist", executed(&mut vm, &format!("/vod/720p/index.m3u8?{session}"), MEDIA), None),
        ("key", executed(&mut vm, &key, b""), None),
        ("empty segment", executed(&mut vm, &segment, b""), None),
        ("refused: missing", executed(&mut vm, "/vod/720p/seg.ts", b""), Some("missing")),
        ("refused: path", executed(&mut vm, &format!("/vod/../seg.ts?{session}"), b""), Some("target")),
    ];
    for ((kind, (cost, seen), reason), (named, most)) in costs.iter().zip(LIMITS) {
        let found = seen.state.get("wasm.playlock.reason").map(String::as_str);
        assert_eq!((*kind, found), (named, *reason));
        println!("{cost:>7} of {most:>7} {kind}");
        assert!(*cost <= most, "{kind}: {cost} instructions, at most {most}");
    }
}

/// A fifth more than was measured, since compilers differ.
const LIMITS: [(&str, u64); 7] = [
    ("pass", 1_000_000),
    ("opens a session", 1_000_000),
    ("playlist", 1_000_000),
    ("key", 1_000_000),
    ("empty segment", 1_000_000),
    ("refused: missing", 1_000_000),
    ("refused: path", 1_000_000),
];
