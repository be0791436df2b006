//! `playlock check --envoy` with tokens in the path: what Envoy decides before the filter has taken the token out.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::fs;
use std::path::Path;

use common::{Scratch, playlock};
use serde_json::{Value, json};

const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
const FILTERS: &str = "type.googleapis.com/envoy.extensions.filters.http";
const OFF: &str = "type.googleapis.com/envoy.config.route.v3.FilterConfig";

/// The connection manager of the smallest example, whose sessions are in the path.
fn example() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../envoy/compose.yaml");
    let mut document: Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let value = at(&mut document, "/http_filters/0/typed_config/config/configuration/value");
    let mut policies: Value = serde_json::from_str(value.as_str().unwrap()).unwrap();
    policies["policies"][0]["tokenAuth"]["sessionTokenTransport"] = json!("path");
    *value = json!(policies.to_string());
    document
}

fn at<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Value {
    document.pointer_mut(&format!("{MANAGER}{pointer}")).unwrap()
}

/// Exit status and findings after a change.
fn checked(change: &dyn Fn(&mut Value)) -> (i32, Vec<String>) {
    let mut document = example();
    change(&mut document);
    let file = Scratch::new("path-tokens.json", document.to_string());
    let ran = playlock(&["check", "--envoy", file.path()]);
    let errors = ran.errors.lines().map(str::to_owned);
    (
        ran.status,
        errors.chain(ran.text().lines().filter(|line| line.starts_with("warning")).map(str::to_owned)).collect(),
    )
}

/// A route to the origin.
fn route(found: &Value, more: &Value) -> Value {
    let mut made = json!({"match": found, "route": {"cluster": "origin", "timeout": "0s"}});
    made.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made
}

/// Replaces the routes.
fn routes(document: &mut Value, routes: &[Value]) {
    *at(document, "/route_config/virtual_hosts/0/routes") = json!(routes);
}

/// Adds a filter before or after playlock.
fn filter(document: &mut Value, position: usize, name: &str, config: &Value) {
    let mut typed = json!({"@type": format!("{FILTERS}.{name}.v3.Filter")});
    typed.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    let entry = json!({"name": name, "typed_config": typed});
    at(document, "/http_filters").as_array_mut().unwrap().insert(position, entry);
}

fn named(policy: &str) -> Value {
    json!({"metadata": {"filter_metadata": {"playlock": {"policy": policy}}}})
}

fn by_route(document: &mut Value) {
    let value = at(document, "/http_filters/0/typed_config/config/configuration/value");
    let mut policies: Value = serde_json::from_str(value.as_str().unwrap()).unwrap();
    policies["routePolicy"] = json!(true);
    *value = json!(policies.to_string());
}

type Change<'a> = &'a dyn Fn(&mut Value);

