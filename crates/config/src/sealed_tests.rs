//! Sealed secrets: the published vectors, forgeries of them, and documents that have them.
#![allow(clippy::string_slice, reason = "a test: the texts are ASCII")]

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Value, json};

use crate::sealed::{KEY, LONGEST, PREVIOUS_KEY, SealKey, Sealed, seal};
use crate::{ConfigError, Env, parse, parse_elsewhere};

const PASSWORD: &str = "52a152a152a152a152a152a152a152a1";
const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OURS: &str = "6d0f4c1e7b8a93522f64d1c05e97ab3831f2c46a5d7e8b900c1d2e3f4a5b6c7d";
const OTHERS: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdeffedcba9876543210";

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../../tests/vectors/sealed.json")).unwrap()
}

fn text<'a>(vector: &'a Value, member: &str) -> &'a str {
    vector[member].as_str().unwrap()
}

fn under(key: &str, secret: &str) -> String {
    seal(&SealKey::parse(key).unwrap(), [7; 12], secret).unwrap()
}

/// The result of reading a document with this password, in an environment with these keys.
fn read(password: &Value, keys: &[(&str, &str)]) -> Result<Vec<String>, ConfigError> {
    let document = json!({
        "policies": [{
            "policyName": "vod",
            "tokenAuth": {"enabled": true, "password": password},
            "mediaEncryption": {"enabled": true, "secret": {"env": "SECRET"}},
        }],
        "assignments": [],
    });
    let env = |name: &str| match name {
        "SECRET" => Some(SECRET.into()),
        _ => keys.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into()),
    };
    let parsed = parse(document.to_string().as_bytes(), &env).map(|(_, warnings)| warnings);
    let said = format!("{parsed:?}");
    for hidden in [PASSWORD, OURS, OTHERS] {
        assert!(!said.contains(hidden), "{said}");
    }
    parsed
}

#[test]
fn another_implementation_seals_alike() {
    let vectors = vectors();
    assert!(vectors.len() >= 8);
    for vector in &vectors {
        let key = SealKey::parse(text(vector, "key")).unwrap();
        assert_eq!(key.id(), text(vector, "keyId"));
        let sealed = text(vector, "sealed");
        let parsed = Sealed::parse(sealed).unwrap();
        assert_eq!(parsed.key_id(), text(vector, "keyId"));
        assert_eq!(parsed.open(&key).as_deref(), Some(text(vector, "secret")));
        let nonce = base16ct::mixed::decode_vec(text(vector, "nonce")).unwrap().try_into().unwrap();
        assert_eq!(seal(&key, nonce, text(vector, "secret")).as_deref(), Some(sealed));
    }
}

#[test]
fn nothing_else_opens() {
    for vector in vectors().iter().filter(|vector| text(vector, "secret").len() < 100) {
        let (key, sealed) = (SealKey::parse(text(vector, "key")).unwrap(), text(vector, "sealed"));
        let opens = |text: &str| Sealed::parse(text).and_then(|sealed| sealed.open(&key)).is_some();
        assert!(opens(sealed));
        let (head, data) = sealed.rsplit_once('.').unwrap();
        for at in 0..sealed.len() {
            for bit in 0..7 {
                let mut bytes = sealed.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let altered = String::from_utf8(bytes).unwrap();
                assert!(!opens(&altered), "{altered}");
            }
            assert!(!opens(&sealed[..at]) && !opens(&sealed[at + 1..]), "cut at {at}");
            assert!(!opens(&format!("{}A{}", &sealed[..at], &sealed[at..])), "longer at {at}");
        }
        // Two bits, or four, of the last character mean nothing, and there is no padding.
        let last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let spellings = last.chars().filter(|last| opens(&format!("{head}.{}{last}", &data[..data.len() - 1])));
        assert_eq!(spellings.count(), 1);
        for other in [
            format!("{sealed}="),
            format!("{sealed}=="),
            format!("{sealed}."),
            format!(" {sealed}"),
            format!("{sealed}\n"),
            format!("{}.{}", head.to_uppercase(), data),
            format!("{head}.{}", data.replace('-', "+").replace('_', "/") + "="),
            format!("2{}", &sealed[1..]),
            format!("01{}", &sealed[1..]),
            format!("{}.{data}", &head[..head.len() - 1]),
        ] {
            assert!(!opens(&other), "{other}");
        }
        let other = SealKey::parse(OTHERS).unwrap();
        assert!(Sealed::parse(sealed).unwrap().open(&other).is_none());
    }
    let key = SealKey::parse(OURS).unwrap();
    assert_eq!(seal(&key, [0; 12], ""), None);
    assert_eq!(seal(&key, [0; 12], &"a".repeat(LONGEST + 1)), None);
    let longest = seal(&key, [0; 12], &"a".repeat(LONGEST)).unwrap();
    assert!(Sealed::parse(&longest).unwrap().open(&key).is_some());
    assert!(Sealed::parse(&format!("{longest}AAAA")).is_none());
}

