//! Tests that timing reveals no secrets. The modules of `make wasm` are instrumented to record every address and branch
//! (`trace.rs`) and run with instructions counted. Runs that differ only in secrets must execute the same instructions
//! in the same order. No clock is read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test"
)]

mod cost;
mod hosts;
mod packagers;
mod samples;
mod signatures;
mod trace;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use playlock_core::token::derive::{Keyring, Secret};
use playlock_host::edge_auth::Token;
use playlock_host::envoy::Envoy;
use playlock_host::message::{Outcome, Request, Response, Seen};
use playlock_host::node::{Node, Random, Setup};
use playlock_host::wasm::{self, Flavour, Vm};
use playlock_host::wasmtime::{Instance, Module, Store};

const NOW: u64 = 1_700_000_000;
const PASSWORD: &str = "52a152a152a152a152a152a152a152a1";
const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const MEDIA: &[u8] = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg.ts\n#EXT-X-ENDLIST\n";

/// A module that records its trace, compiled once.
fn module(flavour: Flavour) -> &'static Module {
    static MODULES: [OnceLock<Module>; 2] = [const { OnceLock::new() }; 2];
    MODULES[usize::from(flavour == Flavour::Strict)].get_or_init(|| {
        let bytes = std::fs::read(flavour.path()).expect("run `make wasm`");
        wasm::metered(&trace::traced(&bytes)).unwrap()
    })
}

/// The trace of one exchange in a new VM: the number of instructions, and the sum over addresses and branches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Did {
    instructions: u64,
    trace: i64,
}

