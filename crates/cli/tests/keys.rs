//! `playlock key` and `playlock decrypt`: what the filter encrypted comes back, whoever's key it is under.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test"
)]

mod common;

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{NOW, Ran, SECRET, Scratch, run, vod};
use playlock_host::message::Request;
use playlock_host::record::Sent;
use playlock_host::{case, record};

/// The origin's body in cases with `bytes`.
fn noise(size: usize) -> Vec<u8> {
    (0..size as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn header<'a>(request: &'a Request, wanted: &str) -> Option<&'a str> {
    let found = request.headers.iter().find(|(name, _)| name == wanted)?;
    std::str::from_utf8(&found.1).ok()
}

/// A command about a request's URL, under the request's own configuration.
fn about(command: &str, name: &str, sent: &Sent, more: &[&str], input: &[u8]) -> Ran {
    let (config, env) = common::node(name, &sent.setup);
    let url = format!("https://play.example{}", header(&sent.request, ":path").unwrap());
    let now = sent.setup.now.to_string();
    let mut arguments = vec![command, &url, "--config", config.path(), "--now", &now];
    let client = sent.request.client.as_deref().unwrap_or("-");
    arguments.extend(["--ip", client]);
    // The cookie that the URL names, or the first.
    let path = header(&sent.request, ":path").unwrap();
    let reference = path.split("hdntl=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();
    let cookies = header(&sent.request, "cookie").unwrap_or_default().split("; ");
    let token = cookies
        .filter_map(|cookie| cookie.strip_prefix("hdntl-")?.split_once('='))
        .find(|(name, _)| reference.is_empty() || *name == reference)
        .map(|(_, token)| token);
    arguments.extend(token.iter().flat_map(|token| ["--session-token", token]));
    let headers: Vec<String> = sent
        .request
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-") || name == "user-agent")
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
        .collect();
    arguments.extend(headers.iter().flat_map(|header| ["--header", header.as_str()]));
    arguments.extend(sent.request.ja4.iter().flat_map(|ja4| ["--ja4", ja4.as_str()]));
    arguments.extend(sent.request.route_policy.iter().flat_map(|policy| ["--policy", policy.as_str()]));
    arguments.extend(more);
    run(&arguments, input, &env)
}

#[test]
fn every_segment_of_the_cases_decrypts_to_the_origins() {
    let (mut decrypted, mut keys) = (0, 0);
    for (name, case) in case::all().unwrap().iter().filter(|(_, case)| case.refused.is_empty()) {
        for (index, (step, sent)) in case.step.iter().zip(record::requests(case).unwrap()).enumerate() {
            let name = format!("keys-{name}-{}", index + 1);
            if sent.seen.state.get("wasm.playlock.kind").is_some_and(|kind| kind == "key") && sent.seen.body.len() == 16
            {
                let said = about("key", &name, &sent, &["--raw"], &[]);
                assert_eq!((said.status, &said.output), (0, &sent.seen.body), "{name}: {said:?}");
                keys += 1;
            }
            let expected = step.expect.decrypts_to_origin.as_ref().and(step.origin.as_ref());
            let Some(size) = expected.and_then(|origin| origin.bytes) else { continue };
            if header(&sent.request, "range").is_some() {
                continue;
            }
            let ran = about("decrypt", &name, &sent, &[], &sent.seen.body);
            assert_eq!(ran.status, 0, "{name}: {}", ran.errors);
            assert!(ran.output == noise(size), "{name}: {}", ran.errors);
            decrypted += 1;
        }
    }
    assert!(decrypted > 30 && keys > 30, "{decrypted} segments, {keys} keys");
}

/// The vectors of the independent implementation: `tests/vectors/derivation.json`.
#[test]
fn as_the_independent_implementation_derives_them() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/vectors/derivation.json")).unwrap();
    for vector in vectors.as_array().unwrap() {
        let text = |name: &str| vector[name].as_str().unwrap();
        let id = URL_SAFE_NO_PAD.encode(base16ct::lower::decode_vec(text("session")).unwrap());
        let config = format!(
            r#"{{"policies": [{{"policyName": "{}", "tokenAuth": {{"enabled": false}},
                "mediaEncryption": {{"enabled": true, "secret": "{}"}}}}],
                "assignments": []}}"#,
            text("policy"),
            text("secret")
        );
        let config = Scratch::new("keys-vector.json", config);
        for (options, key, iv) in [
            (&["--session-id", &id][..], "contentKey", "iv"),
            (&["--session-id", &id, "--period", "7"], "contentKey7", "iv7"),
            (&["--session-token", text("sessionToken"), "--period", "7"], "contentKey7", "iv7"),
            (&["--scope", "stream", "--stream", text("stream"), "--period", "7"], "streamKey7", "streamIv7"),
            (&["--scope", "application", "--period", "7"], "applicationKey7", "applicationIv7"),
        ] {
            let ran = run(&[&["key", "--json", "--config", config.path()], options].concat(), &[], &Default::default());
            assert_eq!((&ran.json()["key"], &ran.json()["iv"]), (&vector[key], &vector[iv]), "{options:?}");
        }
    }
}

