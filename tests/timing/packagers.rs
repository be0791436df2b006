//! Tests the cost of packagers' requests: it does not depend on requesters' tokens, content keys and document keys, and a
//! stranger's request costs little, whatever its body. No clock is read.

use std::collections::{BTreeMap, BTreeSet};

use playlock_host::envoy::Envoy;
use playlock_host::message::{Outcome, Request, Response, Seen};
use playlock_host::node::{Node, Random, Setup};
use playlock_host::wasm::{Flavour, Vm};
use playlock_host::wasmtime::Module;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{Did, NOW, SECRET, cost, cost_the_same, module, other_digits, reason};

const TOKEN: &str = "0e9d8c7b6a5f4e3d2c1b0a09182736450e9d8c7b6a5f4e3d2c1b0a0918273645";
/// Two keys, encrypted for two certificates.
const ENCRYPTED: &str = include_str!("../../crates/speke/tests/requests/2.0-encrypted.xml");
/// The maximum numbers of instructions: a fifth more than measured.
const STRANGER: u64 = 57_000;
const TWO_CERTIFICATES: u64 = 32_600_000;

/// A request with this token to a VM whose requesters have these tokens; `seed` is that of its random bytes.
fn ask(flavour: Flavour, tokens: [&str; 3], secret: &str, seed: u64, token: &str, body: &[u8]) -> (Did, Seen) {
    let mut vm = start(module(flavour), tokens, secret, seed);
    let before = vm.executed();
    vm.take_global("trace").unwrap();
    let seen = post(&mut vm, token, body);
    (Did { instructions: vm.executed() - before, trace: vm.take_global("trace").unwrap() }, seen)
}

fn start(module: &Module, tokens: [&str; 3], secret: &str, seed: u64) -> Vm {
    let names = ["TOKEN_A", "TOKEN_B", "TOKEN_C"];
    let requesters = ["one", "two", "six"]
        .iter()
        .zip(names)
        .map(|(name, variable)| json!({"name": name, "token": {"env": variable}, "contentIds": ["*"]}));
    let config = json!({
        "holdHeaders": true, "assignments": [],
        "policies": [{"policyName": "vod", "mediaEncryption": {"enabled": true, "secret": {"env": "SECRET"},
            "speke": {"path": "/speke", "requesters": requesters.collect::<Vec<_>>()}}}],
    });
    let env = names.into_iter().zip(tokens).chain([("SECRET", secret)]);
    let env: BTreeMap<String, String> = env.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let setup = Setup { config: config.to_string(), env, now: NOW, seed };
    Vm::start(module, &setup).unwrap_or_else(|refused| panic!("{refused:?}"))
}

fn post(vm: &mut Vm, token: &str, body: &[u8]) -> Seen {
    let mut request = Request::new("POST", "/speke");
    let fields = [("x-speke-version", "2.0"), ("content-type", "application/xml"), ("x-playlock-speke-token", token)];
    request.headers.extend(fields.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())));
    request.has_body = true;
    request.body = vec![body.to_vec()];
    let seen = vm.exchange(&Envoy::new(true), request, &mut |_| Response::new(200, b""));
    assert_eq!(seen.outcome, Outcome::Complete, "{}", seen.why);
    seen
}

/// Random bytes in hex.
fn hex(random: &mut Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    playlock_host::edge_auth::hex(&bytes)
}

/// A token whose SHA-256 begins with as many bytes of that of [`TOKEN`]: requesters are compared by these digests.
fn alike(bytes: usize, random: &mut Random) -> String {
    let wanted = Sha256::digest(TOKEN);
    loop {
        let token = hex(random);
        if Sha256::digest(&token).iter().zip(&wanted).take_while(|(one, other)| one == other).count() == bytes {
            return token;
        }
    }
}

/// Neither the position of the first wrong letter nor the tokens of the requesters make a difference, and not in the
/// branches and addresses either if only the requesters' tokens differ.
#[test]
fn a_strangers_token_costs_the_same_whatever_the_requesters_are() {
    let mut random = Random::new(5);
    let others = [hex(&mut random), hex(&mut random)];
    for flavour in Flavour::ALL {
        let wrong = |token: &String| ask(flavour, [&others[0], TOKEN, &others[1]], SECRET, 1, token, b"<");
        cost_the_same(&other_digits(TOKEN, TOKEN.len()).iter().map(wrong).collect::<Vec<_>>(), "requester");
        let mut runs = Vec::new();
        for round in 0..12 {
            let [one, two, three] = [round % 3, round / 3 % 3, 0].map(|bytes| alike(bytes, &mut random));
            runs.push(ask(flavour, [&one, &two, &three], SECRET, 1, TOKEN, b"<"));
        }
        cost_the_same(&runs, "requester");
        assert!(runs.iter().all(|(did, _)| did.trace == runs[0].0.trace));
    }
}

/// Key derivation, encryption under the document key and RSA's public operation, whose message is that key: the number of
/// instructions is the same for other secrets and other random bytes. (Addresses depend on the ciphertext, which is
/// public: it is written in Base64.)
#[test]
fn keys_are_encrypted_alike_whatever_they_are() {
    let mut random = Random::new(8);
    let others = [hex(&mut random), hex(&mut random)];
    let tokens = [TOKEN, &others[0], &others[1]];
    for flavour in Flavour::ALL {
        let mut secrets = vec![SECRET.to_owned(), "00".repeat(31) + "01", "ff".repeat(31) + "01"];
        secrets.extend((0..9).map(|_| hex(&mut random)));
        let runs: Vec<_> = secrets
            .iter()
            .zip(1..)
            .map(|(secret, seed)| ask(flavour, tokens, secret, seed, TOKEN, ENCRYPTED.as_bytes()))
            .collect();
        let counts: BTreeSet<u64> = runs.iter().map(|(did, _)| did.instructions).collect();
        assert_eq!(counts.len(), 1, "{counts:?}");
        println!("{counts:?} instructions: two keys for two certificates");
        let bodies: BTreeSet<&Vec<u8>> = runs.iter().map(|(_, seen)| &seen.body).collect();
        assert!(bodies.len() == runs.len() && runs.iter().all(|(_, seen)| seen.status == Some(200)));
        assert!(runs.iter().all(|(_, seen)| seen.body.windows(12).any(|part| part == b"DocumentKey ")));
    }
}

/// Of a stranger's body nothing is read. The costliest documents of a requester cost as much as their certificates, each
/// two of RSA's operations.
#[test]
fn refusals_cost_little_and_answers_are_bounded() {
    let [one, two, three] = [3, 4, 5].map(|seed| hex(&mut Random::new(seed)));
    for (what, token, body, expected, most) in [
        ("a stranger", one.as_str(), &b"<"[..], "requester", STRANGER),
        ("a stranger with a document", &one, ENCRYPTED.as_bytes(), "requester", STRANGER),
        ("a stranger with a long body", &one, &[b'<'; 256 * 1024], "requester", STRANGER),
        ("two keys for two certificates", TOKEN, ENCRYPTED.as_bytes(), "none", TWO_CERTIFICATES),
    ] {
        let mut vm = start(cost::module(), [TOKEN, &two, &three], SECRET, 1);
        // Metrics are defined at the first request.
        post(&mut vm, token, body);
        let before = vm.executed();
        let seen = post(&mut vm, token, body);
        let spent = vm.executed() - before;
        println!("{spent:>9} instructions: {what}");
        assert_eq!(reason(&seen), expected);
        assert!(spent <= most, "{what}: {spent} instructions, at most {most}");
    }
}
