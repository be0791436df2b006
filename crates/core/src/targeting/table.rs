//! The truth table under `tests/targeting/`, through the whole gate: one line a request.

use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::Cell;

use crate::config::Policies;
use crate::exchange::Exchange;
use crate::reply::header;
use crate::step::{Request, RequestStep};

const POLICIES: &str = include_str!("../../../../tests/targeting/policies.json");
const CASES: &str = include_str!("../../../../tests/targeting/cases.tsv");

/// `pass`, or the reason with its status and where the client is sent.
fn verdict(policies: &Rc<Policies>, policy: &str, client: &str, headers: &str) -> String {
    let mut sent = Vec::from([
        header(":method", "GET"),
        header(":scheme", "https"),
        header(":authority", "h"),
        header(":path", &alloc::format!("/{policy}/1.ts")),
    ]);
    let named = headers.split(' ').filter(|text| *text != "-");
    sent.extend(named.map(|text| text.split_once('=').unwrap()).map(|(name, value)| header(name, value)));
    let client = || (client != "-").then(|| client.as_bytes().to_vec());
    let request = Request { headers: &sent, client: &client, now: 0 };
    let (exchange, step) = Exchange::open(policies, &request, &mut || panic!("a session was opened"));
    let RequestStep::Reply(reply) = step else { return "pass".into() };
    assert_eq!(exchange.reason(), reply.reason);
    let named = |name: &str| reply.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_slice());
    assert_eq!(named("cache-control"), Some(&b"no-store"[..]));
    let location = named("location").map(|url| core::str::from_utf8(url).unwrap());
    let mut verdict = reply.reason.unwrap().word().to_string();
    match reply.status {
        403 => assert_eq!(location, None),
        302 => verdict = alloc::format!("{verdict} {}", location.unwrap()),
        status => panic!("{status}"),
    }
    verdict
}

/// Asking the proxy for the address costs: not for what headers decide, and once for all that needs it.
#[test]
fn the_address_is_asked_for_when_a_check_needs_it() {
    let (policies, _) = Policies::parse(POLICIES.as_bytes(), &|_| None).unwrap();
    let policies = Rc::new(policies);
    for (policy, country, expected) in [
        ("deny-geo", "FR", 1),
        ("open-geo", "FR", 0),
        ("site", "FR", 0),
        ("proxies", "FR", 0),
        ("off", "FR", 0),
        ("all", "FR", 1),
    ] {
        let headers = [
            header(":method", "GET"),
            header(":authority", "h"),
            header(":path", &alloc::format!("/{policy}/1.ts")),
            header("x-geo-country", country),
        ];
        let asked = Cell::new(0);
        let client = || {
            asked.set(asked.get() + 1);
            Some(b"192.0.2.1:80".to_vec())
        };
        let request = Request { headers: &headers, client: &client, now: 0 };
        Exchange::open(&policies, &request, &mut || panic!("a session was opened"));
        assert_eq!(asked.get(), expected, "{policy}");
    }
}

#[test]
fn the_table_is_true() {
    let (policies, _) = Policies::parse(POLICIES.as_bytes(), &|_| None).unwrap();
    let policies = Rc::new(policies);
    let mut lines = 0;
    for (number, line) in CASES.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<_> = line.split('\t').collect();
        let [policy, client, headers, expected] = columns[..] else { panic!("line {}: {line}", number + 1) };
        assert_eq!(verdict(&policies, policy, client, headers), expected, "line {}: {line}", number + 1);
        lines += 1;
    }
    assert!(lines > 200, "{lines} lines");
}
