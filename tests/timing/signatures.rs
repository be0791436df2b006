//! Tests the cost of a forged signature of each algorithm, in instructions of the module. No clock is read.
//!
//! A server that verifies public-key signatures pays for forgeries, too; the limits are those of one verification, a fifth
//! more than measured. The tokens and keys are the examples of RFC 7515 and RFC 8037 (`tests/vectors/jose.json`).

use std::collections::BTreeMap;

use playlock_host::envoy::Envoy;
use playlock_host::message::{Outcome, Request, Response};
use playlock_host::node::{Node, Setup};
use playlock_host::wasm::Vm;
use serde_json::{Value, json};

use crate::{NOW, SECRET, cost};

/// Type of the key, curve, and the maximum number of instructions of a refusal.
const MOST: [(&str, u64); 4] = [("oct", 92_000), ("RSA", 6_400_000), ("P-256", 15_000_000), ("Ed25519", 3_400_000)];

#[test]
fn a_forged_signature_costs_one_verification() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/jose.json")).unwrap();
    let mut dear = Vec::new();
    for vector in vectors["vectors"].as_array().unwrap() {
        let key = &vector["key"];
        let kind = key["crv"].as_str().unwrap_or_else(|| key["kty"].as_str().unwrap());
        let config = json!({
            "policies": [{"policyName": "vod", "tokenAuth": {"enabled": true, "formats": ["jwt"], "jwt": {"keys": [key]}},
                "mediaEncryption": {"enabled": true, "secret": SECRET}}],
            "assignments": [{"policyName": "vod", "path": "/..."}],
        });
        let setup = Setup { config: config.to_string(), env: BTreeMap::new(), now: NOW, seed: 1 };
        let mut vm = Vm::start(cost::module(), &setup).unwrap_or_else(|refused| panic!("{refused:?}"));
        let token = vector["token"].as_str().unwrap();
        // Another digit near the end of the signature, so that its parts stay in their ranges.
        let at = token.len() - 20;
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        let forged = [&token[..at], other, &token[at + 1..]].concat();
        let mut spent = 0;
        for _ in 0..2 {
            let before = vm.executed();
            let request = Request::new("GET", &format!("/a.m3u8?token={forged}"));
            let seen = vm.exchange(&Envoy::new(false), request, &mut |_| Response::new(200, b""));
            spent = vm.executed() - before;
            assert_eq!(seen.outcome, Outcome::Complete, "{}", seen.why);
            assert_eq!(seen.state.get("wasm.playlock.reason").map(String::as_str), Some("signature"), "{kind}");
        }
        println!("{spent:>9} instructions: {kind}");
        let (_, most) = MOST.into_iter().find(|(known, _)| *known == kind).unwrap();
        if spent > most {
            dear.push(format!("{kind}: {spent} instructions, at most {most}"));
        }
    }
    assert!(dear.is_empty(), "{}", dear.join("\n"));
}
