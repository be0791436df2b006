//! `playlock speke answer`: the answers of the filter's key server, byte for byte, and its refusals, word for word.
#![allow(clippy::unwrap_used, clippy::panic, clippy::string_slice, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::{env, fs};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{Ran, Scratch, run};
use playlock_core::exchange::Exchange;
use playlock_core::http::reply::{Header, Reply};
use playlock_core::policy::Policies;
use playlock_core::step::{Known, Request, RequestBodyStep, RequestStep};

const TOKEN: &str = "0e9d8c7b6a5f4e3d2c1b0a0918273645";
const CONFIG: &str = r#"{
  "holdHeaders": true, "assignments": [],
  "policies": [
    {"policyName": "vod", "tokenAuth": {"enabled": true, "password": {"env": "PLAYLOCK_PASSWORD"}},
      "mediaEncryption": {"enabled": true, "secret": {"env": "PLAYLOCK_SECRET"}, "speke": {
        "path": "/speke", "fairplay": "skd://{kid:base64}", "keyUrl": "https://tv.example/keys/{contentId}/{kid}",
        "requesters": [
          {"name": "packager", "token": {"env": "PLAYLOCK_PACKAGER"}, "contentIds": ["*"]},
          {"name": "lab", "token": {"env": "LAB"}, "contentIds": ["film-*"]}]}}},
    {"policyName": "live", "tokenAuth": {"enabled": true, "password": {"env": "PLAYLOCK_PASSWORD"}},
      "mediaEncryption": {"enabled": true, "secret": {"env": "PLAYLOCK_SECRET"}, "speke": {
        "path": "/live", "secret": {"env": "LIVE"},
        "requesters": [{"name": "packager", "token": {"env": "PLAYLOCK_PACKAGER"}, "contentIds": ["*"]}]}}},
    {"policyName": "plain", "tokenAuth": {"enabled": true, "password": {"env": "PLAYLOCK_PASSWORD"}}}]
}"#;

