//! `playlock seal`, and sealed secrets in other commands. `tests/envoy/test_sealed.py` opens its texts with another
//! implementation.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, reason = "a test")]

use std::collections::BTreeMap;

use common::{PASSWORD, Ran, SECRET, Scratch, run};
use playlock_config::sealed::{SealKey, Sealed};
use serde_json::Value;

mod common;

const KEY: &str = "6d0f4c1e7b8a93522f64d1c05e97ab3831f2c46a5d7e8b900c1d2e3f4a5b6c7d";
const OLD: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdeffedcba9876543210";
const INLINE: &str = "c319f970fd89b9f8c3d48e25548c793d";

const CONFIG: &str = r#"{
  "policies" : [{"policyName": "a",	"description": "ä",
    "tokenAuth": {"enabled": true, "password": "c319f970fd89b9f8c3d48e25548c793d", "transitionPassword": {"env": "PLAYLOCK_PASSWORD"}},
    "mediaEncryption": {"enabled": true, "secret": {"env": "PLAYLOCK_SECRET"}, "secret2": 1}},
   {"policyName": "b", "tokenAuth": {"enabled": true, "password": {"env": "PLAYLOCK_PASSWORD"}},
    "mediaEncryption": {"enabled": true, "secret": {"env": "PLAYLOCK_SECRET"}}},
   {"policyName": "off", "tokenAuth": {"enabled": false, "password": "5e3a"}}],
  "assignments": [{"policyName": "a", "path": "/a"}, {"policyName": "b", "path": "/b"}, {"policyName": "off", "path": "/off"}]
}
"#;

fn playlock(arguments: &[&str], input: &str, keys: &[(&str, &str)]) -> Ran {
    let env: BTreeMap<String, String> = keys.iter().map(|(name, key)| ((*name).into(), (*key).into())).collect();
    let ran = run(arguments, input.as_bytes(), &env);
    for key in [KEY, OLD] {
        assert!(!ran.text().contains(key) && !ran.errors.contains(key), "{ran:?}");
    }
    ran
}

fn good(arguments: &[&str], input: &str, keys: &[(&str, &str)]) -> String {
    let ran = playlock(arguments, input, keys);
    assert_eq!((ran.status, ran.errors.as_str()), (0, ""), "{ran:?}");
    ran.text().to_owned()
}

