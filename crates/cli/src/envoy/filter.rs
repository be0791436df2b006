//! Checks of one playlock filter: its module and environment, the filters around it, the routes behind it.

use std::collections::BTreeSet;

use playlock_core::policy::Policies;

use super::chain::Chain;
use super::entry::{configuration, is_playlock, plugin};
use super::file::File;
use super::path_tokens;
use super::route::{self, Route};
use super::running::Running;
use super::tree::Node;
use crate::diagnostic::Diagnostics;

/// A playlock filter, in a connection manager or in a file that discovery reads.
#[derive(Debug, Clone)]
pub struct Filter<'a> {
    /// The entry of `http_filters`, or of a discovery's `resources`.
    pub entry: Node<'a>,
    /// The connection manager that has it.
    pub chain: Option<Chain<'a>>,
}

/// The playlock filters of one file.
pub fn filters(file: &File) -> Vec<Filter<'_>> {
    let root = Node::root(&file.document);
    let mut found = Vec::new();
    for manager in root.objects_with("http_filters") {
        let filters = manager.list("http_filters");
        for (index, entry) in filters.iter().enumerate().filter(|(_, entry)| is_playlock(entry)) {
            let chain = Chain { manager: manager.clone(), filters: filters.clone(), index };
            found.push(Filter { entry: entry.clone(), chain: Some(chain) });
        }
    }
    let resources = root.list("resources").into_iter().filter(is_playlock);
    found.extend(resources.map(|entry| Filter { entry, chain: None }));
    found
}

impl<'a> Filter<'a> {
    /// The name by which routes and discovery refer to it.
    pub fn name(&self) -> &'a str {
        self.entry.text(&["name"]).unwrap_or_default()
    }

    /// Its configuration, if it is in this entry.
    pub fn configuration(&self) -> Option<&'a str> {
        configuration(&plugin(&self.entry)?)
    }

    /// The environment variables of its VM whose values are in this entry.
    pub fn key_values(&self) -> Vec<(&'a str, &'a str)> {
        let values = plugin(&self.entry).and_then(|it| it.find(&["vm_config", "environment_variables", "key_values"]));
        let values = values.map(|values| values.members()).unwrap_or_default();
        values.into_iter().filter_map(|(name, value)| Some((name, value.value.as_str()?))).collect()
    }

    /// The filter that Envoy runs until discovery has delivered this one.
    pub fn default(&self) -> Option<Node<'a>> {
        self.entry.find(&["config_discovery", "default_config"])
    }

    /// The clusters of the routes that it protects.
    pub fn protected(&self, running: &Running<'_>, files: &'a [File]) -> Vec<&'a str> {
        let routes = self.chain.as_ref().map(|chain| route::routes(&chain.manager, files)).unwrap_or_default();
        routes.iter().filter(|route| !running.lets_pass(route)).flat_map(Route::clusters).collect()
    }

    /// Checks it with the configuration that it runs on.
    pub fn check(&self, running: &Running<'_>, files: &[File], diagnostics: &mut Diagnostics) {
        let path = &self.entry.path;
        if self.entry.is_true("disabled") {
            diagnostics.error(
                path,
                "disabled: true turns playlock off on every route that does not enable it; expected no such member",
            );
        }
        if self.entry.is_true("is_optional") {
            diagnostics
                .error(path, "is_optional: true lets an Envoy without Wasm skip playlock and serve plaintext; expected no such member");
        }
        if let Some(plugin) = plugin(&self.entry) {
            check_plugin(&plugin, running, diagnostics);
        }
        if let Some(default) = self.default() {
            check_default(&default, running, diagnostics);
        }
        if let Some(chain) = &self.chain {
            check_chain(chain, path, running, files, diagnostics);
        }
    }
}