#[test]
fn keys_are_32_bytes() {
    for good in [OURS, &OURS.to_uppercase(), "bQ9MHnuKk1IvZNHAXperODHyxGpdfouQDB0uP0pbbH0="] {
        assert_eq!(SealKey::parse(good).unwrap().id(), SealKey::parse(OURS).unwrap().id());
    }
    for bad in [
        "",
        PASSWORD,
        &OURS[1..],
        &format!("{OURS}00"),
        &format!("{OURS}\n"),
        "bQ9MHnuKk1IvZNHAXperODHyxGpdfouQDB0uP0pbbH0",
    ] {
        assert!(SealKey::parse(bad).is_none(), "{bad}");
    }
    assert!(!format!("{:?}", SealKey::parse(OURS)).contains(&OURS[..8]));
}

/// The plaintext is read and judged as if it stood in the document, but is not in it.
#[test]
fn a_sealed_secret_is_one_like_any_other() {
    let ours = [(KEY, OURS)];
    assert_eq!(read(&json!({"sealed": under(OURS, PASSWORD)}), &ours), Ok(Vec::new()));
    let warnings = read(&json!({"sealed": under(OURS, "c0ffee")}), &ours).unwrap();
    assert!(warnings.len() == 1 && warnings[0].starts_with("policies[0].tokenAuth.password: 3 bytes"), "{warnings:?}");
    let warnings = read(&json!({"sealed": under(OURS, SECRET)}), &ours).unwrap();
    assert!(warnings.len() == 1 && warnings[0].contains("the same as"), "{warnings:?}");
    let error = read(&json!({"sealed": under(OURS, "c0ffe")}), &ours).unwrap_err();
    assert!(error.message.starts_with("found 5 hex digits"), "{error}");
}

#[test]
fn both_keys_are_tried_by_their_ids() {
    let (new, old) = (json!({"sealed": under(OURS, PASSWORD)}), json!({"sealed": under(OTHERS, PASSWORD)}));
    let both = [(KEY, OURS), (PREVIOUS_KEY, OTHERS)];
    assert!(read(&new, &both).is_ok() && read(&old, &both).is_ok());
    // The key before it is not read where it is not needed.
    assert!(read(&new, &[(KEY, OURS), (PREVIOUS_KEY, "none")]).is_ok());
    assert!(read(&old, &[(KEY, OURS), (PREVIOUS_KEY, "none")]).is_err());
}

#[test]
fn errors_tell_the_causes_apart() {
    let good = under(OURS, PASSWORD);
    let mut altered = good.clone();
    altered.replace_range(20..21, if &good[20..21] == "A" { "B" } else { "A" });
    let (ours, others) = (SealKey::parse(OURS).unwrap().id(), SealKey::parse(OTHERS).unwrap().id());
    for (sealed, keys, said) in [
        (&*good, &[][..], "sealed, but the environment variable PLAYLOCK_SEAL_KEY is not set".into()),
        (&good, &[(PREVIOUS_KEY, OURS)], "sealed, but the environment variable PLAYLOCK_SEAL_KEY is not set".into()),
        (&good, &[(KEY, "0011")], "PLAYLOCK_SEAL_KEY has 4 characters that are no key, expected 32 bytes".into()),
        (
            &good,
            &[(KEY, OTHERS)],
            format!("sealed under the key {ours}, found {others} in PLAYLOCK_SEAL_KEY; expected"),
        ),
        (
            &good,
            &[(KEY, OTHERS), (PREVIOUS_KEY, OTHERS)],
            format!(
                "sealed under the key {ours}, found {others} in PLAYLOCK_SEAL_KEY and {others} in PLAYLOCK_SEAL_KEY_"
            ),
        ),
        (
            &altered,
            &[(KEY, OURS)],
            format!("the text under the key {ours} was altered after it was sealed; expected it"),
        ),
        (PASSWORD, &[(KEY, OURS)], "found 32 characters that are no sealed secret, expected 1.KEYID.DATA as".into()),
        (&good[..40], &[(KEY, OURS)], "found 40 characters that are no sealed secret".into()),
    ] {
        let error = read(&json!({"sealed": sealed}), keys).unwrap_err();
        assert_eq!(error.path, "policies[0].tokenAuth.password");
        assert!(error.message.contains(&said), "{said}: {error}");
    }
    let unset = read(&json!({"sealed": good}), &[]).unwrap_err().unset;
    assert_eq!(unset.as_deref(), Some(KEY));
    for (written, path, said) in [
        (json!({"sealed": good, "env": "A"}), "", "another member beside it"),
        (json!({"sealed": good, "sealed2": good}), "", "another member beside it"),
        (json!({"seal": good}), ".seal", "unknown field `seal`, expected one of `env`, `sealed`"),
        (json!({"sealed": 1}), ".sealed", "invalid type"),
        (json!({}), "", "found an empty object, expected env or sealed"),
    ] {
        let error = read(&written, &[(KEY, OURS)]).unwrap_err();
        assert_eq!(error.path, format!("policies[0].tokenAuth.password{path}"), "{error}");
        assert!(error.message.contains(said), "{error}");
    }
}