/// The only finding of each.
#[test]
fn what_the_path_with_the_token_decides_is_found() {
    let any = json!({"prefix": "/"});
    let vod = json!({"prefix": "/vod/"});
    let cors = |value: Value| json!({"typed_per_filter_config": {"cors": {"@type": format!("{FILTERS}.cors.v3.CorsPolicy"), "allow_origin": value}}});
    let jwt = |name: &str| json!({"typed_per_filter_config": {"jwt_authn": {"requirement_name": name}}});
    let off = json!({"typed_per_filter_config": {"lua": {"@type": OFF, "disabled": true}}});
    let on = json!({"typed_per_filter_config": {"ext_authz": {"@type": OFF, "config": {}}}});
    let deny = |matcher: Value| json!({"rules": {"action": "DENY", "policies": {"p": {"permissions": [matcher], "principals": [{"any": true}]}}}});
    let none = json!({});
    let cases: [(Change<'_>, i32, &str); 13] = [
        (
            &|it| at(it, "")["access_log_options"] = json!({"flush_access_log_on_new_request": true}),
            0,
            "access_log_options.flush_access_log_on_new_request: logs each request before playlock has taken the token out",
        ),
        (
            &|it| filter(it, 0, "rbac", &deny(json!({"url_path": {"path": {"prefix": "/secret"}}}))),
            1,
            "permissions[0].url_path.path: does not match the same path after /~TOKEN",
        ),
        (
            &|it| {
                filter(it, 0, "rbac", &deny(json!({"header": {"name": ":path", "string_match": {"exact": "/secret"}}})))
            },
            1,
            "permissions[0].header.string_match: does not match the same path after /~TOKEN",
        ),
        (
            &|it| filter(it, 0, "rbac", &deny(json!({"url_path": {"path": {"safe_regex": {"regex": "/vod/.*"}}}}))),
            1,
            "permissions[0].url_path.path: does not match the same path after /~TOKEN",
        ),
        (
            &|it| {
                filter(
                    it,
                    0,
                    "jwt_authn",
                    &json!({"rules": [{"match": {"prefix": "/"}}, {"match": {"prefix": "/vod"}}]}),
                )
            },
            1,
            "rules[1].match: does not match the same path after /~TOKEN",
        ),
        (
            &|it| {
                filter(it, 0, "cors", &none);
                routes(it, &[route(&vod, &cors(json!(1))), route(&any, &none)]);
            },
            0,
            "routes[0].typed_per_filter_config.cors: \"cors\" runs before playlock with the settings of routes[1], which matches /~TOKEN/… first",
        ),
        (
            &|it| {
                filter(it, 0, "jwt_authn", &none);
                routes(it, &[route(&vod, &jwt("a")), route(&any, &jwt("b"))]);
            },
            1,
            "routes[0].typed_per_filter_config.jwt_authn: \"jwt_authn\" runs before playlock with the settings of routes[1]",
        ),
        (
            &|it| {
                filter(it, 0, "jwt_authn", &none);
                routes(it, &[route(&vod, &none), route(&any, &jwt("b"))]);
            },
            1,
            "routes[0]: \"jwt_authn\" runs before playlock with the settings of routes[1]",
        ),
        (
            &|it| {
                filter(it, 1, "lua", &none);
                routes(it, &[route(&json!({"safe_regex": {"regex": "/vod/.*"}}), &off), route(&any, &none)]);
            },
            0,
            "routes[0].typed_per_filter_config.lua: \"lua\" is turned on or off by routes[1]",
        ),
        (
            &|it| {
                filter(it, 1, "ext_authz", &none);
                at(it, "/http_filters/1")["disabled"] = json!(true);
                routes(it, &[route(&vod, &on)]);
            },
            1,
            "routes[0].typed_per_filter_config.ext_authz: \"ext_authz\" is turned on or off by no route",
        ),
        (
            &|it| {
                by_route(it);
                routes(it, &[route(&vod, &named("vod")), route(&any, &none)]);
            },
            1,
            "routes[0]: names the policy \"vod\", but requests with a token in the path get no policy from routes[1]",
        ),
        (
            &|it| {
                by_route(it);
                routes(it, &[route(&json!({"path_separated_prefix": "/vod"}), &none), route(&any, &named("vod"))]);
            },
            1,
            "routes[0]: names no policy, but requests with a token in the path get the policy \"vod\" from routes[1]",
        ),
        (
            &|it| {
                by_route(it);
                routes(it, &[route(&vod, &named("vod"))]);
            },
            1,
            "routes[0]: names the policy \"vod\", but requests with a token in the path get no policy from no route",
        ),
    ];
    for (change, status, expected) in cases {
        let found = checked(change);
        assert_eq!(found.0, status, "{expected}: {found:?}");
        assert!(found.1.len() == 1 && found.1[0].contains(expected), "{expected}: {found:?}");
    }
}

/// Settings that are the same for both paths, look at no path, or come after the filter.
#[test]
fn what_the_token_does_not_change_is_good() {
    let any = json!({"prefix": "/"});
    let vod = json!({"prefix": "/vod/"});
    let both = json!({"safe_regex": {"regex": "(/~[^/]*)?/vod/.*"}});
    let apart = json!({"safe_regex": {"regex": "/~[^/]*/vod/.*"}});
    let none = json!({});
    let cors = json!({"typed_per_filter_config": {"cors": {"allow_origin": 1}}});
    let deny = |matcher: Value| json!({"rules": {"action": "DENY", "policies": {"p": {"permissions": [matcher], "principals": [{"any": true}]}}}});
    let good: [Change<'_>; 11] = [
        &|_| {},
        &|it| filter(it, 1, "rbac", &deny(json!({"url_path": {"path": {"prefix": "/secret"}}}))),
        &|it| filter(it, 0, "rbac", &deny(json!({"url_path": {"path": {"suffix": ".php"}}}))),
        &|it| {
            filter(
                it,
                0,
                "rbac",
                &deny(json!({"url_path": {"path": {"safe_regex": {"regex": "(/~[^/]*)?/secret.*"}}}})),
            )
        },
        &|it| filter(it, 0, "jwt_authn", &json!({"rules": [{"match": {"prefix": "/"}}]})),
        &|it| {
            filter(
                it,
                0,
                "health_check",
                &json!({"headers": [{"name": ":path", "string_match": {"exact": "/healthz"}}]}),
            )
        },
        &|it| {
            filter(it, 1, "cors", &none);
            routes(it, &[route(&vod, &cors), route(&any, &none)]);
        },
        &|it| {
            filter(it, 0, "cors", &none);
            routes(it, &[route(&vod, &cors), route(&any, &cors)]);
        },
        &|it| {
            filter(it, 0, "cors", &none);
            routes(it, &[route(&vod, &none), route(&any, &none)]);
            at(it, "/route_config/virtual_hosts/0").as_object_mut().unwrap().extend(cors.as_object().unwrap().clone());
        },
        &|it| {
            by_route(it);
            routes(it, &[route(&both, &named("vod")), route(&any, &none)]);
        },
        &|it| {
            by_route(it);
            let of_host = json!({"prefix": "/", "headers": [{"name": "x", "present_match": true}]});
            routes(
                it,
                &[
                    route(&of_host, &named("vod")),
                    route(&apart, &named("vod")),
                    route(&vod, &named("vod")),
                    route(&any, &none),
                ],
            );
        },
    ];
    for (index, change) in good.iter().enumerate() {
        assert_eq!(checked(change), (0, Vec::new()), "{index}");
    }
    // Without tokens in the path, all of it is.
    let mut document = example();
    filter(&mut document, 0, "rbac", &deny(json!({"url_path": {"path": {"prefix": "/secret"}}})));
    let text =
        document.to_string().replace(r#"\"sessionTokenTransport\":\"path\""#, r#"\"sessionTokenTransport\":\"query\""#);
    let file = Scratch::new("path-tokens-query.json", text);
    let ran = playlock(&["check", "--deny-warnings", "--envoy", file.path()]);
    assert_eq!((ran.status, ran.errors.as_str()), (0, ""), "{ran:?}");
}
