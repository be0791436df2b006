//! `playlock check --envoy`: the examples are good, and what would undo the protection is not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

use serde_json::{Value, json};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../envoy").join(name)
}

/// Exit status, standard output and standard error.
fn check(envoy: &Path, options: &[&Path]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_playlock"))
        .args(["check", "--envoy"])
        .arg(envoy)
        .args(options)
        .env("PLAYLOCK_PASSWORD", "52a152a152a152a152a152a152a152a1")
        .env("PLAYLOCK_SECRET", "000102030405060708090a0b0c0d0e0f")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_examples_are_good() {
    let one = "good: 1 policy, 1 assignment, 0 warnings\n";
    let around = "good: Envoy's configuration around the filter\n";
    for (name, policies) in [
        ("compose.yaml", one.to_owned()),
        ("ecds.yaml", one.to_owned()),
        ("edge.yaml", one.repeat(2)),
        ("envoy.yaml", "good: 2 policies, 2 assignments, 0 warnings\n".to_owned()),
        ("geoip.yaml", one.to_owned()),
    ] {
        let checked = check(&example(name), &["--deny-warnings".as_ref()]);
        assert_eq!(checked, (Some(0), policies + around, String::new()), "{name}");
    }
    let (policies, file) = (example("policies.json"), example("ecds.yaml"));
    for more in [["--config".as_ref(), &*policies], ["--envoy".as_ref(), &*file]] {
        let checked = check(&example("dynamic.yaml"), &more);
        assert_eq!(checked, (Some(0), format!("{one}{around}"), String::new()));
    }
}

/// The connection manager of the example with the geoip filter, changed, in a file of its own as JSON.
fn changed(name: &str, change: impl FnOnce(&mut Value)) -> (Option<i32>, String, String) {
    let text = fs::read_to_string(example("geoip.yaml")).unwrap();
    let mut document: Value = serde_saphyr::from_str(&text).unwrap();
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    change(document.pointer_mut(manager).unwrap());
    let path = env::temp_dir().join(format!("playlock-check-envoy-{}-{name}.json", process::id()));
    fs::write(&path, document.to_string()).unwrap();
    let checked = check(&path, &[]);
    fs::remove_file(path).unwrap();
    checked
}

fn swap(manager: &mut Value, left: usize, right: usize) {
    manager["http_filters"].as_array_mut().unwrap().swap(left, right);
}

#[test]
fn what_would_undo_the_protection_is_refused() {
    let errors = |name: &str, change: &dyn Fn(&mut Value)| {
        let (status, _, said) = changed(name, change);
        (status, said)
    };
    for (name, change, status, expected) in [
        (
            "kept",
            (&|manager: &mut Value| {
                let mutations = &mut manager["http_filters"][0]["typed_config"]["mutations"]["request_mutations"];
                mutations.as_array_mut().unwrap().remove(1);
            }) as &dyn Fn(&mut Value),
            1,
            "http_filters[2]: policies read x-geo-region, and clients can send it; expected a header_mutation filter that removes it before the geoip filter",
        ),
        (
            "strip-late",
            &|manager| swap(manager, 0, 1),
            1,
            "http_filters[2]: policies read x-geo-country, and clients can send it",
        ),
        ("lookup-late", &|manager| swap(manager, 1, 2), 1, "http_filters[1]: the geoip filter runs after playlock"),
        (
            "cache",
            &|manager| {
                manager["http_filters"]
                    .as_array_mut()
                    .unwrap()
                    .insert(0, json!({"name": "envoy.filters.http.cache_v2"}))
            },
            1,
            "http_filters[3]: a cache before playlock serves one viewer's stream to all",
        ),
        (
            "open",
            &|manager| manager["http_filters"][2]["typed_config"]["config"]["failure_policy"] = json!("FAIL_OPEN"),
            1,
            "http_filters[2].typed_config.config: FAIL_OPEN serves plaintext",
        ),
        (
            "hang",
            &|manager| {
                manager["http_filters"][2]["typed_config"]["config"]["allow_on_headers_stop_iteration"] = json!(false);
            },
            1,
            "http_filters[2].typed_config.config: holdHeaders without allow_on_headers_stop_iteration",
        ),
        (
            "policy",
            &|manager| {
                let value = &mut manager["http_filters"][2]["typed_config"]["config"]["configuration"]["value"];
                *value = json!(value.as_str().unwrap().replace("\"mode\"", "\"mod\""));
            },
            2,
            "http_filters[2]: policies[0].contentTargeting.geoProtection.mod: unknown field",
        ),
        ("gone", &|manager| manager["http_filters"] = json!([]), 2, "no playlock filter in any http_filters"),
        (
            "discovery",
            &|manager| {
                manager["http_filters"][2] = json!({"name": "playlock", "config_discovery":
                    {"type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"]}});
            },
            2,
            "the filter's configuration is in another file; expected that file as a further --envoy, or --config",
        ),
    ] {
        let (found, said) = errors(name, change);
        assert!(said.contains(expected), "{name}: {said}");
        assert_eq!(found, Some(status), "{name}: {said}");
    }
}

#[test]
fn other_ways_to_write_it_are_good_too() {
    // Removed before routing, and the names as protobuf's own JSON has them.
    let (status, said, errors) = changed("early", |manager| {
        let filters = manager.as_object_mut().unwrap().remove("http_filters").unwrap();
        let mutations = filters[0]["typed_config"]["mutations"]["request_mutations"].clone();
        manager["earlyHeaderMutationExtensions"] = json!([{"name": "early", "typedConfig": {"@type": "x.header_mutation.v3.HeaderMutation", "mutations": mutations}}]);
        manager["httpFilters"] = filters;
        manager["httpFilters"].as_array_mut().unwrap().remove(0);
    });
    assert_eq!((status, errors), (Some(0), String::new()), "{said}");
}

#[test]
fn what_may_be_meant_so_is_a_warning() {
    let (status, said, _) = changed("warn", |manager| {
        manager.as_object_mut().unwrap().remove("use_remote_address");
        manager["http_filters"][2]["typed_config"]["config"].as_object_mut().unwrap().remove("failure_policy");
    });
    assert_eq!(status, Some(0));
    assert!(said.contains("trusts X-Forwarded-For from any client"), "{said}");
    assert!(said.contains("no failure_policy: FAIL_RELOAD"), "{said}");
}
