//! Forgeries of JSON Web Tokens: mutations of a valid token of each algorithm, all of which are refused. The reasons that
//! each class may have are in `expected-jwt.tsv`. They run through the core's verifier, as part of an `Exchange`.

use std::collections::BTreeMap;

use playlock_core::exchange::Exchange;
use playlock_core::policy::Policies;
use playlock_core::step::{Known, Request, RequestStep};
use std::rc::Rc;

const NOW: u64 = 4_000_000_000;
const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// One in this many digits is tried in each place: a signature of RSA takes some hundred thousand instructions.
const STRIDE: usize = 17;

/// Valid tokens of each algorithm and for each viewer, and the configuration with their keys, by `jwt.py`.
fn fixture() -> serde_json::Value {
    serde_json::from_str(include_str!("jwt.json")).unwrap()
}

/// The reason of the refusal, or `opened`.
fn verdict(policies: &Rc<Policies>, token: &[u8]) -> String {
    let header = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
    let target = [&b"/vod/film/master.m3u8?token="[..], token].concat();
    let headers = [
        header(":method", b"GET"),
        header(":path", &target),
        header(":authority", b"edge.example"),
        header(":scheme", b"https"),
    ];
    let attributes = Known::default();
    let request = Request { headers: &headers, attributes: &attributes, now: NOW, end_of_stream: true };
    match Exchange::open(policies, &request, &mut || [7; 16]).1 {
        RequestStep::Reply(reply) => reply.reason.unwrap().word().into(),
        RequestStep::Forward(_) => "opened".into(),
        RequestStep::Collect => panic!("no policy has a key server for packagers"),
        RequestStep::Ask(call) => panic!("nobody is to be asked: {call:?}"),
    }
}

/// All mutations of a token, each with its class.
fn mutations(token: &str, others: &[&str], take: &mut dyn FnMut(&str, Vec<u8>)) {
    let parts: Vec<&str> = token.split('.').collect();
    let names = ["header", "claims", "signature"];
    let mut at = 0;
    for (name, part) in names.iter().zip(&parts) {
        for (offset, byte) in part.bytes().enumerate() {
            let mut with = |class: String, byte: u8| {
                let mut bytes = token.as_bytes().to_vec();
                bytes[at + offset] = byte;
                take(&class, bytes);
            };
            for digit in DIGITS.iter().skip(offset % STRIDE).step_by(STRIDE).filter(|digit| **digit != byte) {
                with(format!("another digit in the {name}"), *digit);
            }
            for other in b"=+/.~ %&".iter().skip(offset % 5).step_by(5).copied() {
                with(format!("no digit in the {name}"), other);
            }
        }
        for cut in (1..=part.len()).filter(|cut| *cut < 5 || cut % STRIDE == 0) {
            let bytes = token.as_bytes();
            take(&format!("the {name} cut"), [&bytes[..at + part.len() - cut], &bytes[at + part.len()..]].concat());
        }
        for more in ["A", "AA", "AAAA", "="] {
            let (before, after) = token.split_at(at + part.len());
            take(&format!("the {name} longer"), [before, more, after].concat().into_bytes());
        }
        at += part.len() + 1;
    }
    for other in others {
        let theirs: Vec<&str> = other.split('.').collect();
        for (index, name) in names.iter().enumerate() {
            let mut mixed = parts.clone();
            mixed[index] = theirs[index];
            if mixed != parts && mixed != theirs {
                take(&format!("the {name} of another token"), mixed.join(".").into_bytes());
            }
        }
    }
    for length in [0, 1, 32, 63, 64, 65, 256, 512] {
        for digit in ["A", "_"] {
            let whole = digit.repeat(length * 4 / 3) + ["", "A", "A"][length % 3];
            let class = if length == 0 { "no signature" } else { "a signature of one digit" };
            take(class, [parts[0], parts[1], &whole].join(".").into_bytes());
        }
    }
    take("four parts", format!("{token}.{}", parts[2]).into_bytes());
    take("five parts", format!("{token}.{}.{}", parts[2], parts[2]).into_bytes());
    take("two parts", [parts[0], parts[1]].join(".").into_bytes());
    take("twice", [token, token].concat().into_bytes());
}

/// The refusals that each class may have.
fn expected() -> BTreeMap<&'static str, Vec<&'static str>> {
    let lines = include_str!("expected-jwt.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once('\t').unwrap()).map(|(class, words)| (class, words.split(' ').collect())).collect()
}

#[test]
fn every_forgery_of_a_json_web_token_is_denied_for_its_reason() {
    let fixture = fixture();
    let (policies, _) = playlock_config::parse(fixture["config"].to_string().as_bytes(), &|_| None).unwrap();
    let policies = Rc::new(policies);
    let texts = |name: &str| -> Vec<String> {
        let texts = fixture[name].as_array().unwrap().iter();
        texts.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let valid = texts("valid");
    for token in &valid {
        assert_eq!(verdict(&policies, token.as_bytes()), "opened", "{token}");
    }
    let mut seen: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for token in &valid {
        let others: Vec<&str> = valid.iter().filter(|other| *other != token).map(String::as_str).collect();
        mutations(token, &others, &mut |class, forged| {
            let count = seen.entry(class.to_owned()).or_default().entry(verdict(&policies, &forged)).or_default();
            *count += 1;
        });
    }
    for (class, tokens) in fixture["forged"].as_object().unwrap() {
        for token in tokens.as_array().unwrap() {
            let verdict = verdict(&policies, token.as_str().unwrap().as_bytes());
            *seen.entry(class.clone()).or_default().entry(verdict).or_default() += 1;
        }
    }
    for (class, verdicts) in &seen {
        println!("{class}: {verdicts:?}");
    }
    let expected = expected();
    let mut wrong = Vec::new();
    for (class, verdicts) in &seen {
        let words: Vec<&str> = verdicts.keys().map(String::as_str).collect();
        if expected.get(class.as_str()) != Some(&words) {
            wrong.push(format!("{class}: {words:?}, expected {:?}", expected.get(class.as_str())));
        }
    }
    wrong.extend(
        expected.keys().filter(|class| !seen.contains_key(**class)).map(|class| format!("{class}: no forgeries")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
