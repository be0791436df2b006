//! Tests the cost of finding assignments by host, in instructions of the module.

use std::collections::BTreeMap;

use playlock_host::envoy::Envoy;
use playlock_host::message::{Request, Response};
use playlock_host::node::{Node, Setup};
use playlock_host::wasm::Vm;

use crate::cost::module;
use crate::{NOW, PASSWORD};

/// The instructions of a refusal for each host, under assignments to these hosts and to all.
fn costs<const N: usize>(assigned: &[&str], hosts: [&str; N]) -> [u64; N] {
    let mut assignments = vec![serde_json::json!({"policyName": "all", "path": "/..."})];
    assignments
        .extend(assigned.iter().map(|host| serde_json::json!({"policyName": "all", "path": "/a", "host": host})));
    let config = serde_json::json!({"assignments": assignments,
        "policies": [{"policyName": "all", "tokenAuth": {"enabled": true, "password": PASSWORD}}]});
    let setup = Setup { config: config.to_string(), env: BTreeMap::new(), now: NOW, seed: 1 };
    let mut vm = Vm::start(module(), &setup).unwrap_or_else(|refused| panic!("{refused:?}"));
    let mut cost = |host: &str| {
        let mut request = Request::new("GET", "/b.ts");
        for (_, value) in request.headers.iter_mut().filter(|(name, _)| name == ":authority") {
            *value = host.as_bytes().to_vec();
        }
        let before = vm.executed();
        let seen = vm.exchange(&Envoy::new(false), request, &mut |_| Response::new(200, b""));
        assert_eq!((seen.status, seen.state["wasm.playlock.policy"].as_str()), (Some(403), "all"));
        vm.executed() - before
    };
    // The first refusal defines the policy's counters, and memory is found in fewer or more steps.
    hosts.map(|host| (0..6).map(|_| cost(host)).min().unwrap())
}

/// Without wildcards, the dots of a host are not looked at; with them, the one before each length of their ends alone.
#[test]
fn wildcards_cost_nothing_where_there_are_none_and_little_elsewhere() {
    let (letters, dots) = ("a".repeat(299), "a.".repeat(150));
    let (long_letters, long_dots) = ("a".repeat(7_999), "a.".repeat(4_000));
    let hosts = [letters.as_str(), &dots[..299], &long_letters, &long_dots[..7_999]];
    let deep = format!("*.{}tv.example", "a.".repeat(118));
    for assigned in [&[][..], &["tv.example"]] {
        let [plain, dotted, long, long_dotted] = costs(assigned, hosts);
        println!("{assigned:?}: {plain} {dotted} {long} {long_dotted}");
        let alike = |dotted: u64, plain: u64| dotted * 100 <= plain * 102;
        assert!(alike(dotted, plain) && alike(long_dotted, long), "{plain} {dotted} {long} {long_dotted}");
    }
    for (assigned, most) in [("*.tv.example", 106), ("*-a-b-c-d-e.tv.example", 110), (deep.as_str(), 125)] {
        let [plain, dotted, long, long_dotted] = costs(&[assigned], hosts);
        println!("{assigned}: {plain} {dotted} {long} {long_dotted}");
        assert!(dotted * 100 <= plain * most, "{assigned}: {dotted} instructions, {plain} without dots");
        assert!(long_dotted * 100 <= long * most, "{assigned}: {long_dotted} instructions, {long} without dots");
    }
}