fn config() -> Scratch {
    Scratch::new("seal.json", CONFIG.replace(r#", "secret2": 1"#, ""))
}

fn open(value: &Value, key: &str) -> String {
    let sealed = Sealed::parse(value["sealed"].as_str().unwrap()).unwrap();
    assert_eq!(value.as_object().unwrap().len(), 1);
    sealed.open(&SealKey::parse(key).unwrap()).unwrap()
}

#[test]
fn a_secret_from_standard_input() {
    let keys = [("PLAYLOCK_SEAL_KEY", KEY), ("OTHER", OLD)];
    for (input, secret) in [(INLINE, INLINE), ("a b\r\n", "a b"), ("\u{e4}\n\n", "\u{e4}\n")] {
        let first = good(&["seal"], input, &keys);
        assert_eq!(open(&serde_json::from_str(&first).unwrap(), KEY), secret);
        assert_ne!(first, good(&["seal"], input, &keys), "a new nonce each time");
        let other = good(&["seal", "--key-env", "OTHER"], input, &keys);
        assert_eq!(open(&serde_json::from_str(&other).unwrap(), OLD), secret);
    }
    for (input, keys, said) in [
        ("", &keys[..], "standard input: a secret of 0 bytes, expected 1 to 4096"),
        ("\n", &keys, "standard input: a secret of 0 bytes"),
        (&"a".repeat(4097), &keys, "a secret of 4097 bytes"),
        ("a", &[], "the environment variable PLAYLOCK_SEAL_KEY is not set; expected 32 bytes"),
        ("a", &[("PLAYLOCK_SEAL_KEY", "00")], "PLAYLOCK_SEAL_KEY has 2 characters that are no key; expected 32 bytes"),
    ] {
        let ran = playlock(&["seal"], input, keys);
        assert_eq!((ran.status, ran.text()), (2, ""));
        assert!(ran.errors.contains(said), "{ran:?}");
    }
}

#[test]
fn new_keys_are_random() {
    let keys: Vec<String> = (0..2).map(|_| good(&["seal", "--new-key"], "", &[])).collect();
    assert!(keys.iter().all(|key| key.len() == 65 && SealKey::parse(key.trim_end()).is_some()));
    assert_ne!(keys[0], keys[1]);
}

/// Only the values of secrets change, disabled ones, too.
#[test]
fn a_whole_configuration() {
    let (file, keys) = (config(), [("PLAYLOCK_SEAL_KEY", KEY)]);
    let sealed = good(&["seal", "--config", file.path()], "", &keys);
    let value: Value = serde_json::from_str(&sealed).unwrap();
    let at = |pointer: &str| value.pointer(pointer).unwrap();
    assert_eq!(open(at("/policies/0/tokenAuth/password"), KEY), INLINE);
    assert_eq!(open(at("/policies/2/tokenAuth/password"), KEY), "5e3a");
    let mut back = sealed.clone();
    for (pointer, secret) in [("/policies/0/tokenAuth/password", INLINE), ("/policies/2/tokenAuth/password", "5e3a")] {
        back = back.replace(&at(pointer).to_string(), &format!("\"{secret}\""));
    }
    assert_eq!(back, CONFIG.replace(r#", "secret2": 1"#, ""));
    // It is accepted, without a warning about what it shows.
    let file = Scratch::new("sealed.json", &sealed);
    let checked = good(&["check", "--config", file.path()], "", &keys);
    assert!(!checked.contains("stands in the configuration"), "{checked}");
    // And sealing it again changes nothing.
    assert_eq!(good(&["seal", "--config", file.path()], "", &keys), sealed);
}

#[test]
fn the_values_of_variables_too() {
    let (file, keys) = (config(), [("PLAYLOCK_SEAL_KEY", KEY)]);
    let sealed = good(&["seal", "--env-too", "--config", file.path()], "", &keys);
    let value: Value = serde_json::from_str(&sealed).unwrap();
    let at = |pointer: &str| value.pointer(pointer).unwrap();
    assert!(!sealed.contains("\"env\""));
    assert_eq!(open(at("/policies/1/tokenAuth/password"), KEY), PASSWORD);
    assert_eq!(open(at("/policies/0/mediaEncryption/secret"), KEY), SECRET);
    // What two policies share is one text, so that sharing it on purpose is no warning.
    assert_eq!(at("/policies/0/mediaEncryption/secret"), at("/policies/1/mediaEncryption/secret"));
    let file = Scratch::new("sealed.json", &sealed);
    let checked = good(&["check", "--config", file.path()], "", &keys);
    assert!(checked.ends_with("good: 3 policies, 3 assignments, 0 warnings\n"), "{checked}");
    let unset = Scratch::new("unset.json", CONFIG.replace(r#", "secret2": 1"#, "").replace("PLAYLOCK_SECRET", "NONE"));
    let ran = playlock(&["seal", "--env-too", "--config", unset.path()], "", &keys);
    assert_eq!((ran.status, ran.text()), (2, ""));
    assert!(ran.errors.contains("mediaEncryption.secret: the environment variable NONE is not set"), "{ran:?}");
}

#[test]
fn secrets_are_sealed_anew_when_the_key_is_exchanged() {
    let file = config();
    let old = good(&["seal", "--config", file.path()], "", &[("PLAYLOCK_SEAL_KEY", OLD)]);
    let file = Scratch::new("old.json", &old);
    let both = [("PLAYLOCK_SEAL_KEY", KEY), ("PLAYLOCK_SEAL_KEY_PREVIOUS", OLD)];
    assert!(good(&["check", "--config", file.path()], "", &both).contains("good: "));
    let new = good(&["seal", "--config", file.path()], "", &both);
    let value: Value = serde_json::from_str(&new).unwrap();
    assert_eq!(open(value.pointer("/policies/0/tokenAuth/password").unwrap(), KEY), INLINE);
    let ran = playlock(&["seal", "--config", file.path()], "", &both[..1]);
    assert_eq!((ran.status, ran.text()), (2, ""));
    assert!(ran.errors.contains("policies[0].tokenAuth.password: sealed under the key "), "{ran:?}");
}

#[test]
fn a_secret_that_stands_elsewhere_too_is_a_warning() {
    let text = CONFIG.replace(r#", "secret2": 1"#, "").replace("ä", INLINE);
    let file = Scratch::new("twice.json", text);
    let ran = playlock(&["seal", "--config", file.path()], "", &[("PLAYLOCK_SEAL_KEY", KEY)]);
    let said =
        "warning: policies[0].tokenAuth.password: the text of this secret is elsewhere in the configuration, too";
    assert!(ran.status == 0 && ran.errors.contains(said) && !ran.errors.contains(INLINE), "{ran:?}");
}

#[test]
fn what_is_not_valid_is_not_sealed() {
    let file = Scratch::new("wrong.json", CONFIG);
    let ran = playlock(&["seal", "--config", file.path()], "", &[("PLAYLOCK_SEAL_KEY", KEY)]);
    assert_eq!((ran.status, ran.text()), (2, ""));
    assert!(ran.errors.contains("policies[0].mediaEncryption.secret2: unknown field"), "{ran:?}");
}

/// Where the key is not at hand, the rest is checked; where it is another one, the check fails as Envoy would.
#[test]
fn checks_without_the_key() {
    let file = config();
    let sealed = good(&["seal", "--config", file.path()], "", &[("PLAYLOCK_SEAL_KEY", KEY)]);
    let file = Scratch::new("sealed.json", &sealed);
    let checked = good(&["check", "--config", file.path()], "", &[]);
    let said =
        "warning: the environment variable PLAYLOCK_SEAL_KEY is not set here, so the secrets sealed under it were not";
    assert!(checked.contains(said) && checked.contains("good: "), "{checked}");
    assert!(!checked.contains("PREVIOUS"), "{checked}");
    for (text, keys, said) in [
        (sealed.clone(), &[("PLAYLOCK_SEAL_KEY", OLD)][..], "sealed under the key "),
        (sealed.replace("\"1.", "\"2."), &[], "are no sealed secret"),
        (sealed.replace("\"sealed\"", "\"seal\""), &[], "unknown field `seal`, expected one of `env`, `sealed`"),
    ] {
        let file = Scratch::new("wrong.json", text);
        let ran = playlock(&["check", "--config", file.path()], "", keys);
        assert_eq!(ran.status, 2);
        assert!(ran.errors.contains("policies[0].tokenAuth.password") && ran.errors.contains(said), "{ran:?}");
        assert!(!ran.errors.contains("empty"), "{ran:?}");
    }
    let ran = playlock(&["why", "--config", file.path(), "https://a/"], "", &[]);
    assert!(ran.status == 2 && ran.errors.contains("PLAYLOCK_SEAL_KEY is not set"), "{ran:?}");
}

/// Commands that use secrets open them.
#[test]
fn tokens_are_signed_with_sealed_passwords() {
    let keys = [("PLAYLOCK_SEAL_KEY", KEY)];
    let file = config();
    let sealed = Scratch::new("sealed.json", good(&["seal", "--config", file.path()], "", &keys));
    let token = |file: &Scratch| {
        let arguments = ["token", "--config", file.path(), "--policy", "a", "--acl", "/a/*", "--now", "1700000000"];
        good(&arguments, "", &keys)
    };
    assert_eq!(token(&sealed), token(&file));
}

#[test]
fn files_for_discovery() {
    let keys = [("PLAYLOCK_SEAL_KEY", KEY)];
    let file = config();
    let names = |text: &str| text.lines().find(|line| line.contains("host_env_keys")).unwrap().trim().to_owned();
    let shows = |text: &str| [INLINE, "5e3a", PASSWORD, SECRET].iter().filter(|it| text.contains(**it)).count();
    // Sealed before.
    let sealed = Scratch::new("sealed.json", good(&["seal", "--config", file.path()], "", &keys));
    for keys in [&keys[..], &[]] {
        let text = good(&["ecds", "--config", sealed.path()], "", keys);
        let all = r#"["PLAYLOCK_PASSWORD", "PLAYLOCK_SEAL_KEY", "PLAYLOCK_SEAL_KEY_PREVIOUS", "PLAYLOCK_SECRET"]"#;
        assert_eq!((names(&text), shows(&text)), (format!("host_env_keys: {all}"), 0));
    }
    // The file would show the key.
    let ran = playlock(&["ecds", "--with-secrets", "--config", sealed.path()], "", &keys);
    assert_eq!((ran.status, ran.text()), (2, ""));
    assert!(
        ran.errors.contains("--with-secrets: the configuration has sealed secrets, and the file would show their key")
    );
    // Sealed on the way.
    let text = good(&["ecds", "--seal", "--config", file.path()], "", &keys);
    assert!(names(&text).contains("\"PLAYLOCK_SECRET\"") && shows(&text) == 0 && text.contains("\"sealed\""));
    for file in [&file, &sealed] {
        let text = good(&["ecds", "--seal", "--with-secrets", "--config", file.path()], "", &keys);
        let both = r#"host_env_keys: ["PLAYLOCK_SEAL_KEY", "PLAYLOCK_SEAL_KEY_PREVIOUS"]"#;
        assert_eq!((names(&text), shows(&text), text.contains("\"env\"")), (both.into(), 0, false), "{text}");
    }
    let ran = playlock(&["ecds", "--seal", "--config", file.path()], "", &[]);
    assert!(ran.status == 2 && ran.errors.contains("PLAYLOCK_SEAL_KEY is not set"), "{ran:?}");
}

/// `check --envoy` expects the key among the variables of the VM.
#[test]
fn envoys_configuration_has_the_key() {
    let keys = [("PLAYLOCK_SEAL_KEY", KEY)];
    let file = config();
    let text = good(&["ecds", "--seal", "--config", file.path()], "", &keys);
    let envoy = Scratch::new("ecds.yaml", &text);
    assert!(good(&["check", "--envoy", envoy.path()], "", &keys).contains("good: Envoy's configuration"));
    let envoy = Scratch::new("ecds.yaml", text.replace("\"PLAYLOCK_SEAL_KEY\", ", ""));
    let ran = playlock(&["check", "--envoy", envoy.path()], "", &keys);
    let said = "the policies read PLAYLOCK_SEAL_KEY, which is not set, so Envoy rejects the configuration";
    assert!(ran.status == 1 && ran.errors.contains(said), "{ran:?}");
}
