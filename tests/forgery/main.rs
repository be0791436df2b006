//! Tests forgeries: derives tens of thousands of forgeries from valid requests and compares each result with
//! `expected.tsv`. All run through the core's `Exchange`. A sample of every class runs through both modules of `make
//! wasm` and is written to `target/forgeries.jsonl` for the real Envoy (`tests/envoy/test_forgeries.py`).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, reason = "a test")]

mod binary;
mod cat;
mod cross;
mod fixture;
mod in_path;
mod jwt;
mod mutate;
mod samples;
mod speke;
mod table;
mod times;
mod uri_signing;
mod valid;

use std::collections::BTreeMap;
use std::fmt::Write;

use playlock_host::envoy::Envoy;
use playlock_host::message::{Header, Outcome, Request, Response};
use playlock_host::node::{Node, Setup};
use playlock_host::wasm::{self, Flavour, Vm};

use fixture::{Answer, Ask, Fixture, NOW, PLAINTEXT};
use table::{Case, Tally};
use valid::{Kind, Place, Slot, Valid};

/// For tokens that are similar to others, one of this many mutations of each class is made.
const STRIDE: usize = 199;

/// The result of a forgery: the reason code of a refusal; `same` for the response to the valid request, `sealed` for other
/// ciphertext, `rewritten` for a playlist of another session, `key` for another key, `clear` for another resource that is
/// protected by tokens without encryption, `absent` if the origin has no such file.
fn verdict(own: &Answer, answer: &Answer) -> String {
    let holds = |part: &[u8]| answer.body.windows(part.len()).any(|window| window == part);
    if let Some(reason) = answer.reason {
        return reason.word().into();
    }
    if (&own.body, &own.headers, own.status) == (&answer.body, &answer.headers, answer.status) {
        return "same".into();
    }
    match answer.kind {
        _ if answer.status == 404 => "absent",
        _ if holds(PLAINTEXT) => "PLAINTEXT",
        "segment" if answer.body.len().is_multiple_of(16) => "sealed",
        "playlist" if answer.set_cookie.is_some() || holds(b"hdntl=") || holds(b"pass=") => "rewritten",
        "playlist" if holds(b"/~") => "rewritten",
        "playlist" if holds(b"#EXT-X-KEY:METHOD=AES-128") => "rewritten",
        "key" if answer.body.len() == 16 => "key",
        "clear" => "clear",
        _ => "NEITHER",
    }
    .into()
}

/// Makes all forgeries and passes them to `take`. Tokens that are similar to others are mutated only in part.
fn forge(fixture: &Fixture, valid: &[Valid], take: &mut dyn FnMut(Case, &Valid, Ask)) {
    let mut take = |class: &str, slot: Slot, own: &Valid, ask: Ask| {
        let case = Case {
            class: class.into(),
            token: format!("{:?}", slot.kind),
            place: slot.place.to_string(),
            policy: own.policy,
            what: own.what,
        };
        take(case, own, ask);
    };
    let mut seen = Vec::new();
    for own in valid.iter().filter(|own| own.viewer == 7) {
        for slot in &own.slots {
            let shape = (own.policy, own.what, slot.kind, slot.place.to_string());
            let thorough = matches!(
                (own.policy, own.what, slot.kind, slot.place),
                ("query", "master", Kind::Access, _)
                    | ("query", "segment", Kind::Session, _)
                    | ("query", "key", Kind::Signed, _)
                    | ("cookie", "segment", Kind::Session, Place::Cookie(_))
            ) && !seen.contains(&shape);
            seen.push(shape);
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            let mut put = |class: &str, value: Vec<u8>| {
                let count = counts.entry(class.into()).or_default();
                *count += 1;
                // The longest take as long as a hundred others.
                if *count % STRIDE == 1 || (thorough && !class.starts_with("overlong")) {
                    take(class, *slot, own, own.with(slot.place, value));
                }
            };
            mutate::all(slot.kind, slot.place, own.value(slot.place), &mut put);
            if slot.kind == Kind::Session {
                binary::all(own.policy, own.value(slot.place), &mut put);
            }
        }
    }
    cross::exchanged(valid, &mut take);
    cross::places(valid, &mut take);
    in_path::all(valid, &mut take);
    cross::strangers(valid, &mut take);
    cross::elsewhere(valid, &mut take);
    times::times(fixture, &mut take);
    times::session_times(valid, &mut take);
}

