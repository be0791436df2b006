//! Tests the cost of a request before any of its tokens is known to be valid, in instructions of the module. No clock
//! is read.
//!
//! The unit is the cheapest refusal of the same size: a GET without a token, with a target of the same length that
//! contains only letters, and with one foreign cookie and one foreign header as long as those of the hostile request.
//! It is not the hostile target without its token, because expensive targets (escapes, parameters) must be covered too.
//! The policy has two passwords and two secrets, and each forgery is checked against both: the hints of session tokens at
//! the secrets are the same.
//!
//! A hostile request may cost five times the unit. URL tokens may cost eight times, because the URL is checked in each
//! spelling that a generator may have signed, with each password, in both parses of the token. That limit follows from
//! the libraries' vectors during a password rotation (`crates/core/src/token/signed_url.rs`).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use playlock_core::policy::binding::Bound;
use playlock_core::session::token::Fields;
use playlock_core::token::derive::{Keyring, Secret};
use playlock_host::edge_auth::Token;
use playlock_host::envoy::Envoy;
use playlock_host::message::{Ending, Outcome, Request, Response, Seen, Upstream};
use playlock_host::node::{Node, Setup};
use playlock_host::wasm::{self, Flavour, Vm};
use playlock_host::wasmtime::Module;

use crate::{NOW, PASSWORD, SECRET};

/// Maximum cost of a hostile request, relative to a plain one of the same size.
const MOST: u64 = 5;
/// Maximum relative cost of a hostile request with a URL token.
const MOST_OF_URL: u64 = 8;

pub fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| {
        let bytes = std::fs::read(Flavour::Relaxed.path()).expect("run `make wasm`");
        wasm::metered(&bytes).unwrap()
    })
}

/// Three secrets with the same hint in session tokens of the policy, in hex: those of the configuration, and a forger's.
/// `SECRET` is the first of all.
fn namesakes(policy: &str) -> Vec<(Keyring, String)> {
    let of = |number: u16| {
        let secret = format!("{}{number:04x}", &SECRET[..60]);
        let bytes = (0..64).step_by(2).map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap());
        (Keyring::new(&Secret::new(bytes.collect()).unwrap(), policy), secret)
    };
    let own = of(0x1e1f);
    assert_eq!(own.1, SECRET);
    let hint = own.0.secret_id()[0];
    let others = (0..0x1e1f).map(of).filter(|(keyring, _)| keyring.secret_id()[0] == hint).take(2);
    [own].into_iter().chain(others).collect()
}

/// A session token of the policy with a wrong MAC, whose ACL or payload has `length` bytes.
fn forged_session(policy: &str, length: usize, payload: bool) -> String {
    let text = "a".repeat(length);
    let fields = Fields {
        opened: NOW.try_into().unwrap(),
        id: [0; 16],
        lifetime: 86_400,
        bound: Bound::default(),
        access_token: None,
        payload: payload.then_some(&text),
        acl: if payload { "/*" } else { &text },
    };
    fields.sign(&namesakes(policy)[2].0).unwrap()
}

/// A VM with the most expensive configuration: two passwords, two secrets, three algorithms, tokens in all positions.
fn vm() -> Vm {
    let policy = |name: &str, more: serde_json::Value, scope: &str| {
        let mut token_auth = serde_json::json!({"enabled": true, "password": PASSWORD, "transitionPassword": "77".repeat(16),
            "algorithms": ["sha256", "sha1", "md5"], "salt": "NaCl", "sessionTokenTransport": "both"});
        token_auth.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::json!({"policyName": name, "tokenAuth": token_auth,
            "cors": {"allowOrigins": ["https://tv.example"]},
            "mediaEncryption": {"enabled": true, "secret": SECRET, "transitionSecret": namesakes(name)[1].1, "keyScope": scope}})
    };
    // Without an elliptic key: a signature of that kind takes as long for everyone.
    let keys = serde_json::json!([{"kty": "oct", "kid": "Symmetric256", "k": "BO1pH-nFIv2ngFKnNhjNnZV1uWcIdH3fEdbTDFJpXWk"},
        {"kty": "oct", "kid": "Symmetric256", "k": "q0lLZJ1ysLiLNbnY8sJLvV5i5VgqLsK3mZuvQm1-u7s"}]);
    let config = serde_json::json!({
        "policies": [policy("vod", serde_json::json!({"formats": ["edgeauth", "cat"], "cat": {"keys": keys}}), "session"),
            policy("free", serde_json::json!({"enforceOnContentRequest": false}), "stream"),
            policy("path", serde_json::json!({"sessionTokenTransport": "path"}), "session")],
        "assignments": [{"policyName": "vod", "path": "/a/..."}, {"policyName": "free", "path": "/free/..."},
            {"policyName": "path", "path": "/path/..."}],
    });
    let setup = Setup { config: config.to_string(), env: BTreeMap::new(), now: NOW, seed: 1 };
    Vm::start(module(), &setup).unwrap_or_else(|refused| panic!("{refused:?}"))
}