/// Every member that takes a secret takes a sealed one.
#[test]
fn every_reader_opens() {
    let ours = |secret: &str| json!({"sealed": under(OURS, secret)});
    let document = json!({
        "holdHeaders": true,
        "policies": [{
            "policyName": "a",
            "tokenAuth": {
                "enabled": true, "formats": ["edgeauth", "jwt"],
                "password": ours(PASSWORD), "transitionPassword": ours("c319f970fd89b9f8c3d48e25548c793d"),
                "jwt": {"keys": [{"kty": "oct", "k": ours("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0g")}]},
            },
            "mediaEncryption": {
                "enabled": true, "secret": ours(SECRET), "transitionSecret": ours(OTHERS),
                "keyUrl": "https://k.example/k", "key": ours("6d0f4c1e7b8a93522f64d1c05e97ab38"),
            },
        }, {
            "policyName": "b",
            "tokenAuth": {"enabled": true, "password": ours(PASSWORD)},
            "mediaEncryption": {
                "enabled": true, "secret": ours("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
                "speke": {"path": "/speke", "secret": ours("e0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), "requesters": [
                    {"name": "x", "token": ours("d0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), "contentIds": ["*"]}]},
            },
        }, {
            "policyName": "c",
            "tokenAuth": {"enabled": true, "formats": ["urisigning"], "urisigning": {
                "keys": [{"kty": "EC", "crv": "P-256", "iss": "edge", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "d": ours("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")}],
                "decryptionKeys": [{"kty": "oct", "alg": "A128GCM", "k": ours("4uFxxV7fhNmrtiah2d1fFg")}],
                "chaining": {"issuer": "edge"},
            }},
        }],
        "assignments": [],
    })
    .to_string();
    let env = |name: &str| (name == KEY).then(|| OURS.into());
    // The password of both policies is the same text: shared on purpose, as a variable would be.
    assert_eq!(parse(document.as_bytes(), &env).unwrap().1, Vec::<String>::new());
    let unknown = |_: &str| None;
    assert!(parse(document.as_bytes(), &unknown).is_err());
    let plain = |sealed: &str| Sealed::parse(sealed).unwrap().open(&SealKey::parse(OURS).unwrap()).unwrap();
    assert!(parse_elsewhere(document.as_bytes(), Env::elsewhere(&unknown, &plain)).is_ok());
    let malformed = document.replacen("1.", "3.", 1);
    assert!(parse_elsewhere(malformed.as_bytes(), Env::elsewhere(&unknown, &plain)).is_err());
}

#[test]
fn revisions_are_integers_that_every_reader_of_json_keeps() {
    let with = |revision: &str| {
        let document = format!(r#"{{"policies": [], "assignments": [], "revision": {revision}}}"#);
        parse(document.as_bytes(), &|_| None).map(|(policies, _)| policies.revision).map_err(|error| error.to_string())
    };
    assert_eq!(with("0"), Ok(Some(0)));
    assert_eq!(with("9007199254740991"), Ok(Some(9_007_199_254_740_991)));
    assert_eq!(with("null"), Ok(None));
    for bad in ["9007199254740992", "18446744073709551615", "-1", "1.0", "1e3", "\"1\"", "true", "[1]"] {
        assert!(with(bad).unwrap_err().starts_with("revision: "), "{bad}");
    }
}
