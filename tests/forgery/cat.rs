//! Forgeries of Common Access Tokens, derived from the valid vectors of another implementation. `cat.tsv` has the expected
//! results per class.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use playlock_core::exchange::Exchange;
use playlock_core::policy::Policies;
use playlock_core::step::{Known, Request, RequestStep};
use playlock_host::envoy::Envoy;
use playlock_host::message::{self, Header, Response};
use playlock_host::node::{Node, Setup};
use playlock_host::wasm::{self, Flavour, Vm};
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000;
const TARGET: &str = "/vod/film/master.m3u8";

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/cat.json")).unwrap()
}

fn config() -> String {
    json!({
        "policies": [{
            "policyName": "vod",
            "tokenAuth": {"enabled": true, "formats": ["cat"], "cat": {"keys": vectors()["keys"]}},
            "mediaEncryption": {"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f"},
        }],
        "assignments": [{"policyName": "vod", "path": "/..."}],
    })
    .to_string()
}

/// A forgery: its class, and the request's target and further headers.
struct Forgery {
    class: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
}

/// The token of the vector with this description.
fn token(about: &str) -> String {
    let file = vectors();
    let vector = file["vectors"].as_array().unwrap().iter().find(|vector| vector["about"] == about).unwrap();
    vector["token"].as_str().unwrap().into()
}

/// The parts of a token of `cwt`: protected header, payload and signature, each with its head, behind `head`.
fn parts(token: &[u8]) -> [Vec<u8>; 5] {
    let mut rest = &token[4..];
    let mut next = || {
        let length = match rest[0] & 0x1f {
            24 => usize::from(rest[1]) + 2,
            short => usize::from(short) + 1,
        };
        let length = if rest[0] == 0xa0 { 1 } else { length };
        let (part, tail) = rest.split_at(length);
        rest = tail;
        part.to_vec()
    };
    [token[..4].to_vec(), next(), next(), next(), next()]
}

fn forge() -> Vec<Forgery> {
    let mut all = Vec::new();
    let mut put = |class, target: String, headers| all.push(Forgery { class, target, headers });
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let query = |token: &str| format!("{TARGET}?cat={token}");
    let names = ["HS256 of cwt", "ES256 of cwt", "catu: path prefix", "catu: path exact"];
    let tokens: Vec<String> = names.iter().map(|name| token(name)).collect();
    let bytes: Vec<Vec<u8>> = tokens.iter().map(|token| URL_SAFE_NO_PAD.decode(token).unwrap()).collect();
    for (own, token) in bytes.iter().zip(&tokens) {
        put("valid", query(token), vec![]);
        for at in 0..own.len() {
            for bit in 0..8 {
                let mut forged = own.clone();
                forged[at] ^= 1 << bit;
                put("a bit", query(&text(&forged)), vec![]);
            }
            put("cut", query(&text(&own[..at])), vec![]);
            for byte in [0, 0xff, 0xf6, 0x40] {
                let mut forged = own.clone();
                forged.insert(at, byte);
                put("a byte more", query(&text(&forged)), vec![]);
            }
            let mut forged = own.clone();
            forged.remove(at);
            // The third byte is the tag of COSE, which is optional.
            put(if at == 2 { "without the tag of COSE" } else { "a byte less" }, query(&text(&forged)), vec![]);
        }
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at].is_ascii_lowercase() { forged[at] - 32 } else { b'a' };
            let forged = String::from_utf8(forged).unwrap();
            if forged != *token {
                put("a character", query(&forged), vec![]);
            }
            let (start, end) = token.split_at(at);
            for inserted in [".", "~", "%00", "%0a", "+", "="] {
                put("a character more", query(&format!("{start}{inserted}{end}")), vec![]);
            }
        }
        put("padded", query(&format!("{}=", URL_SAFE.encode(own).trim_end_matches('='))), vec![]);
        put("other base64", query(&format!("{}%2B", STANDARD_NO_PAD.encode(own))), vec![]);
        put("hex", query(&own.iter().map(|byte| format!("{byte:02x}")).collect::<String>()), vec![]);
        put("repeated", query(&format!("{token}{token}")), vec![]);
        for length in [2049, 8000] {
            put("too long", query(&format!("{token}{}", "A".repeat(length - token.len()))), vec![]);
        }
        for other in &tokens {
            put("doubled", format!("{TARGET}?cat={token}&cat={other}"), vec![]);
            put("doubled", format!("{TARGET}?cat={token}&%63at={other}"), vec![]);
            put(
                "doubled in cookies",
                TARGET.into(),
                vec![("cookie", format!("CTA-Common-Access-Token={token}; cta-common-access-token={other}"))],
            );
            put(
                "doubled in headers",
                TARGET.into(),
                vec![("cta-common-access-token", token.clone()), ("cta-common-access-token", other.clone())],
            );
        }
        put("with a scheme", TARGET.into(), vec![("cta-common-access-token", format!("Bearer {token}"))]);
        put("quoted", TARGET.into(), vec![("cookie", format!("CTA-Common-Access-Token=\"{token}\""))]);
        for name in ["CAT", "hdnts", "token", "cta-common-access-token"] {
            put("under another name", format!("{TARGET}?{name}={token}"), vec![]);
        }
        put("for content", format!("/vod/film/1.ts?cat={token}"), vec![]);
    }
    for path in ["/vod", "/Vod/film/a.m3u8", "/a/vod/film/a.m3u8", "/other/vod/master.m3u8", "/vodka/master.m3u8"] {
        for token in [&tokens[2], &tokens[3]] {
            put("another path", format!("{path}.m3u8?cat={token}"), vec![]);
        }
    }
    // Parts of one token in another.
    for (own, mine) in bytes.iter().enumerate() {
        for (other, theirs) in bytes.iter().enumerate().filter(|(other, _)| *other != own) {
            let is_same = mine[1] == theirs[1] && own != 1 && other != 1;
            for part in 0..5 {
                let mut forged = parts(mine);
                let replaced = parts(theirs)[part].clone();
                if forged[part] == replaced {
                    continue;
                }
                forged[part] = replaced;
                let class = if is_same { "a part of another" } else { "a part of one of another algorithm" };
                put(class, query(&text(&forged.concat())), vec![]);
            }
        }
    }
    // A good signature over claims that refuse.
    let file = vectors();
    let refused = file["vectors"].as_array().unwrap().iter().filter(|vector| vector["expected"] != "valid");
    for vector in refused
        .filter(|vector| ["url", "client", "method", "location", "audience"].iter().all(|it| vector.get(it).is_none()))
    {
        let headers = vector["headers"].as_object().is_none();
        if headers && vector.get("protocol").is_none() {
            put("a vector that is refused", query(vector["token"].as_str().unwrap()), vec![]);
        }
    }
    all
}

