//! `playlock schema`: it describes every member, and nothing of it is in the module. That it is right, is shown by
//! `tests/envoy/test_schema.py`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::path::Path;
use std::process::Command;

use common::playlock;
use serde_json::Value;

/// Members without a description, by where they are.
fn undescribed(value: &Value, place: &str, found: &mut Vec<String>) {
    let definitions = value["$defs"].as_object().into_iter().flatten();
    for (name, definition) in definitions {
        undescribed(definition, name, found);
    }
    for (name, member) in value["properties"].as_object().into_iter().flatten() {
        if member["description"].as_str().is_none_or(str::is_empty) && member["$ref"].is_null() {
            found.push(format!("{place}.{name}"));
        }
    }
}

#[test]
fn every_member_says_what_it_is() {
    let schema = playlock(&["schema"]).json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let mut found = Vec::new();
    undescribed(&schema, "", &mut found);
    assert_eq!(found, [""; 0]);
    assert!(schema["$defs"]["TokenAuth"]["properties"]["sessionTtl"].is_object());
}

/// Neither what makes the schema nor what else the command line needs.
#[test]
fn nothing_of_it_is_in_the_module() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", "playlock", "--edges", "normal", "--prefix", "none"])
        .args(["--target", "wasm32-unknown-unknown", "--format", "{p} {f}"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .output()
        .unwrap();
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && tree.contains("playlock-core"), "{output:?}");
    for foreign in ["schemars", "schema", "ureq", "rustls", "jiff", "clap"] {
        assert!(!tree.contains(foreign), "{foreign}:\n{tree}");
    }
}
