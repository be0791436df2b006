//! The output of `playlock ecds`; `tests/envoy/test_ecds.py` shows that Envoy takes it.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::process::Command;
use std::{env, fs, process};

fn ecds(name: &str, config: &str, options: &[&str]) -> String {
    let path = env::temp_dir().join(format!("playlock-ecds-{}-{name}.json", process::id()));
    fs::write(&path, config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_playlock"))
        .args(["ecds", "--config"])
        .arg(&path)
        .args(options)
        .env("PASSWORD", "52a152a152a152a152a152a152a152a1")
        .output()
        .unwrap();
    fs::remove_file(path).unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

const CONFIG: &str = r#"{"policies": [{"policyName": "a", "description": "äöü 🎬",
  "tokenAuth": {"enabled": true, "password": {"env": "PASSWORD"}}}], "assignments": []}"#;

/// Lines of any kind, and characters that YAML would take for ends of lines, come out as JSON that says the same.
#[test]
fn the_document_is_in_it_as_it_was() {
    let odd = CONFIG
        .replace("äöü", "\u{85}\u{2028}\u{feff}\u{7f}ä")
        .replace(", \"desc", ",\r\n\r\n\t\"desc")
        .replace("}}}", "}\r}}");
    for (name, config) in [("plain", CONFIG.to_owned()), ("odd", odd), ("spaced", format!("\n   {CONFIG}\n\n"))] {
        let text = ecds(name, &config, &[]);
        assert!(text.is_ascii(), "{text}");
        let (_, block) = text.split_once("          value: |\n").unwrap();
        let lines =
            block.lines().map(|line| if line.is_empty() { "" } else { line.strip_prefix("            ").unwrap() });
        let written: String = lines.collect::<Vec<_>>().join("\n");
        assert!(written.starts_with('{') && !written.contains('\r'));
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&written), value(&config));
    }
}

#[test]
fn versions_differ_as_files_do() {
    let version = |text: &str| text.split('"').nth(1).unwrap().to_owned();
    let first = ecds("first", CONFIG, &[]);
    assert_eq!(first, ecds("again", CONFIG, &[]));
    assert_eq!(version(&first).len(), 16);
    assert_ne!(version(&first), version(&ecds("other", &CONFIG.replace("äöü", "x"), &[])));
    assert_ne!(version(&first), version(&ecds("module", CONFIG, &["--module", "x.wasm"])));
}

#[test]
fn held_headers_and_variables_are_set_up() {
    let plain = ecds("names", CONFIG, &[]);
    assert!(plain.contains("            host_env_keys: [\"PASSWORD\"]\n") && !plain.contains("52a1"));
    assert!(!plain.contains("allow_on_headers_stop_iteration"));
    let with = ecds(
        "values",
        &CONFIG.replacen("{\"pol", "{\"holdHeaders\": true, \"pol", 1),
        &["--with-secrets", "--name", "a\"\\\u{7}b"],
    );
    assert!(with.contains("            key_values: { \"PASSWORD\": \"52a152a152a152a152a152a152a152a1\" }\n"));
    assert!(with.contains("        allow_on_headers_stop_iteration: true\n"));
    assert!(with.contains(r#"    name: "a\"\\\u0007b""#), "{with}");
    let open = ecds("open", r#"{"policies": [], "assignments": []}"#, &[]);
    assert!(!open.contains("environment_variables"));
}

/// Envoy drops a filter whose module it has to fetch, so none is ever written.
#[test]
fn only_modules_on_envoys_own_machine_are_written() {
    let path = env::temp_dir().join(format!("playlock-ecds-{}-remote.json", process::id()));
    fs::write(&path, r#"{"policies": [], "assignments": []}"#).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_playlock"));
    let output = command.args(["ecds", "--module", "https://h/playlock.wasm", "--config"]).arg(&path).output().unwrap();
    fs::remove_file(path).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--module: found the URL https://h/playlock.wasm, expected a file"), "{said}");
}