#[test]
fn a_session_that_is_over_is_looked_at_as_it_was() {
    let case = case::all().unwrap().into_iter().find(|(name, _)| name == "flow-ts").unwrap().1;
    let sent = record::requests(&case).unwrap();
    let key =
        sent.iter().find(|sent| sent.seen.state.get("wasm.playlock.kind").is_some_and(|kind| kind == "key")).unwrap();
    let (config, env) = common::node("keys-over", &key.setup);
    let url = format!("https://play.example{}", header(&key.request, ":path").unwrap());
    let late = run(&["key", &url, "--config", config.path()], &[], &env);
    assert_eq!(late.status, 0, "{late:?}");
    assert!(late.text().contains("note     the session ended 2023-11-15 22:13:20 +00:00"), "{late:?}");
    assert!(late.text().contains(&base16ct::lower::encode_string(&key.seen.body)), "{late:?}");
    let then = run(&["key", &url, "--config", config.path(), "--now", "+0s"], &[], &env);
    assert_eq!((then.status, then.errors.as_str()), (1, "playlock: expired: The token has expired\n"));
    // The last byte of its start.
    let at = url.find("hdntl=").unwrap() + "hdntl=".len() + 7;
    let mut altered = url.into_bytes();
    altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    let forged = run(&["key", &altered, "--config", config.path(), "--now", NOW], &[], &env);
    assert_eq!((forged.status, forged.errors.split(':').nth(1)), (1, Some(" signature")));
    assert!(forged.errors.contains("opened with a secret that this configuration no longer has"), "{forged:?}");
}

#[test]
fn what_does_not_decrypt_says_why_and_writes_nothing() {
    let ciphertext = Scratch::new("keys.enc", noise(160));
    let output = Scratch::new("keys.out", "");
    let key = "000102030405060708090a0b0c0d0e0f";
    let config = vod("keys-wrong.json");
    let file = Scratch::new("keys.hex", format!("{key}\n"));
    let both = run(&["decrypt", "--key-file", "-", "--iv", "0"], key.as_bytes(), &Default::default());
    assert!(both.status == 2 && both.errors.contains("cannot hold both key and segment; expected --input"), "{both:?}");
    for (arguments, status, part) in [
        (&["--key", key, "--iv", "0x0a"][..], 1, "encrypted with another key"),
        (&["--key", key], 2, "--iv: not given; expected the IV, or --sequence"),
        (&["--key", "00", "--iv", "0"], 2, "--key: not a key in hex; expected 32 hex digits"),
        (&["--key-file", file.path(), "--iv", "0x0a"], 1, "encrypted with another key"),
        (&["--key-file", ciphertext.path(), "--iv", "0"], 2, "--key-file"),
        (&["--key", key, "--iv", "xy"], 2, "--iv: found \"xy\", expected up to 32 hex digits"),
        (&["--config", config.path()], 2, "--session-id: not given"),
        (&["--config", config.path(), "https://h/vod/master.m3u8"], 1, "missing"),
    ] {
        let ran = run(
            &[&["decrypt", "--input", ciphertext.path(), "--output", output.path()], arguments].concat(),
            &[],
            &Default::default(),
        );
        assert_eq!(ran.status, status, "{ran:?}");
        assert!(ran.errors.contains(part), "{part}: {ran:?}");
        assert_eq!(fs::read(output.path()).unwrap(), b"");
        assert!(!ran.errors.contains(SECRET));
    }
}
