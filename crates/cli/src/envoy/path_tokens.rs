//! Checks of what Envoy decides by the path while a token is still in it: before playlock runs, and by the first route.

use std::collections::BTreeSet;

use serde_json::Value;

use super::chain::Chain;
use super::file::File;
use super::route::{self, Route};
use super::running::Running;
use super::target::WithToken;
use super::tree::Node;
use crate::diagnostic::Diagnostics;

/// Filters that decide who may do something; what they do not see is let through.
const GUARDS: [&str; 6] = ["jwt_authn", "rbac", "ext_authz", "basic_auth", "api_key_auth", "oauth2"];

/// Checks a connection manager whose playlock has policies with tokens in the path.
pub fn check(chain: &Chain<'_>, running: &Running<'_>, files: &[File], diagnostics: &mut Diagnostics) {
    let Some(marker) = running.policies.path_marker() else { return };
    let with_token = WithToken::new(marker);
    check_log(&chain.manager, diagnostics);
    for filter in chain.before() {
        check_rules(filter, &with_token, diagnostics);
    }
    for table in route::tables(&chain.manager, files) {
        for host in table.list("virtual_hosts") {
            let routes = host.list("routes");
            for one in routes.iter().filter(|one| !running.lets_pass(&Route::of(one))) {
                let Ok(first) = with_token.first(one, &routes) else { continue };
                if first.is_some_and(|first| first.path == one.path) {
                    continue;
                }
                let found = Rerouted { route: one, first, host: &host, table: &table, with_token: &with_token };
                found.check_settings(chain, diagnostics);
                if running.policies.route_policy && one.get("route").is_some() {
                    found.check_policy(diagnostics);
                }
            }
        }
    }
}

/// Log entries that Envoy writes before filters run.
fn check_log(manager: &Node<'_>, diagnostics: &mut Diagnostics) {
    let options = manager.get("access_log_options").unwrap_or_else(|| manager.clone());
    if options.is_true("flush_access_log_on_new_request") {
        diagnostics.warning(
            &format!("{}.flush_access_log_on_new_request", options.path),
            "logs each request before playlock has taken the token out of its path; expected no such member",
        );
    }
}

/// Rules of a filter before playlock that paths with a token evade.
fn check_rules(filter: &Node<'_>, with_token: &WithToken<'_>, diagnostics: &mut Diagnostics) {
    let Some(config) = filter.get("typed_config").filter(|_| !filter.is_true("disabled")) else { return };
    let matchers = if filter.is_filter("jwt_authn") {
        config.list("rules").iter().filter_map(|rule| rule.get("match")).collect()
    } else if filter.is_filter("rbac") {
        let by_path = config.objects_with("url_path").into_iter().filter_map(|it| it.find(&["url_path", "path"]));
        let headers = config.objects_with("name").into_iter().filter(|it| it.text(&["name"]) == Some(":path"));
        let by_header = headers.map(|header| header.get("string_match").unwrap_or(header));
        by_path.chain(by_header).collect()
    } else {
        Vec::new()
    };
    for matcher in matchers.iter().filter(|matcher| with_token.evades(matcher)) {
        diagnostics.error(
            &matcher.path,
            &format!(
                "does not match the same path after {}, which playlock takes out later; expected a match of both paths, or the filter after playlock",
                with_token.shown("")
            ),
        );
    }
}

/// A route whose paths with a token match another one first, or none.
struct Rerouted<'a, 'v> {
    route: &'a Node<'v>,
    first: Option<&'a Node<'v>>,
    host: &'a Node<'v>,
    table: &'a Node<'v>,
    with_token: &'a WithToken<'a>,
}

impl Rerouted<'_, '_> {
    /// Filters that run, or are turned on, by the first route.
    fn check_settings(&self, chain: &Chain<'_>, diagnostics: &mut Diagnostics) {
        let answers = self.route.get("redirect").is_some() || self.route.get("direct_response").is_some();
        let names = [Some(self.route), self.first].into_iter().flatten().flat_map(settings).map(|(name, _)| name);
        for name in names.collect::<BTreeSet<&str>>() {
            let Some(filter) = chain.filter(name) else { continue };
            let inherited = [self.host, self.table].into_iter().find_map(|node| setting(node, name));
            let of = |node: &Node<'_>| setting(node, name).or(inherited.clone()).map(|it| it.value.clone());
            let (wanted, found) =
                (of(self.route), self.first.map_or(inherited.as_ref().map(|it| it.value.clone()), of));
            if wanted == found {
                continue;
            }
            let runs_before = chain.before().iter().any(|before| before.text(&["name"]) == Some(name));
            // Envoy builds the chain once, by the first route.
            let turns = |value: &Option<Value>| {
                value.as_ref().is_some_and(|value| value.get("disabled").is_some() || filter.is_true("disabled"))
            };
            // A route that responds by itself has nothing to protect.
            if !runs_before && (answers || !turns(&wanted) && !turns(&found)) {
                continue;
            }
            let path = setting(self.route, name).map_or_else(|| self.route.path.clone(), |setting| setting.path);
            let effect =
                if runs_before { "runs before playlock with the settings of" } else { "is turned on or off by" };
            let text = format!(
                "\"{name}\" {effect} {}; expected the same setting there, or in the virtual host, or a match of both paths",
                self.elsewhere()
            );
            if GUARDS.iter().any(|guard| filter.is_filter(guard)) {
                diagnostics.error(&path, &text);
            } else {
                diagnostics.warning(&path, &text);
            }
        }
    }

    /// The policy that the route names.
    fn check_policy(&self, diagnostics: &mut Diagnostics) {
        let policy = |node: &Node<'_>| {
            let metadata = node.find(&["metadata"])?;
            let all = metadata.get("filter_metadata")?;
            all.value.get("playlock")?.get("policy")?.as_str().map(str::to_owned)
        };
        let (own, found) = (policy(self.route), self.first.and_then(policy));
        if own == found {
            return;
        }
        let named = |policy: Option<String>| {
            policy.map_or_else(|| "no policy".to_owned(), |name| format!("the policy \"{name}\""))
        };
        let text = format!(
            "names {}, but requests with a token in the path get {} from {}, and playlock refuses them; expected a match of both paths, such as safe_regex: {{ regex: \"(/{}[^/]*)?…\" }}",
            named(own),
            named(found),
            self.elsewhere(),
            self.with_token.marker()
        );
        diagnostics.error(&self.route.path, &text);
    }

    /// The first route, as text.
    fn elsewhere(&self) -> String {
        let path = self.with_token.shown("/…");
        match self.first {
            Some(first) => format!("{}, which matches {path} first", last(&first.path)),
            None => format!("no route, because none matches {path}"),
        }
    }
}

/// The settings of filters for a route, virtual host or route configuration, by the filters' names.
fn settings<'a>(node: &Node<'a>) -> Vec<(&'a str, Node<'a>)> {
    node.get("typed_per_filter_config").map(|settings| settings.members()).unwrap_or_default()
}

fn setting<'a>(node: &Node<'a>, name: &str) -> Option<Node<'a>> {
    settings(node).into_iter().find(|(found, _)| *found == name).map(|(_, setting)| setting)
}

/// The last part of a path in a document.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