/// The parts of a request that vary.
#[derive(Debug, Clone)]
struct Parts {
    target: String,
    cookie: Option<String>,
    header: Option<String>,
}

impl Parts {
    /// The plain request of the same size.
    fn plain(&self) -> Self {
        let letters = |length: usize| "a".repeat(length);
        let target = format!("/a/{}", letters(self.target.len().saturating_sub(3)));
        let cookie = self.cookie.as_ref().map(|cookie| format!("c={}", letters(cookie.len().saturating_sub(2))));
        Self { target, cookie, header: self.header.as_ref().map(|header| letters(header.len())) }
    }

    /// Measured in a new VM after one refusal, since the first one defines the policy's counters.
    fn cost(&self, header: &str) -> (u64, Seen) {
        let mut vm = vm();
        let folder = ["/free/", "/path/"].into_iter().find(|folder| self.target.contains(folder)).unwrap_or("/a/");
        let warm = &format!("{folder}a.m3u8");
        vm.exchange(&Envoy::new(false), Request::new("GET", warm), &mut |_| Response::new(200, b""));
        let mut request = Request::new("GET", &self.target);
        request.headers.extend(self.cookie.iter().map(|cookie| ("cookie".to_owned(), cookie.clone().into_bytes())));
        request.headers.extend(self.header.iter().map(|value| (header.to_owned(), value.clone().into_bytes())));
        let before = vm.executed();
        let seen = vm.exchange(&Envoy::new(false), request, &mut |_| Response::new(200, b""));
        assert_eq!(seen.outcome, Outcome::Complete, "{}", seen.why);
        (vm.executed() - before, seen)
    }
}

/// Expands placeholders, the innermost first, until none is left.
fn expanded(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(end) = text.find('}') {
        let start = text[..end].rfind('{').expect("its beginning");
        let inner = &text[start + 1..end];
        let value = if let Some(length) = inner.strip_prefix("session:") {
            forged_session("vod", length.parse().expect("a number"), false)
        } else if let Some(length) = inner.strip_prefix("session in the path:") {
            forged_session("path", length.parse().expect("a number"), false)
        } else if let Some(length) = inner.strip_prefix("session with payload:") {
            forged_session("vod", length.parse().expect("a number"), true)
        } else if let Some(fields) = inner.strip_prefix("token:") {
            format!("exp={}~{fields}~hmac={}", NOW + 60, "0123456789abcdef".repeat(4))
        } else {
            let (piece, times) = inner.rsplit_once('*').expect("TEXT*N");
            piece.repeat(times.parse().expect("a number"))
        };
        text.replace_range(start..=end, &value);
    }
    text
}

#[test]
fn a_request_without_a_good_token_costs_little_more_than_one_without_any() {
    let mut dear = Vec::new();
    for line in include_str!("hostile.tsv").lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [target, cookie, header, reason] = columns[..] else { panic!("{line}: four columns") };
        let given = |column: &str| (column != "-").then(|| expanded(column));
        let hostile = Parts { target: expanded(target), cookie: given(cookie), header: given(header) };
        let (cost, seen) = hostile.cost("hdnts");
        let found = seen.state.get("wasm.playlock.reason").map_or("none", String::as_str);
        let (plain, _) = hostile.plain().cost("x-none");
        println!("{:>5.2} {cost:>9} {plain:>8} {found:<10} {line}", cost as f64 / plain as f64);
        // A token for an access token's place, without an ACL, that is read.
        let of_url = line.contains("hdnts={token:id=") && reason == "signature";
        if cost > if of_url { MOST_OF_URL } else { MOST } * plain || found != reason {
            dear.push(format!("{cost} instructions, a plain request {plain}, refused as {found}: {line}"));
        }
    }
    assert!(dear.is_empty(), "{}", dear.join("\n"));
}

/// The cost of an exchange on a VM that has processed a similar one.
fn executed(vm: &mut Vm, target: &str, body: &[u8]) -> (u64, Seen) {
    let before = vm.executed();
    let seen = vm.exchange(&Envoy::new(false), Request::new("GET", target), &mut |_| {
        Response::new(200, body).cut(65_536, Ending::WithData)
    });
    assert_eq!(seen.outcome, Outcome::Complete, "{}", seen.why);
    (vm.executed() - before, seen)
}

