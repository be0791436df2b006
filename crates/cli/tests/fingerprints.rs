//! `playlock check --envoy` with sessions that are bound to the TLS client.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::fs;
use std::path::Path;

use common::{Scratch, playlock};
use serde_json::{Value, json};

const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

fn at<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Value {
    document.pointer_mut(&format!("{MANAGER}{pointer}")).unwrap()
}

/// `check --envoy` on the smallest example after a change: exit status, warnings, errors.
fn checked(change: &dyn Fn(&mut Value)) -> (i32, String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../envoy/compose.yaml");
    let mut document: Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    change(&mut document);
    let file = Scratch::new("fingerprints.json", document.to_string());
    let ran = playlock(&["check", "--envoy", file.path()]);
    (ran.status, ran.text().to_owned(), ran.errors)
}

/// Sessions bound to the TLS client, whose fingerprint another filter provides.
#[test]
fn fingerprints_of_tls_clients_must_reach_the_filter() {
    let state = json!({"name": "ja4", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
        "on_request_headers": [{"object_key": "playlock.ja4", "factory_key": "envoy.string"}]}});
    let inspector = json!([{"name": "tls", "typed_config": {"enable_ja4_fingerprinting": true}}]);
    for (position, inspected, status, lines) in
        [(Some(0), true, 0, 0), (Some(0), false, 0, 1), (Some(1), true, 1, 1), (None, false, 1, 2)]
    {
        let (found, said, errors) = checked(&|it| {
            let value = at(it, "/http_filters/0/typed_config/config/configuration/value");
            let mut policies: Value = serde_json::from_str(value.as_str().unwrap()).unwrap();
            policies["policies"][0]["tokenAuth"]["sessionBinding"] = json!({"ja4": true});
            *value = json!(policies.to_string());
            if let Some(position) = position {
                at(it, "/http_filters").as_array_mut().unwrap().insert(position, state.clone());
            }
            if inspected {
                it["static_resources"]["listeners"][0]["listener_filters"] = inspector.clone();
            }
        });
        let findings: Vec<&str> =
            said.lines().filter(|line| line.starts_with("warning")).chain(errors.lines()).collect();
        assert_eq!((found, findings.len()), (status, lines), "{findings:?}");
        assert!(findings.iter().all(|line| line.contains("policies bind sessions to ja4")), "{findings:?}");
    }
}
