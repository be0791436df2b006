//! `playlock check --envoy` finds every way round the filter, and every way to lose it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::fs;
use std::path::Path;

use common::{Scratch, playlock};
use serde_json::{Value, json};

const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const OFF: &str = "type.googleapis.com/envoy.config.route.v3.FilterConfig";

/// An example as JSON.
fn example(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../envoy").join(name);
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// `check --envoy` on the example after a change: exit status, warnings, errors.
fn changed(name: &str, change: &dyn Fn(&mut Value)) -> (i32, String, String) {
    let mut document = example(name);
    change(&mut document);
    let file = Scratch::new("ways-round.json", document.to_string());
    let ran = playlock(&["check", "--envoy", file.path()]);
    (ran.status, ran.text().to_owned(), ran.errors)
}

fn at<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Value {
    document.pointer_mut(&format!("{MANAGER}{pointer}")).unwrap()
}

/// The listener without playlock, under another name.
fn bare(document: &Value) -> Value {
    let mut listener = document["static_resources"]["listeners"][0].clone();
    listener["name"] = json!("bare");
    let filters = listener.pointer_mut("/filter_chains/0/filters/0/typed_config/http_filters").unwrap();
    filters.as_array_mut().unwrap().remove(0);
    listener
}

fn push(list: &mut Value, item: Value) {
    list.as_array_mut().unwrap().push(item);
}

type Change<'a> = &'a dyn Fn(&mut Value);

#[test]
fn what_takes_the_filter_away_is_refused() {
    let per_filter = |settings: Value| json!({"playlock": settings});
    let off = || per_filter(json!({"@type": OFF, "disabled": true}));
    let remote = json!({"remote": {"http_uri": {"uri": "http://h/playlock.wasm", "cluster": "origin", "timeout": "1s"}, "sha256": "00"}});
    let discovery = |default: Value| {
        json!({"name": "playlock", "config_discovery": {"type_urls": [WASM], "apply_default_config_without_warming": true,
            "config_source": {"ads": {}}, "default_config": default}})
    };
    let route = "route_config.virtual_hosts[0].routes[0]";
    let refused: [(Change<'_>, &str); 25] = [
        (
            &|it| at(it, "/http_filters/0/typed_config/config/vm_config")["code"] = remote.clone(),
            "vm_config.code.remote: a remote module: during an update by discovery, Envoy drops the filter and serves plaintext",
        ),
        (
            &|it| at(it, "/http_filters/0/typed_config/config/vm_config")["nack_on_code_cache_miss"] = json!(true),
            "vm_config.nack_on_code_cache_miss: applies to remote modules",
        ),
        (&|it| at(it, "/http_filters/0")["disabled"] = json!(true), "http_filters[0]: disabled: true"),
        (&|it| at(it, "/http_filters/0")["is_optional"] = json!(true), "http_filters[0]: is_optional: true"),
        (
            &|it| at(it, "/http_filters/0/typed_config/config")["failure_policy"] = json!("FAIL_OPEN"),
            "config: FAIL_OPEN serves plaintext",
        ),
        (
            &|it| at(it, "/http_filters/0/typed_config/config")["fail_open"] = json!(true),
            "config: FAIL_OPEN serves plaintext",
        ),
        (
            &|it| at(it, "/route_config/virtual_hosts/0/routes/0")["typed_per_filter_config"] = off(),
            &format!("{route}.typed_per_filter_config.playlock: disabled: true"),
        ),
        (
            &|it| at(it, "/route_config/virtual_hosts/0/routes/0")["typedPerFilterConfig"] = off(),
            &format!("{route}.typedPerFilterConfig.playlock: disabled: true"),
        ),
        (
            &|it| at(it, "/route_config/virtual_hosts/0")["typed_per_filter_config"] = off(),
            "virtual_hosts[0].typed_per_filter_config.playlock: disabled: true",
        ),
        (
            &|it| at(it, "/route_config")["typed_per_filter_config"] = off(),
            "route_config.typed_per_filter_config.playlock: disabled: true",
        ),
        (
            &|it| *at(it, "/route_config/virtual_hosts/0/routes/0/route") = json!({"timeout": "0s", "weighted_clusters": {"clusters": [{"name": "origin", "weight": 1, "typed_per_filter_config": off()}]}}),
            "weighted_clusters.clusters[0].typed_per_filter_config.playlock: disabled: true",
        ),
        (
            &|it| {
                at(it, "/route_config/virtual_hosts/0/routes/0")["typed_per_filter_config"] =
                    per_filter(json!({"@type": OFF, "is_optional": true, "config": {}}))
            },
            &format!("{route}.typed_per_filter_config.playlock: is_optional: true"),
        ),
        (
            &|it| {
                let listener = bare(it);
                push(&mut it["static_resources"]["listeners"], listener);
            },
            "listeners[1].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[0].route: leads to the servers of \"origin\"",
        ),
        (
            &|it| {
                let chain = bare(it)["filter_chains"][0].clone();
                push(&mut it["static_resources"]["listeners"][0]["filter_chains"], chain);
            },
            "filter_chains[1].filters[0]",
        ),
        (
            &|it| {
                let chain = bare(it)["filter_chains"][0].clone();
                it["static_resources"]["listeners"][0]["default_filter_chain"] = chain;
            },
            "default_filter_chain.filters[0]",
        ),
        // Another cluster, but the same servers.
        (
            &|it| {
                let mut cluster = it["static_resources"]["clusters"][0].clone();
                cluster["name"] = json!("alias");
                push(&mut it["static_resources"]["clusters"], cluster);
                let mut listener = bare(it);
                *listener
                    .pointer_mut(
                        "/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0/routes/0/route/cluster",
                    )
                    .unwrap() = json!("alias");
                push(&mut it["static_resources"]["listeners"], listener);
            },
            "route: leads to the servers of \"alias\"",
        ),
        (
            &|it| {
                let mut listener = bare(it);
                *listener
                    .pointer_mut("/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0/routes/0/route")
                    .unwrap() = json!({"cluster_header": "x-cluster"});
                push(&mut it["static_resources"]["listeners"], listener);
            },
            "route: cluster_header may choose a cluster that playlock protects",
        ),
        (
            &|it| {
                push(
                    &mut it["static_resources"]["listeners"],
                    json!({"name": "tcp", "filter_chains": [{"filters": [{"name": "tcp", "typed_config":
            {"@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "cluster": "origin"}}]}]}),
                )
            },
            "listeners[1].filter_chains[0].filters[0]: leads to the servers of \"origin\"",
        ),
        (
            &|it| {
                at(it, "")["upgrade_configs"] =
                    json!([{"upgrade_type": "websocket", "filters": [{"name": "envoy.filters.http.router"}]}])
            },
            "upgrade_configs[0]: its filters lack playlock",
        ),
        (
            &|it| {
                let inner = at(it, "/http_filters/0").take();
                *at(it, "/http_filters/0") = json!({"name": "matched", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher", "extension_config": inner}});
            },
            "http_filters[0].typed_config.extension_config: playlock is inside another extension",
        ),
        (
            &|it| {
                let inner = at(it, "/http_filters/0").take();
                *at(it, "/http_filters/0") = json!({"name": "composite", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher", "extension_config": {"name": "composite"},
                "xds_matcher": {"on_no_match": {"action": {"name": "go", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.composite.v3.ExecuteFilterAction", "typed_config": inner}}}}}});
            },
            "playlock is inside another extension",
        ),
        (
            &|it| {
                let inner = at(it, "/http_filters/0").clone();
                it["static_resources"]["clusters"][0]["typed_extension_protocol_options"] =
                    json!({"o": {"http_filters": [inner]}});
            },
            "http_filters[0]: an upstream filter",
        ),
        (
            &|it| {
                *at(it, "/http_filters/0") =
                    discovery(json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer"}))
            },
            "default_config: forwards requests until discovery has delivered playlock",
        ),
        (
            &|it| {
                *at(it, "/http_filters/0") = discovery(
                    json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "rules": {"action": "DENY"}}),
                )
            },
            "default_config: forwards requests until discovery has delivered playlock",
        ),
        (
            &|it| {
                at(it, "/http_filters/0/typed_config/config/vm_config/environment_variables")["host_env_keys"] =
                    json!(["PLAYLOCK_SECRET"])
            },
            "environment_variables: the policies read PLAYLOCK_PASSWORD, which is not set, so Envoy rejects",
        ),
    ];
    let policies = example("policies.json").to_string();
    let policies = Scratch::new("policies.json", policies);
    for (change, expected) in refused {
        let mut document = example("compose.yaml");
        change(&mut document);
        let file = Scratch::new("refused.json", document.to_string());
        // With discovery, the policies are elsewhere.
        let config: &[&str] = if expected.starts_with("default") { &["--config", policies.path()] } else { &[] };
        let ran = playlock(&[&["check", "--envoy", file.path()], config].concat());
        assert_eq!(ran.status, 1, "{expected}: {ran:?}");
        assert!(ran.errors.contains(expected), "{expected}: {ran:?}");
        assert_eq!(ran.errors.lines().count(), 1, "{expected}: {ran:?}");
    }
}

/// Safe settings draw no finding: other clusters, answers of Envoy's own, closed defaults, values in the file.
#[test]
fn what_leaves_the_filter_in_place_is_good() {
    let good: [Change<'_>; 6] = [
        &|_| {},
        &|it| {
            let mut listener = bare(it);
            *listener
                .pointer_mut("/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0/routes")
                .unwrap() = json!([{"match": {"prefix": "/"}, "redirect": {"https_redirect": true}}, {"match": {"prefix": "/"}, "route": {"cluster": "site"}}]);
            push(&mut it["static_resources"]["listeners"], listener);
        },
        &|it| {
            let off = json!({"playlock": {"@type": OFF, "disabled": true}});
            let routes = at(it, "/route_config/virtual_hosts/0/routes").as_array_mut().unwrap();
            routes.insert(
                0,
                json!({"match": {"path": "/"}, "redirect": {"path_redirect": "/tv"}, "typed_per_filter_config": off}),
            );
            routes.insert(
                0,
                json!({"match": {"path": "/ok"}, "direct_response": {"status": 200}, "typed_per_filter_config": off}),
            );
        },
        &|it| {
            at(it, "/route_config/virtual_hosts/0")["typed_per_filter_config"] =
                json!({"envoy.filters.http.cors": {"@type": OFF, "disabled": true}});
        },
        &|it| at(it, "")["upgrade_configs"] = json!([{"upgrade_type": "websocket"}]),
        &|it| {
            *at(it, "/http_filters/0/typed_config/config/vm_config/environment_variables") = json!({"key_values":
                {"PLAYLOCK_PASSWORD": common::PASSWORD, "PLAYLOCK_SECRET": common::SECRET}});
        },
    ];
    // A cluster that the policies let everyone see may be seen elsewhere, too.
    let (status, said, errors) = changed("envoy.yaml", &|it| {
        let mut listener = bare(it);
        *listener.pointer_mut("/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0/routes").unwrap() =
            json!([{"match": {"prefix": "/"}, "route": {"cluster": "site"}}]);
        let filters = listener.pointer_mut("/filter_chains/0/filters/0/typed_config/http_filters").unwrap();
        filters.as_array_mut().unwrap().remove(0);
        push(&mut it["static_resources"]["listeners"], listener);
    });
    assert_eq!((status, errors.as_str()), (0, ""), "{said}");
    for (index, change) in good.iter().enumerate() {
        let (status, said, errors) = changed("compose.yaml", change);
        assert_eq!((status, errors.as_str()), (0, ""), "{index}");
        assert_eq!(
            said, "good: 1 policy, 1 assignment, 0 warnings\ngood: Envoy's configuration around the filter\n",
            "{index}"
        );
    }
}

#[test]
fn what_may_be_meant_so_is_a_warning() {
    let route = "/route_config/virtual_hosts/0/routes/0/route";
    let warned: [(&str, Change<'_>, &str); 7] = [
        (
            "compose.yaml",
            &|it| drop(at(it, route).as_object_mut().unwrap().remove("timeout")),
            "routes[0].route: no timeout: after 15 s Envoy resets",
        ),
        (
            "compose.yaml",
            &|it| at(it, route)["timeout"] = json!("60s"),
            "routes[0].route: timeout: 60s: after that Envoy resets",
        ),
        (
            "compose.yaml",
            &|it| at(it, route)["internal_redirect_policy"] = json!({}),
            "route.internal_redirect_policy: Envoy follows the origin's redirects through playlock",
        ),
        (
            "compose.yaml",
            &|it| {
                drop(
                    it["static_resources"]["clusters"][0]
                        .as_object_mut()
                        .unwrap()
                        .remove("per_connection_buffer_limit_bytes"),
                )
            },
            "clusters[0]: no per_connection_buffer_limit_bytes with batching",
        ),
        (
            "edge.yaml",
            &|it| at(it, "/route_config/virtual_hosts/0")["domains"] = json!(["edge.example", "*"]),
            "virtual_hosts[0]: serves any Host with a cache behind it",
        ),
        (
            "compose.yaml",
            &|it| {
                at(it, "").as_object_mut().unwrap().remove("route_config");
                at(it, "")["rds"] = json!({"route_config_name": "edge"});
            },
            "rds: the routes are in another file and were not checked",
        ),
        // A value that stands in the file is looked at, whatever it is in this shell.
        (
            "compose.yaml",
            &|it| {
                *at(it, "/http_filters/0/typed_config/config/vm_config/environment_variables") =
                    json!({"key_values": {"PLAYLOCK_PASSWORD": "00", "PLAYLOCK_SECRET": common::SECRET}});
            },
            "policies[0].tokenAuth.password: 1 byte in the policy \"vod\"",
        ),
    ];
    for (name, change, expected) in warned {
        let (status, said, errors) = changed(name, change);
        assert_eq!((status, errors.as_str()), (0, ""), "{expected}");
        let warnings: Vec<&str> = said.lines().filter(|line| line.starts_with("warning: ")).collect();
        assert!(warnings.len() == 1 && warnings[0].contains(expected), "{expected}: {said}");
    }
}

/// A route whose prefix itself is open, with what is protected below it.
#[test]
fn an_open_prefix_with_protected_paths_below_is_protected() {
    for (path, more) in
        [("/vod/...", r#""default": "pass", "#), ("/vod", r#""default": "pass", "routePolicy": true, "#)]
    {
        let mut document = example("compose.yaml");
        let value = at(&mut document, "/http_filters/0/typed_config/config/configuration/value");
        let text = value.as_str().unwrap().replace("\"path\": \"/...\"", &format!("\"path\": \"{path}\""));
        *value = json!(text.replace("\"default\": \"deny\"", more.trim_end_matches(", ")));
        let listener = bare(&document);
        push(&mut document["static_resources"]["listeners"], listener);
        let file = Scratch::new("below.json", document.to_string());
        let ran = playlock(&["check", "--envoy", file.path()]);
        assert!(ran.status == 1 && ran.errors.contains("leads to the servers of \"origin\""), "{ran:?}");
    }
}

/// The files that discovery reads: the filter, and the routes.
#[test]
fn the_files_of_discovery_are_looked_at() {
    let listener = Scratch::new("dynamic.json", example("dynamic.yaml").to_string());
    let mut filter = example("ecds.yaml");
    let plugin = filter.pointer_mut("/resources/0/typed_config/config").unwrap();
    plugin["vm_config"]["code"] = json!({"remote": {"http_uri": {"uri": "http://h/x.wasm"}, "sha256": "00"}});
    let filter = Scratch::new("ecds.json", filter.to_string());
    for files in [&["--envoy", filter.path()][..], &["--envoy", listener.path(), "--envoy", filter.path()]] {
        let ran = playlock(&[&["check"], files].concat());
        assert_eq!(ran.status, 1, "{ran:?}");
        let expected = "resources[0].typed_config.config.vm_config.code.remote: a remote module";
        assert!(ran.errors.contains(expected), "{ran:?}");
    }
    let routes = |off: Value| {
        let mut routes = example("compose.yaml").pointer(&format!("{MANAGER}/route_config")).unwrap().clone();
        routes["name"] = json!("edge");
        routes["virtual_hosts"][0]["typed_per_filter_config"] = off;
        Scratch::new("rds.json", json!({"resources": [routes]}).to_string())
    };
    let mut main = example("compose.yaml");
    at(&mut main, "").as_object_mut().unwrap().remove("route_config");
    at(&mut main, "")["rds"] = json!({"route_config_name": "edge"});
    let main = Scratch::new("main.json", main.to_string());
    let (good, bad) = (routes(json!({})), routes(json!({"playlock": {"@type": OFF, "disabled": true}})));
    let ran = playlock(&["check", "--deny-warnings", "--envoy", main.path(), "--envoy", good.path()]);
    assert_eq!((ran.status, ran.errors.as_str()), (0, ""), "{ran:?}");
    let ran = playlock(&["check", "--envoy", main.path(), "--envoy", bad.path()]);
    assert!(ran.status == 1 && ran.errors.contains("virtual_hosts[0].typed_per_filter_config.playlock"), "{ran:?}");
}