fn environment() -> BTreeMap<String, String> {
    [
        ("PLAYLOCK_PACKAGER", TOKEN),
        ("PLAYLOCK_PASSWORD", common::PASSWORD),
        ("PLAYLOCK_SECRET", common::SECRET),
        ("LAB", "1f0e9d8c7b6a5f4e3d2c1b0a09182736"),
        ("LIVE", "9b1c2d3e4f5a69788796a5b4c3d2e1f01a2b3c4d5e6f7081"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The filter's reply to a document.
fn exchange(target: &str, version: &str, body: &[u8]) -> Reply {
    let env = |name: &str| environment().get(name).cloned();
    let policies: Policies = playlock_config::parse(CONFIG.as_bytes(), &env).unwrap().0;
    let header = |name: &str, value: &str| -> Header { (name.into(), value.into()) };
    let mut headers = vec![
        header(":method", "POST"),
        header(":scheme", "https"),
        header(":authority", "keys.example"),
        header(":path", target),
        header("content-type", "application/xml"),
        header("x-playlock-speke-token", TOKEN),
    ];
    if version != "1.0" {
        headers.push(header("x-speke-version", version));
    }
    let attributes = Known::default();
    let request = Request { headers: &headers, attributes: &attributes, now: 1_700_000_000, end_of_stream: false };
    let (mut exchange, step) = Exchange::open(&Rc::new(policies), &request, &mut || [1; 16]);
    assert!(matches!(step, RequestStep::Collect), "{target}");
    match exchange.on_request_body(body, true, &mut || [2; 16]) {
        RequestBodyStep::Reply(reply) => reply,
        RequestBodyStep::Hold | RequestBodyStep::Ask(_) => panic!("no response"),
    }
}

fn answer(policy: &str, version: &str, more: &[&str], body: &[u8]) -> Ran {
    let config = Scratch::new("policies.json", CONFIG);
    let usual = ["speke", "answer", "--config", config.path(), "--policy", policy, "--speke-version", version];
    run(&[&usual[..], more].concat(), body, &environment())
}

/// The documents of crates/speke's tests: name and content.
fn documents() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../speke/tests/requests");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.map(|path| (name(&path), fs::read(path).unwrap())).collect()
}

#[test]
fn the_answer_is_that_of_the_filter() {
    let mut answered = 0;
    for (name, body) in documents().into_iter().filter(|(name, _)| !name.contains("encrypted")) {
        let version = &name[..3];
        let scheme = if version == "1.0" { "cbcs" } else { "cenc" };
        for (policy, path, more) in [("vod", "/speke", ""), ("live", "/live", ""), ("vod", "/speke", scheme)] {
            let target = if more.is_empty() { path.into() } else { format!("{path}/cpix/getKey?scheme={more}") };
            let options = if more.is_empty() { vec![] } else { vec!["--scheme", more] };
            let reply = exchange(&target, version, &body);
            let ran = answer(policy, version, &options, &body);
            let words = String::from_utf8(reply.body).unwrap();
            if reply.status == 200 {
                answered += 1;
                assert_eq!((ran.status, ran.text(), ran.errors.as_str()), (0, words.as_str(), ""), "{name} {target}");
            } else {
                assert_eq!(
                    (ran.status, ran.text(), ran.errors.clone()),
                    (1, "", format!("playlock: {words}\n")),
                    "{name} {target}"
                );
            }
        }
    }
    assert!(answered > 20, "{answered}");
}

/// The private key opens the key of the same document without a certificate.
#[test]
fn encrypted_documents_have_new_document_keys_each_time() {
    let body = documents().into_iter().find(|(name, _)| name == "2.0-encrypted.xml").unwrap().1;
    let text = String::from_utf8(body.clone()).unwrap();
    let (before, list) = text.split_once("<cpix:DeliveryDataList>").unwrap();
    let plain = [before, list.split_once("</cpix:DeliveryDataList>").unwrap().1].concat();
    let key = value(answer("vod", "2.0", &[], plain.as_bytes()).text(), "<cpix:ContentKeyList", "PlainValue>");
    let answers = [(); 2].map(|()| answer("vod", "2.0", &[], &body));
    assert_ne!(answers[0].text(), answers[1].text(), "the seed is random");
    for ran in answers {
        assert_eq!((ran.status, ran.errors.as_str()), (0, ""));
        let text = ran.text();
        assert!(!text.contains("PlainValue"));
        let [document, mac] = ["<cpix:DocumentKey", "<cpix:MACMethod"].map(|element| {
            let sealed = value(text, element, "CipherValue>");
            openssl(&sealed)
        });
        let list = "<cpix:ContentKeyList";
        let (cipher, check) = (value(text, list, "CipherValue>"), value(text, list, "ValueMAC>"));
        let opened =
            playlock_drm::read::open(&document.try_into().unwrap(), &mac.try_into().unwrap(), &cipher, &check).unwrap();
        assert_eq!(opened.as_slice(), key);
    }
}

/// The Base64 behind a tag, the first one behind an element.
fn value(text: &str, element: &str, tag: &str) -> Vec<u8> {
    let behind = text.split_once(element).unwrap().1.split_once(tag).unwrap().1;
    STANDARD.decode(behind.split('<').next().unwrap().trim()).unwrap()
}

/// RSA-OAEP with the private key of the documents' certificate.
fn openssl(sealed: &[u8]) -> Vec<u8> {
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("../speke/tests/oracle/recipient.pem");
    let input = Scratch::new("sealed", sealed);
    let mut command = Command::new("openssl");
    command.args(["pkeyutl", "-decrypt", "-pkeyopt", "rsa_padding_mode:oaep", "-in", input.path(), "-inkey"]).arg(key);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn refusals() {
    let text = String::from_utf8(documents().into_iter().find(|(name, _)| name == "2.0-vod.xml").unwrap().1).unwrap();
    let id = text.split("contentId=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let film = text.replace(&format!("contentId=\"{id}\""), "contentId=\"film-7\"");
    let long = " ".repeat(256 * 1024 + 1);
    let version = text.replace("version=\"2.3\"", "version=\"2.4\"");
    assert!(version != text && film != text);
    for (policy, more, body, status, words) in [
        ("vod", &[][..], version.as_str(), 1, "Unsupported CPIX@version"),
        ("vod", &[], "", 1, ""),
        ("vod", &[], &long, 1, "body: too large; expected at most 262144 bytes"),
        ("vod", &["--requester", "lab"], &text, 1, "content ID: not one of this requester's"),
        ("vod", &["--requester", "lab"], &film, 0, ""),
        ("vod", &["--requester", "packager"], &text, 0, ""),
        ("vod", &["--requester", "other"], &text, 2, "--requester: found \"other\", expected one of packager, lab"),
        ("plain", &[], &text, 2, "--policy: found \"plain\", expected one of vod, live"),
    ] {
        let ran = answer(policy, "2.0", more, body.as_bytes());
        assert_eq!(ran.status, status, "{words}: {ran:?}");
        assert!(ran.errors.contains(words) && ran.text().is_empty() == (status > 0), "{words}: {ran:?}");
    }
}

#[test]
fn the_policy_is_named_where_there_are_several() {
    let body = documents().into_iter().find(|(name, _)| name == "2.0-vod.xml").unwrap().1;
    let config = Scratch::new("policies.json", CONFIG);
    let ran = run(&["speke", "answer", "--config", config.path()], &body, &environment());
    assert_eq!((ran.status, ran.errors.as_str()), (2, "playlock: --policy: missing; expected one of vod, live\n"));
    let (first, rest) = CONFIG.split_once("    {\"policyName\": \"live\"").unwrap();
    let (_, last) = rest.split_once("contentIds\": [\"*\"]}]}}},\n").unwrap();
    let config = Scratch::new("policies.json", format!("{first}{last}"));
    let ran = run(&["speke", "answer", "--config", config.path()], &body, &environment());
    assert_eq!((ran.status, ran.output), (0, answer("vod", "2.0", &[], &body).output));
    let config = Scratch::new("policies.json", format!("{}{last}", first.split_once("    {").unwrap().0));
    let ran = run(&["speke", "answer", "--config", config.path()], &body, &environment());
    assert!(ran.status == 2 && ran.errors.contains("no policy has a key server"), "{ran:?}");
}