/// A forgery of the sample, with the core's result.
struct Sample {
    case: Case,
    ask: Ask,
    answer: Answer,
    verdict: String,
}

#[test]
fn every_forgery_is_denied_for_its_reason() {
    let fixture = Fixture::new();
    let valid = valid::all(&fixture);
    let (mut tally, mut samples, mut sampled) =
        (Tally::new("expected.tsv", include_str!("expected.tsv")), Vec::new(), BTreeMap::new());
    let mut refusals = BTreeMap::new();
    forge(&fixture, &valid, &mut |case, own, ask| {
        let answer = fixture.answer(&ask);
        let verdict = verdict(&own.answer, &answer);
        // Whatever the cause: a stranger learns the reason's word and nothing else.
        if answer.reason.is_some() {
            let said = (answer.status, answer.headers.clone(), answer.body.clone());
            assert_eq!(refusals.entry(verdict.clone()).or_insert_with(|| said.clone()), &said, "{case:?}");
        }
        tally.add(&case, &verdict, || {
            let mut target = String::from_utf8_lossy(&ask.target()).into_owned();
            target.truncate(target.char_indices().nth(300).map_or(target.len(), |(at, _)| at));
            format!("{target} {:?}", ask.cookies)
        });
        let times: &mut usize =
            sampled.entry((case.class.clone(), case.token.clone(), case.place.clone(), verdict.clone())).or_default();
        *times += 1;
        if *times == 1 {
            samples.push(Sample { case, ask, answer, verdict });
        }
    });
    tally.print();
    tally.check();
    through_the_modules(&fixture, &samples);
    leave_for_envoy(&samples);
}

/// Runs the sample through both modules, in the in-memory Envoy: the reasons must be the same, and the bytes, too, if no
/// session is opened.
fn through_the_modules(fixture: &Fixture, samples: &[Sample]) {
    for flavour in Flavour::ALL {
        let setup = Setup { config: fixture::POLICIES.into(), env: BTreeMap::new(), now: NOW, seed: 0 };
        let mut vm = Vm::start(wasm::module(flavour).unwrap(), &setup).unwrap();
        for Sample { case, ask, answer, .. } in samples {
            let mut request = Request::new(&ask.method, "/");
            request.headers = ask.all_headers();
            request.client = ask.client.clone();
            vm.set_now(ask.now);
            let seen = vm.exchange(&Envoy::new(false), request, &mut |headers: &[Header]| origin(fixture, headers));
            assert_eq!(seen.outcome, Outcome::Complete, "{case:?}: {}", seen.why);
            let reason = seen.state.get("wasm.playlock.reason").map(String::as_str);
            assert_eq!(reason, answer.reason.map(|reason| reason.word()), "{case:?} in {flavour:?}");
            assert_eq!(seen.status, Some(answer.status), "{case:?} in {flavour:?}");
            assert_eq!(seen.origin.is_some(), answer.asked.is_some(), "{case:?} in {flavour:?}");
            if matches!(answer.kind, "segment" | "clear" | "key") && answer.reason.is_none() {
                assert!(seen.body == answer.body, "{case:?} in {flavour:?}: another body");
            }
        }
    }
    println!("{:>7}  through each module", samples.len());
}

fn origin(fixture: &Fixture, headers: &[Header]) -> Response {
    let value = |name: &str| headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_slice());
    let (head, body) = fixture.origin(value(":path").unwrap(), value("range"));
    let status = std::str::from_utf8(&head[0].1).unwrap().parse().unwrap();
    let mut response = Response::new(status, &body);
    response.headers = head;
    response
}

/// Writes a line of JSON for each, with bytes in hex.
fn leave_for_envoy(samples: &[Sample]) {
    let hex = playlock_host::edge_auth::hex;
    let mut lines = String::new();
    for Sample { case, ask, verdict, .. } in samples.iter().filter(|sample| sample.ask.now == NOW) {
        let headers: Vec<_> = ask.all_headers().iter().map(|(name, value)| [name.clone(), hex(value)]).collect();
        let line = serde_json::json!({
            "class": case.class, "token": case.token, "place": case.place, "policy": case.policy, "what": case.what,
            "headers": headers, "client": ask.client, "verdict": verdict,
        });
        writeln!(lines, "{line}").unwrap();
    }
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/target/forgeries.jsonl"), lines).unwrap();
}