/// One request to a VM with these secrets.
fn ask(
    flavour: Flavour,
    [password, secret]: [&str; 2],
    target: &str,
    cookie: Option<&str>,
    body: &[u8],
) -> (Did, Seen) {
    let env = [("PASSWORD", password), ("SECRET", secret)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = serde_json::json!({
        "policies": [{"policyName": "vod",
            "tokenAuth": {"enabled": true, "password": {"env": "PASSWORD"}, "algorithms": ["sha256", "sha1", "md5"],
                "sessionTokenTransport": "both"},
            "mediaEncryption": {"enabled": true, "secret": {"env": "SECRET"}}}],
        "assignments": [{"policyName": "vod", "path": "/..."}],
    });
    let setup = Setup { config: config.to_string(), env: BTreeMap::from(env), now: NOW, seed: 1 };
    let mut vm = Vm::start(module(flavour), &setup).unwrap_or_else(|refused| panic!("{refused:?}"));
    let mut request = Request::new("GET", target);
    request.headers.extend(cookie.map(|cookie| ("cookie".to_owned(), cookie.as_bytes().to_vec())));
    let before = vm.executed();
    vm.take_global("trace").unwrap();
    let seen = vm.exchange(&Envoy::new(false), request, &mut |_| Response::new(200, body));
    assert_eq!(seen.outcome, Outcome::Complete, "{}", seen.why);
    let did = Did { instructions: vm.executed() - before, trace: vm.take_global("trace").unwrap() };
    assert!(did.instructions > 1000);
    (did, seen)
}

fn reason(seen: &Seen) -> &str {
    seen.state.get("wasm.playlock.reason").map_or("none", String::as_str)
}

/// Variants of `text`, each with another hex digit at one of the last positions. Parsing may depend on the input, so
/// letters stay letters.
fn other_digits(text: &str, last: usize) -> Vec<String> {
    let other = |digit: u8| match digit {
        b'0'..=b'8' | b'a'..=b'e' => Some(digit + 1),
        b'9' => Some(b'0'),
        b'f' => Some(b'a'),
        _ => None,
    };
    let from = text.len() - last;
    let places: Vec<_> = (from..text.len()).filter(|at| other(text.as_bytes()[*at]).is_some()).collect();
    // At the beginning, at the end and in between.
    assert!(places[0] < from + 4 && places[places.len() - 1] + 4 >= text.len() && places.len() > last / 2, "{text}");
    let change = |at: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = other(bytes[at]).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    places.into_iter().map(change).collect()
}

/// All variants must be refused for this reason, with the same response and the same number of instructions.
fn cost_the_same(runs: &[(Did, Seen)], expected: &str) {
    for (did, seen) in runs {
        assert_eq!(reason(seen), expected, "{}", String::from_utf8_lossy(&seen.body));
        let all: Vec<_> = runs.iter().map(|(did, _)| did.instructions).collect();
        assert_eq!(did.instructions, runs[0].0.instructions, "{all:?}");
        assert_eq!((seen.status, &seen.headers, &seen.body), (runs[0].1.status, &runs[0].1.headers, &runs[0].1.body));
    }
}

/// A session token, and the signed parameter of its key URL.
fn session(flavour: Flavour) -> (String, String) {
    let token =
        Token { exp: Some(NOW + 60), acl: Some("/*".into()), ..Token::default() }.sign("sha256", PASSWORD).unwrap();
    let (_, seen) = ask(flavour, [PASSWORD, SECRET], &format!("/a/index.m3u8?hdnts={token}"), None, MEDIA);
    let body = String::from_utf8(seen.body).unwrap();
    let between = |from: &str, to: &[char]| body.split_once(from).unwrap().1.split(to).next().unwrap().to_owned();
    (between("hdntl=", &['"', '&', '\n']), between("plk=", &['"', '&']))
}

/// Variants of a MAC of 16 bytes in base64url at the end of `text`, each with another letter at one position. The first
/// and the last letter have bits that belong to other bytes or to none.
fn other_letters(text: &str) -> Vec<String> {
    let other = |at: usize| if &text[at..=at] == "A" { "B" } else { "A" };
    let change = |at: usize| format!("{}{}{}", &text[..at], other(at), &text[at + 1..]);
    (text.len() - 21..text.len() - 1).map(change).collect()
}

/// A session's cookie.
fn cookie(token: &str) -> String {
    format!("hdntl-{}={token}", &token[8..16])
}

/// The position of the first wrong digit of a MAC makes no difference. (Table lookups may depend on the digits sent.)
#[test]
fn a_mac_is_compared_to_its_end() {
    for flavour in Flavour::ALL {
        for algorithm in ["sha256", "sha1", "md5"] {
            let token = Token { exp: Some(NOW + 60), acl: Some("/*".into()), ..Token::default() };
            let token = token.sign(algorithm, PASSWORD).unwrap();
            let digits = token.split_once("~hmac=").unwrap().1.len();
            let forged = other_digits(&token, digits);
            let ask =
                |token: &String| ask(flavour, [PASSWORD, SECRET], &format!("/a/index.m3u8?hdnts={token}"), None, MEDIA);
            cost_the_same(&forged.iter().map(ask).collect::<Vec<_>>(), "signature");
        }
        let (token, key) = session(flavour);
        let forged = other_letters(&token);
        let ask_segment =
            |token: &String| ask(flavour, [PASSWORD, SECRET], "/a/seg.ts", Some(&cookie(token)), b"media");
        cost_the_same(&forged.iter().map(ask_segment).collect::<Vec<_>>(), "signature");
        let forged = other_letters(&key);
        let ask_key =
            |key: &String| ask(flavour, [PASSWORD, SECRET], &format!("/serve.key?plk={key}&hdntl={token}"), None, b"");
        cost_the_same(&forged.iter().map(ask_key).collect::<Vec<_>>(), "parameter");
    }
}

/// The hint at this secret in session tokens of the policy, which is not secret.
fn hint(secret: &str) -> u8 {
    let bytes = (0..secret.len()).step_by(2).map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap());
    Keyring::new(&Secret::new(bytes.collect()).unwrap(), "vod").secret_id()[0]
}

/// The cost of a wrong token does not depend on the password and the secret, except on whether the session token's hint
/// names the secret, which the token shows anyway.
#[test]
fn what_a_wrong_token_costs_does_not_depend_on_the_secrets() {
    let mut random = Random::new(9);
    let mut hex = |bytes: usize| {
        let mut made = vec![0; bytes];
        random.fill(&mut made);
        playlock_host::edge_auth::hex(&made)
    };
    let mut others: Vec<[String; 2]> = (0..12).map(|_| [hex(16), hex(32)]).collect();
    // Not twice the same, which would be warned of when the configuration loads.
    others.extend(["00", "ff"].map(|byte| [byte.repeat(16), byte.repeat(31) + "01"]));
    others.retain(|[_, secret]| hint(secret) != hint(SECRET));
    let mut hinted: Vec<[String; 2]> = Vec::new();
    while hinted.len() < 6 {
        let pair = [hex(16), hex(32)];
        if hint(&pair[1]) == hint(SECRET) {
            hinted.push(pair);
        }
    }
    assert!(others.len() > 10);
    for flavour in Flavour::ALL {
        let (token, key) = session(flavour);
        let access =
            Token { exp: Some(NOW + 60), acl: Some("/*".into()), ..Token::default() }.sign("sha256", "77").unwrap();
        for (target, cookie, expected) in [
            (format!("/a/index.m3u8?hdnts={access}"), None, "signature"),
            (format!("/a/index.m3u8?hdntl={token}"), None, "signature"),
            ("/a/seg.ts".to_owned(), Some(cookie(&token)), "signature"),
            (format!("/serve.key?plk={key}&hdntl={token}"), None, "signature"),
            (format!("/serve.key?plk={key}"), None, "missing"),
            ("/a/seg.ts".to_owned(), None, "missing"),
        ] {
            let ask =
                |[password, secret]: &[String; 2]| ask(flavour, [password, secret], &target, cookie.as_deref(), MEDIA);
            for secrets in [&others, &hinted] {
                let runs: Vec<_> = secrets.iter().map(ask).collect();
                cost_the_same(&runs, expected);
                assert!(runs.iter().all(|(did, _)| did.trace == runs[0].0.trace), "{target}");
            }
        }
    }
}