/// Checks the module, its failure policy and its environment.
fn check_plugin(plugin: &Node<'_>, running: &Running<'_>, diagnostics: &mut Diagnostics) {
    let path = &plugin.path;
    let policy = plugin.text(&["failure_policy"]);
    if policy == Some("FAIL_OPEN") || plugin.is_true("fail_open") {
        diagnostics.error(path, "FAIL_OPEN serves plaintext after any failure; expected failure_policy: FAIL_RELOAD");
    } else if policy != Some("FAIL_RELOAD") {
        diagnostics.warning(path, "no failure_policy: FAIL_RELOAD, so the filter stays down after a trap; expected it");
    }
    if running.policies.hold_headers && !plugin.is_true("allow_on_headers_stop_iteration") {
        diagnostics.error(
            path,
            "holdHeaders without allow_on_headers_stop_iteration: true makes responses hang; expected both or neither",
        );
    }
    let Some(machine) = plugin.get("vm_config") else { return };
    if let Some(remote) = machine.find(&["code", "remote"]) {
        diagnostics.error(
            &remote.path,
            "a remote module: during an update by discovery, Envoy drops the filter and serves plaintext with 200, whatever failure_policy is; expected code: { local: { filename: … } }",
        );
    }
    if machine.is_true("nack_on_code_cache_miss") {
        diagnostics.error(
            &format!("{}.nack_on_code_cache_miss", machine.path),
            "applies to remote modules, which are not safe; expected a local module without it",
        );
    }
    let given = machine.get("environment_variables");
    let keys = given.as_ref().map(|given| given.list("host_env_keys")).unwrap_or_default();
    let values = given.as_ref().and_then(|given| given.get("key_values"));
    let is_given = |name: &str| {
        keys.iter().any(|key| key.value.as_str() == Some(name))
            || values.as_ref().is_some_and(|values| values.value.get(name).is_some())
    };
    for name in running.variables.iter().filter(|name| !is_given(name)) {
        diagnostics.error(
            &format!("{}.environment_variables", machine.path),
            &format!("the policies read {name}, which is not set, so Envoy rejects the configuration; expected it in host_env_keys"),
        );
    }
}

/// Checks that the filter before discovery does not forward requests.
fn check_default(default: &Node<'_>, running: &Running<'_>, diagnostics: &mut Diagnostics) {
    // With typed_config, as in the entry of a filter, or without, as the message itself.
    let config = default.get("typed_config").unwrap_or_else(|| default.clone());
    let kind = config.text(&["@type"]).unwrap_or_default();
    let ours = config.get("config").filter(|_| kind.ends_with("filters.http.wasm.v3.Wasm"));
    // RBAC without a rule that allows something denies all requests.
    let rules = config.get("rules");
    let allows = rules.as_ref().is_some_and(|rules| {
        let action = rules.text(&["action"]);
        !matches!(action, None | Some("ALLOW")) || rules.get("policies").is_some() || rules.get("policy").is_some()
    });
    match ours {
        Some(plugin) => check_plugin(&plugin, running, diagnostics),
        None if kind.ends_with("filters.http.rbac.v3.RBAC") && rules.is_some() && !allows => {}
        None => diagnostics.error(
            &default.path,
            "forwards requests until discovery has delivered playlock; expected no default (all requests are then refused), or an RBAC without policies",
        ),
    }
}

/// Checks the chain around the filter at `path`.
fn check_chain(chain: &Chain<'_>, path: &str, running: &Running<'_>, files: &[File], diagnostics: &mut Diagnostics) {
    let manager = &chain.manager;
    if path.contains("protocol_options") || path.contains("ProtocolOptions") {
        diagnostics
            .error(path, "an upstream filter runs after routing and caches; expected it in the connection manager");
        return;
    }
    check_order(chain, path, running.policies, diagnostics);
    if !manager.is_true("use_remote_address") && manager.get("original_ip_detection_extensions").is_none() {
        diagnostics.warning(
            path,
            "the connection manager trusts X-Forwarded-For from any client; expected use_remote_address: true",
        );
    }
    for upgrade in manager.list("upgrade_configs") {
        let filters = upgrade.list("filters");
        if !filters.is_empty() && !filters.iter().any(is_playlock) {
            diagnostics.error(
                &upgrade.path,
                "its filters lack playlock, so requests with Upgrade bypass it; expected playlock among them",
            );
        }
    }
    let routes = route::routes(manager, files);
    if chain.behind().iter().any(|filter| filter.is_filter("cache")) {
        for host in route::catch_all_hosts(manager, files) {
            diagnostics.warning(
                    &host.path,
                    "serves any Host with a cache behind it: each invented name fills the cache again; expected your own names",
                );
        }
    }
    for route in routes.iter().filter(|route| !running.lets_pass(route)) {
        check_route(route, diagnostics);
    }
    path_tokens::check(chain, running, files, diagnostics);
    check_fingerprints(chain, path, running, files, diagnostics);
    if running.policies.batching {
        let protected = routes.iter().filter(|route| !running.lets_pass(route));
        let clusters: BTreeSet<&str> = protected.flat_map(Route::clusters).collect();
        for cluster in route::clusters(files).iter().filter(|it| clusters.contains(it.name)) {
            if cluster.node.get("per_connection_buffer_limit_bytes").is_none() {
                diagnostics.warning(
                        &cluster.node.path,
                        "no per_connection_buffer_limit_bytes with batching: Envoy does not buffer chunks of up to 1 MiB for a paused response, so the worker stops batching; expected 65536",
                    );
            }
        }
    }
}