fn all_headers(forgery: &Forgery) -> Vec<Header> {
    let fixed = [(":method", "GET"), (":path", &forgery.target), (":authority", "tv.example"), (":scheme", "https")];
    let fixed = fixed.into_iter().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let more = forgery.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes()));
    fixed.chain(more).collect()
}

fn verdict(policies: &Rc<Policies>, forgery: &Forgery) -> &'static str {
    let headers = all_headers(forgery);
    let attributes = Known { protocol: Some(b"HTTP/1.1".to_vec()), ..Known::client("203.0.113.7:4711") };
    let request = Request { headers: &headers, attributes: &attributes, now: NOW, end_of_stream: true };
    let (exchange, step) = Exchange::open(policies, &request, &mut || [7; 16]);
    match (step, exchange.reason()) {
        (RequestStep::Forward(_), None) => "opened",
        (RequestStep::Reply(reply), Some(reason)) if reply.status == reason.status() => reason.word(),
        (step, reason) => panic!("{}: {step:?} {reason:?}", forgery.target),
    }
}

#[test]
fn every_forged_common_access_token_is_denied() {
    let (policies, _) = playlock_config::parse(config().as_bytes(), &|_| None).unwrap();
    let policies = Rc::new(policies);
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut samples = Vec::new();
    for forgery in forge() {
        let verdict = verdict(&policies, &forgery);
        let count = counts.entry(forgery.class).or_default().entry(verdict).or_default();
        *count += 1;
        if *count == 1 || forgery.class == "a vector that is refused" {
            samples.push((forgery, verdict));
        }
    }
    println!("{counts:?}");
    let mut listed = BTreeSet::new();
    for line in include_str!("cat.tsv").lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<_> = line.split('\t').collect();
        let [class, least, verdicts] = columns[..] else { panic!("cat.tsv: {line}") };
        let found = counts.get(class).unwrap_or_else(|| panic!("{class}: none is made"));
        let (total, words): (usize, Vec<_>) = (found.values().sum(), found.keys().copied().collect());
        assert!(total >= least.parse().unwrap(), "{class}: {found:?}");
        assert_eq!(words.join(" "), verdicts, "{class}: {found:?}");
        listed.insert(class);
    }
    assert!(counts.keys().all(|class| listed.contains(class)), "{counts:?}");
    for flavour in Flavour::ALL {
        let setup = Setup { config: config(), env: BTreeMap::new(), now: NOW, seed: 0 };
        let mut vm = Vm::start(wasm::module(flavour).unwrap(), &setup).unwrap();
        for (forgery, expected) in &samples {
            let mut request = message::Request::new("GET", "/");
            request.headers = all_headers(forgery);
            let seen = vm.exchange(&Envoy::new(false), request, &mut |_: &[Header]| Response::new(200, b"#EXTM3U\n"));
            let reason = seen.state.get("wasm.playlock.reason").map_or("opened", String::as_str);
            assert_eq!(reason, *expected, "{} in {flavour:?}: {}", forgery.class, forgery.target);
        }
    }
}