/// The trace of the module does not depend on the plaintext.
#[test]
fn a_segment_is_encrypted_alike_whatever_it_holds() {
    let mut random = Random::new(4);
    for flavour in Flavour::ALL {
        let (token, _) = session(flavour);
        let mut bodies = vec![vec![0; 4000], vec![0xff; 4000]];
        bodies.extend((0..10).map(|_| {
            let mut body = vec![0; 4000];
            random.fill(&mut body);
            body
        }));
        let target = format!("/a/seg.ts?hdntl={token}");
        let runs: Vec<_> = bodies.iter().map(|body| ask(flavour, [PASSWORD, SECRET], &target, None, body)).collect();
        let sums: BTreeSet<_> = runs.iter().map(|(did, _)| did).collect();
        assert_eq!(sums.len(), 1, "{sums:?}");
        let ciphertexts: BTreeSet<_> = runs.iter().map(|(_, seen)| &seen.body).collect();
        assert_eq!(ciphertexts.len(), runs.len());
        assert!(ciphertexts.iter().all(|body| body.len() == 4016));
    }
}

/// The trace of the cipher does not depend on key, IV and plaintext.
#[test]
fn the_cipher_does_the_same_with_every_key() {
    for flavour in Flavour::ALL {
        let name = if flavour == Flavour::Strict { "aes128-strict.wasm" } else { "aes128.wasm" };
        let bytes = std::fs::read(flavour.path().with_file_name(name)).expect("run `make wasm`");
        let module = wasm::metered(&trace::traced(&bytes)).unwrap();
        let mut random = Random::new(7);
        let mut sums = BTreeSet::new();
        for run in 0..40_u8 {
            let mut store = Store::new(module.engine(), ());
            store.set_fuel(1 << 40).unwrap();
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let memory = instance.get_memory(&mut store, "memory").unwrap();
            let buffer = instance.get_typed_func::<(u32, u32), u32>(&mut store, "buffer").unwrap();
            for (what, blocks) in [("start", 2), ("encrypt", 64)] {
                let at = buffer.call(&mut store, (0, blocks)).unwrap() as usize;
                let mut content = vec![if run == 0 { 0 } else { 0xff }; blocks as usize * 16];
                if run > 1 {
                    random.fill(&mut content);
                }
                memory.write(&mut store, at, &content).unwrap();
                instance.get_typed_func::<u32, ()>(&mut store, what).unwrap().call(&mut store, 0).unwrap();
            }
            let trace = instance.get_global(&mut store, "trace").unwrap().get(&mut store).i64().unwrap();
            sums.insert(Did { instructions: store.get_fuel().unwrap(), trace });
        }
        assert_eq!(sums.len(), 1, "{sums:?}");
    }
}

/// The trace differs with another branch, another address or another length.
#[test]
fn the_trace_tells_differences() {
    let flavour = Flavour::Relaxed;
    let one = |target: &str| ask(flavour, [PASSWORD, SECRET], target, None, MEDIA).0;
    assert_eq!(one("/a/seg.ts"), one("/a/seg.ts"));
    let two = [one("/a/seg.ts?hdntl=7"), one("/a/seg.ts?hdntl=%")];
    assert_ne!(two[0].trace, two[1].trace);
    let (token, key) = session(flavour);
    let last = key.len() - 5;
    let traces: BTreeSet<_> = ["A", "b", "7", "_"]
        .map(|digit| {
            ask(
                flavour,
                [PASSWORD, SECRET],
                &format!("/serve.key?plk={}{digit}{}&hdntl={token}", &key[..last], &key[last + 1..]),
                None,
                b"",
            )
            .0
            .trace
        })
        .into();
    assert_eq!(traces.len(), 4, "a table's addresses are seen");
}