/// Checks the order of the filters around the one at `path`.
fn check_order(chain: &Chain<'_>, path: &str, policies: &Policies, diagnostics: &mut Diagnostics) {
    if chain.before().iter().any(|filter| filter.is_filter("cache")) {
        diagnostics
            .error(path, "a cache before playlock serves one viewer's stream to all; expected the cache after it");
    }
    let read: Vec<&str> = policies.geo_headers_read().collect();
    if read.is_empty() {
        return;
    }
    if chain.behind().iter().any(|filter| filter.is_filter("geoip")) {
        diagnostics.error(
            path,
            "the geoip filter runs after playlock, so clients can set their own location; expected it before playlock",
        );
    }
    let lookup = chain.before().iter().position(|filter| filter.is_filter("geoip"));
    let stripping = chain.before().get(..lookup.unwrap_or(chain.index)).unwrap_or_default();
    let stripping = stripping.iter().filter(|it| it.is_filter("header_mutation") && !it.is_true("disabled"));
    let early = chain.manager.list("early_header_mutation_extensions");
    let stripping: Vec<&Node<'_>> = stripping.chain(&early).collect();
    for name in read {
        if !stripping.iter().any(|extension| removes(extension, name)) {
            diagnostics.error(
                    path,
                    &format!(
                        "policies read {name}, and clients can send it; expected a header_mutation filter that removes it before {}",
                        if lookup.is_some() { "the geoip filter" } else { "playlock" }
                    ),
                );
        }
    }
}

/// Checks that playlock gets the fingerprints of TLS clients that sessions are bound to.
fn check_fingerprints(
    chain: &Chain<'_>,
    path: &str,
    running: &Running<'_>,
    files: &[File],
    diagnostics: &mut Diagnostics,
) {
    if !running.policies.iter().any(|(_, policy)| policy.session.binding.ja4) {
        return;
    }
    let is_it = |node: &Node<'_>| node.text(&["object_key"]) == Some("playlock.ja4");
    let mut before = chain.before().iter().filter(|filter| !filter.is_true("disabled"));
    if !before.any(|filter| filter.objects_with("object_key").iter().any(is_it)) {
        diagnostics.error(path, "policies bind sessions to ja4, but no filter before playlock sets the filter state playlock.ja4, so no session opens; expected a set_filter_state filter with this object_key");
    }
    let inspectors = files.iter().flat_map(|file| Node::root(&file.document).objects_with("enable_ja4_fingerprinting"));
    if !inspectors.into_iter().any(|inspector| inspector.is_true("enable_ja4_fingerprinting")) {
        diagnostics.warning(path, "policies bind sessions to ja4, but no listener computes it; expected a tls_inspector with enable_ja4_fingerprinting: true");
    }
}

fn check_route(route: &Route<'_>, diagnostics: &mut Diagnostics) {
    let action = &route.action;
    let timeout = action.text(&["timeout"]);
    if !timeout.is_some_and(|text| text.trim_end_matches('s').parse::<f64>() == Ok(0.0)) {
        let found = timeout.map_or("no timeout: after 15 s".to_owned(), |text| format!("timeout: {text}: after that"));
        let text = format!("{found} Envoy resets responses that slow viewers are still reading; expected timeout: 0s");
        diagnostics.warning(&action.path, &text);
    }
    if let Some(policy) = action.get("internal_redirect_policy") {
        diagnostics.warning(
            &policy.path,
            "Envoy follows the origin's redirects through playlock without the token, and gets a 403; expected no such policy, so that the viewer gets the redirect",
        );
    }
}

/// Whether a header_mutation extension always removes this request header.
fn removes(extension: &Node<'_>, name: &str) -> bool {
    let Some(config) = extension.get("typed_config") else { return false };
    // The list is one level deeper in the filter than in the extension for early mutations.
    let deep = config.get("mutations").map(|mutations| mutations.list("request_mutations")).unwrap_or_default();
    let list = if deep.is_empty() { config.list("mutations") } else { deep };
    list.iter().any(|it| it.text(&["remove"]).is_some_and(|it| it.eq_ignore_ascii_case(name)))
}