fn access_token() -> String {
    Token { exp: Some(NOW + 60), acl: Some("/*".into()), salt: Some("NaCl".into()), ..Token::default() }
        .sign("sha256", PASSWORD)
        .unwrap()
}

/// A playlist with many variables and references costs little more than the same bytes without references. The lines have
/// the maximum length, and no name can be told apart by its first bytes.
#[test]
fn variables_cost_little_more_than_the_bytes_they_stand_in() {
    let target = format!("/a/index.m3u8?hdnts={}", access_token());
    let define = |name: &str| format!("#EXT-X-DEFINE:NAME=\"{name}\",VALUE=\"\"\n");
    let many: String = (0..2400).map(|number| define(&format!("v{number}"))).chain([define("z")]).collect();
    let alike: String =
        (0..1500).map(|number| define(&format!("a-long-name-{number:04}"))).chain([define("z")]).collect();
    let imports: String = "#EXT-X-DEFINE:IMPORT=\"none\"\n".repeat(30_000);
    let queries: String = "#EXT-X-DEFINE:QUERYPARAM=\"none\"\n".repeat(30_000);
    let lines = |reference: &str, times: usize| format!("#EXTINF:4,\n{}.ts\n", reference.repeat(times)).repeat(8);
    let document =
        |defines: &str, lines: &str| format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n{defines}{lines}#EXT-X-ENDLIST\n");
    for (what, most, defines, with, without) in [
        ("short names", 10, &many, lines("{$z}", 31_000), lines("xxxx", 31_000)),
        ("other short names", 10, &many, lines("{$v7}", 25_000), lines("xxxxx", 25_000)),
        ("names alike", 10, &alike, lines("{$a-long-name-0007}", 6_500), lines("xxxxxxxxxxxxxxxxxxx", 6_500)),
        ("no references", 10, &many, lines("{{$z", 31_000), lines("xxxx", 31_000)),
        ("imports", 10, &imports, String::new(), String::new()),
        ("parameters", 10, &queries, String::new(), String::new()),
    ] {
        let mut vm = vm();
        let query = if what == "parameters" { "a=1&".repeat(10_000) } else { String::new() };
        let target = target.replace('?', &format!("?{query}"));
        executed(&mut vm, &target, document("", "").as_bytes());
        let (cost, seen) = executed(&mut vm, &target, document(defines, &with).as_bytes());
        assert_eq!(seen.status, Some(200), "{what}");
        let plain = if without.is_empty() {
            document(&defines.replace("DEFINE", "DEFINF"), "")
        } else {
            document(defines, &without)
        };
        let (plain, _) = executed(&mut vm, &target, plain.as_bytes());
        println!("{:>5.2} {cost:>9} {plain:>8} {what}", cost as f64 / plain as f64);
        assert!(cost <= most * plain, "{what}: {cost} instructions, without them {plain}");
    }
}

/// The end of a stream costs the same, regardless of how many others wait for a slow authorizer.
#[test]
fn streams_that_wait_cost_others_nothing() {
    let config = serde_json::json!({
        "policies": [{"policyName": "vod", "tokenAuth": {"enabled": true, "password": PASSWORD, "salt": "NaCl"}, "mediaEncryption": {"enabled": true,
            "secret": SECRET, "keyAuthorizer": {"cluster": "may", "path": "/may"}}}],
        "assignments": [{"policyName": "vod", "path": "/a/..."}],
    });
    let setup = Setup { config: config.to_string(), env: BTreeMap::new(), now: NOW, seed: 1 };
    let mut vm = Vm::start(module(), &setup).unwrap_or_else(|refused| panic!("{refused:?}"));
    let media = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg.ts\n#EXT-X-ENDLIST\n";
    let (_, seen) = executed(&mut vm, &format!("/a/index.m3u8?hdnts={}", access_token()), media);
    let body = String::from_utf8(seen.body).unwrap();
    let key = body.split_once("URI=\"").unwrap().1.split('"').next().unwrap();
    executed(&mut vm, "/a/seg.ts", b"");
    let (alone, _) = executed(&mut vm, "/a/seg.ts", b"");
    for _ in 0..2000 {
        let clusters = BTreeMap::from([("may".to_owned(), Upstream::IsSilent)]);
        vm.leave_waiting(Request { clusters, ..Request::new("GET", key) }).unwrap();
    }
    let (among, _) = executed(&mut vm, "/a/seg.ts", b"");
    println!("{alone} instructions alone, {among} among 2000 that wait");
    assert!(among < alone * 11 / 10, "{alone} instructions alone, {among} among 2000 that wait");
}
