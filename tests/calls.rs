//! Tests the cost of one request: the exact number of calls of each host function, and the maximum number of
//! instructions that the module executes (`cargo test --workspace --test calls -- --show-output` prints the figures).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeMap;
use std::fmt::Write;

use playlock_host::edge_auth::Token;
use playlock_host::envoy::Envoy;
use playlock_host::message::{Ending, Outcome, Request, Response, Seen};
use playlock_host::node::{Node, Setup};
use playlock_host::wasm::{self, Flavour, Vm};
use playlock_host::wasmtime::Module;

const NOW: u64 = 1_700_000_000;
const PASSWORD: &str = "52a152a152a152a152a152a152a152a1";
const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const MEDIA: &[u8] = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg.ts\n#EXT-X-ENDLIST\n";

/// Host calls of each kind of request.
const EXPECTED: &str = include_str!("calls.txt");

/// Headers of a browser in addition to the pseudo-headers, and those that Envoy adds.
const BROWSER: [(&str, &str); 12] = [
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    ),
    ("accept", "*/*"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-US,en;q=0.9"),
    ("origin", "https://tv.example"),
    ("referer", "https://tv.example/"),
    ("sec-fetch-dest", "empty"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "cross-site"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-envoy-external-address", "203.0.113.7"),
];

/// Headers of an origin in addition to status and length.
const ORIGIN: [(&str, &str); 8] = [
    ("server", "origin"),
    ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
    ("content-type", "application/octet-stream"),
    ("etag", "\"abc\""),
    ("last-modified", "Tue, 14 Nov 2023 22:00:00 GMT"),
    ("cache-control", "max-age=60"),
    ("accept-ranges", "bytes"),
    ("x-envoy-upstream-service-time", "1"),
];

fn headers(list: &[(&str, &str)]) -> impl Iterator<Item = (String, Vec<u8>)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
}

fn ask(vm: &mut Vm, target: &str, body: &[u8]) -> Seen {
    let mut request = Request::new("GET", target);
    request.headers.extend(headers(&BROWSER));
    let seen = vm.exchange(&Envoy::new(false), request, &mut |_| {
        let mut response = Response::new(200, body).cut(16_384, Ending::WithData);
        response.headers.extend(headers(&ORIGIN));
        response
    });
    assert_eq!(seen.outcome, Outcome::Complete, "{}", seen.why);
    seen
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split(end).next().unwrap()
}

/// Cost of a kind of request: its name, instructions of the module, host calls.
type Cost = (&'static str, u64, BTreeMap<&'static str, u64>);

fn costs(flavour: Flavour) -> Vec<Cost> {
    let bytes = std::fs::read(flavour.path()).unwrap();
    let module = wasm::metered(&bytes).unwrap();
    let query = ["opening playlist", "playlist", "key", "refusal", "segment of 4 chunks"];
    let path = [
        "opening playlist, tokens in the path",
        "playlist, tokens in the path",
        "key, tokens in the path",
        "refusal, tokens in the path",
        "segment of 4 chunks, tokens in the path",
    ];
    [costs_with(&module, "query", query), costs_with(&module, "path", path)].concat()
}

fn costs_with(module: &Module, transport: &str, names: [&'static str; 5]) -> Vec<Cost> {
    let config = serde_json::json!({
        "policies": [{"policyName": "vod",
            "tokenAuth": {"enabled": true, "password": PASSWORD, "sessionTokenTransport": transport},
            "mediaEncryption": {"enabled": true, "secret": SECRET}}],
        "assignments": [{"policyName": "vod", "path": "/a/..."}],
    });
    let setup = Setup { config: config.to_string(), env: BTreeMap::new(), now: NOW, seed: 1 };
    let mut vm = Vm::start(module, &setup).unwrap_or_else(|refused| panic!("{refused:?}"));

    let token = Token { exp: Some(NOW + 60), acl: Some("/*".into()), ..Token::default() };
    let playlist = format!("/a/index.m3u8?hdnts={}", token.sign("sha256", PASSWORD).unwrap());
    let opened = String::from_utf8(ask(&mut vm, &playlist, MEDIA).body).unwrap();
    let session = between(&opened, "seg.ts?", "\n");
    let of = |path: &str| match session.strip_prefix("hdntl=") {
        Some(token) if transport == "path" => format!("/~{token}{path}"),
        _ => format!("{path}?{session}"),
    };
    let (segment, again) = (of("/a/seg.ts"), of("/a/index.m3u8"));
    let again_said = String::from_utf8(ask(&mut vm, &again, MEDIA).body).unwrap();
    let key = between(&again_said, "URI=\"", "\"").to_owned();

    let requests: [(&str, &[u8], u16); 5] = [
        (&playlist, MEDIA, 200),
        (&again, MEDIA, 200),
        (&key, b"", 200),
        ("/a/index.m3u8", b"", 403),
        (&segment, &[0; 50_000], 200),
    ];
    let cost = |(what, (target, body, status)): (&'static str, (&str, &[u8], u16))| {
        // The cheapest of three runs: the first of a kind also defines metrics, and one request in 16 is timed.
        let runs = (0..3).map(|_| {
            let _ = vm.take_calls();
            let before = vm.executed();
            assert_eq!(ask(&mut vm, target, body).status, Some(status), "{what}");
            (what, vm.executed() - before, vm.take_calls())
        });
        runs.min_by_key(|(_, instructions, calls)| (calls.values().sum::<u64>(), *instructions)).unwrap()
    };
    names.into_iter().zip(requests).map(cost).collect()
}

/// Limits of the instructions: a fifth more than measured, since compilers differ. They reveal changes that make
/// requests more expensive.
const MOST: [(&str, u64); 10] = [
    ("opening playlist", 213_000),
    ("playlist", 152_000),
    ("key", 113_000),
    ("refusal", 41_000),
    ("segment of 4 chunks", 2_680_000),
    ("opening playlist, tokens in the path", 215_000),
    ("playlist, tokens in the path", 155_000),
    ("key, tokens in the path", 115_000),
    ("refusal, tokens in the path", 41_000),
    ("segment of 4 chunks, tokens in the path", 2_680_000),
];

#[test]
fn a_request_costs_no_more_calls_and_instructions_than_it_must() {
    let mut found = String::new();
    for (what, instructions, calls) in costs(Flavour::Relaxed) {
        println!("{instructions:>8} instructions, {:>2} calls: {what}", calls.values().sum::<u64>());
        let (_, most) = MOST.into_iter().find(|(kind, _)| *kind == what).unwrap();
        assert!(instructions <= most, "{what}: {instructions} instructions, at most {most}");
        writeln!(found, "{what}").unwrap();
        for (name, times) in calls {
            writeln!(found, "  {times} {name}").unwrap();
        }
    }
    assert_eq!(found, EXPECTED, "tests/calls.txt");
}

/// The trial of the public SDK makes the same calls; its instructions are only printed.
#[test]
fn the_sdk_calls_the_host_as_often() {
    for (ours, sdk) in costs(Flavour::Relaxed).into_iter().zip(costs(Flavour::Sdk)) {
        println!("{:>8} instructions on the SDK, {:>8} without it: {}", sdk.1, ours.1, ours.0);
        assert_eq!(ours.2, sdk.2, "{}", ours.0);
    }
}
