//! Tests the truth tables, one request per line: through the core and, with the feature `wasm`, through both modules of
//! `make wasm`, in the in-memory Envoy.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeMap;

use playlock_config::time;
use playlock_host::driver::Driver;
use playlock_host::envoy::Envoy;
use playlock_host::message::{Header, Outcome, Request, Response, Seen, header};
use playlock_host::node::{Node, Setup};

/// Every way to run the filter, under this configuration.
fn nodes(config: &str) -> Vec<Box<dyn Node>> {
    let setup = Setup { config: config.to_owned(), env: BTreeMap::new(), now: 1, seed: 0 };
    Driver::ALL.iter().map(|driver| driver.start(&setup).unwrap()).collect()
}

/// The lines that say something, each with its number and columns.
fn lines<const N: usize>(table: &str) -> Vec<(usize, [&str; N])> {
    let lines = table.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(index, line)| {
            let columns: Vec<_> = line.split('\t').collect();
            (index + 1, columns.try_into().unwrap_or_else(|_| panic!("line {}: {line}", index + 1)))
        })
        .collect()
}

/// One request to an origin that has everything.
fn ask(node: &mut dyn Node, request: Request) -> Seen {
    let seen = node.exchange(&Envoy::new(false), request, &mut |_: &[Header]| Response::new(200, b"x"));
    assert_eq!(seen.outcome, Outcome::Complete, "{}", seen.why);
    assert_eq!(
        seen.origin.is_some(),
        seen.status == Some(200),
        "the origin is asked for what passes, and for that alone"
    );
    seen
}

/// The value of a response's header.
fn value<'a>(seen: &'a Seen, name: &str) -> Option<&'a str> {
    header(&seen.headers, name).map(|value| std::str::from_utf8(value).unwrap())
}

/// `pass`, or the reason and where the client is sent.
fn verdict(seen: &Seen) -> String {
    if seen.status == Some(200) {
        return "pass".to_owned();
    }
    let problem: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    let reason = problem["type"].as_str().unwrap();
    assert_eq!(seen.state.get("wasm.playlock.reason").map(String::as_str), Some(reason));
    assert_eq!(value(seen, "cache-control"), Some("no-store"));
    match (seen.status, value(seen, "location")) {
        (Some(403), None) => reason.to_owned(),
        (Some(302), Some(url)) => format!("{reason} {url}"),
        (status, location) => panic!("{status:?} to {location:?}"),
    }
}

#[test]
fn content_targeting() {
    let table = lines(include_str!("targeting/cases.tsv"));
    assert!(table.len() > 200, "{} lines", table.len());
    for mut node in nodes(include_str!("targeting/policies.json")) {
        for (line, [policy, client, headers, expected]) in &table {
            let mut request = Request::new("GET", &format!("/{policy}/1.ts"));
            request.client = (*client != "-").then(|| (*client).to_owned());
            for sent in headers.split(' ').filter(|text| *text != "-") {
                let (name, value) = sent.split_once('=').unwrap();
                request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
            }
            assert_eq!(verdict(&ask(node.as_mut(), request)), *expected, "line {line}");
        }
    }
}

/// No policy lets a request without a token in, so that its name is in the access log.
#[test]
fn assignments() {
    let table = lines(include_str!("assignments/cases.tsv"));
    assert!(table.len() > 50, "{} lines", table.len());
    for mut node in nodes(include_str!("assignments/policies.json")) {
        for (line, [now, host, path, expected]) in &table {
            node.set_now(time::parse(now).unwrap());
            let mut request = Request::new("GET", path);
            for (name, value) in &mut request.headers {
                if name == ":authority" {
                    *value = host.as_bytes().to_vec();
                }
            }
            let seen = ask(node.as_mut(), request);
            let found = match (verdict(&seen).as_str(), seen.state.get("wasm.playlock.policy")) {
                ("missing", Some(policy)) => policy.clone(),
                (other, _) => other.to_owned(),
            };
            assert_eq!(found, *expected, "line {line}");
        }
    }
}
