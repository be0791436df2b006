//! Routes and clusters, and the routes to protected clusters that bypass playlock.

use std::collections::BTreeSet;

use super::entry::is_playlock;
use super::file::File;
use super::tree::Node;
use crate::diagnostic::Diagnostics;

/// A route to a cluster.
pub struct Route<'a> {
    /// The route.
    node: Node<'a>,
    /// Its `route`.
    pub action: Node<'a>,
}

/// A cluster defined in a file.
pub struct Cluster<'a> {
    /// The name.
    pub name: &'a str,
    /// The definition.
    pub node: Node<'a>,
    /// The servers, as `address:port`.
    servers: BTreeSet<String>,
}

impl<'a> Route<'a> {
    /// A route, which may also respond by itself.
    pub fn of(node: &Node<'a>) -> Self {
        Self { action: node.get("route").unwrap_or_else(|| node.clone()), node: node.clone() }
    }

    /// The path or path prefix that it matches, if it is not a pattern.
    pub fn prefix(&self) -> Option<&'a str> {
        self.node.text(&["match", "prefix"]).or_else(|| self.node.text(&["match", "path"]))
    }

    /// The clusters that it names.
    pub fn clusters(&self) -> Vec<&'a str> {
        let weighted = self.action.get("weighted_clusters").map(|it| it.list("clusters")).unwrap_or_default();
        let weighted = weighted.into_iter().filter_map(|cluster| cluster.text(&["name"]));
        self.action.text(&["cluster"]).into_iter().chain(weighted).collect()
    }

    /// The member that chooses a cluster at run time, if there is one.
    fn unnamed_target(&self) -> Option<&'static str> {
        ["cluster_header", "cluster_specifier_plugin", "inline_cluster_specifier_plugin"]
            .into_iter()
            .find(|name| self.action.get(name).is_some())
    }
}

/// The route configurations of a connection manager: its own, or the one in the file that its discovery reads.
pub fn tables<'a>(manager: &Node<'a>, files: &'a [File]) -> Vec<Node<'a>> {
    if let Some(own) = manager.get("route_config") {
        return vec![own];
    }
    let Some(name) = manager.text(&["rds", "route_config_name"]) else { return Vec::new() };
    let all = files.iter().flat_map(|file| Node::root(&file.document).objects_with("virtual_hosts"));
    all.filter(|table| table.text(&["name"]) == Some(name)).collect()
}

/// The routes of a connection manager to clusters, however they match.
pub fn routes<'a>(manager: &Node<'a>, files: &'a [File]) -> Vec<Route<'a>> {
    let all = tables(manager, files).into_iter().flat_map(|table| table.objects_with("route"));
    all.filter_map(|node| Some(Route { action: node.get("route").filter(|it| it.value.is_object())?, node })).collect()
}

/// The virtual hosts of a connection manager that match any Host.
pub fn catch_all_hosts<'a>(manager: &Node<'a>, files: &'a [File]) -> Vec<Node<'a>> {
    let hosts = tables(manager, files).into_iter().flat_map(|table| table.list("virtual_hosts"));
    hosts.filter(|host| host.list("domains").iter().any(|domain| domain.value.as_str() == Some("*"))).collect()
}

/// All clusters defined in the files.
pub fn clusters(files: &[File]) -> Vec<Cluster<'_>> {
    let defined = files.iter().flat_map(|file| {
        let root = Node::root(&file.document);
        [root.objects_with("load_assignment"), root.objects_with("connect_timeout")].concat()
    });
    let mut found: Vec<Cluster<'_>> = Vec::new();
    for node in defined {
        let Some(name) = node.text(&["name"]).filter(|name| found.iter().all(|other| other.name != *name)) else {
            continue;
        };
        let endpoints = node.get("load_assignment").map(|it| it.objects_with("socket_address")).unwrap_or_default();
        let server = |endpoint: &Node<'_>| {
            let address = endpoint.get("socket_address")?;
            Some(format!("{}:{}", address.text(&["address"])?, address.get("port_value")?.value))
        };
        found.push(Cluster { name, servers: endpoints.iter().filter_map(server).collect(), node });
    }
    found
}

/// Finds the routes that bypass every playlock filter to `protected` clusters. `names`: of the filters.
pub fn bypasses(files: &[File], names: &BTreeSet<&str>, protected: &BTreeSet<&str>, diagnostics: &mut Diagnostics) {
    for file in files {
        let root = Node::root(&file.document);
        for holder in root.objects_with("typed_per_filter_config") {
            check_settings(&holder, names, diagnostics);
        }
        for entry in root.objects_with("typed_config") {
            if is_playlock(&entry) && !is_in_filter_chain(&entry.path) {
                diagnostics.error(
                    &entry.path,
                    "playlock is inside another extension (ExtensionWithMatcher, composite), which may skip it; expected it in http_filters directly",
                );
            }
        }
    }
    let managers = files.iter().flat_map(|file| {
        let root = Node::root(&file.document);
        root.objects_with("typed_config").into_iter().filter_map(|filter| {
            let is = filter.extension()?.ends_with("http_connection_manager.v3.HttpConnectionManager");
            filter.get("typed_config").filter(|_| is)
        })
    });
    let (with, without): (Vec<_>, Vec<_>) =
        managers.partition(|manager| manager.list("http_filters").iter().any(is_playlock));
    let clusters = clusters(files);
    let is_protected = |name: &str| {
        let servers = |name: &str| clusters.iter().find(|it| it.name == name).map(|it| &it.servers);
        let shared =
            |other: &&str| servers(name).zip(servers(other)).is_some_and(|(one, other)| !one.is_disjoint(other));
        protected.contains(name) || protected.iter().any(shared)
    };
    for manager in &without {
        for route in routes(manager, files) {
            if let Some(way) = route.unnamed_target().filter(|_| !protected.is_empty()) {
                diagnostics.error(&route.action.path, &format!("{way} may choose a cluster that playlock protects, and this connection manager lacks playlock; expected the filter here, too, or the name of a cluster"));
            }
            for name in route.clusters().into_iter().filter(|name| is_protected(name)) {
                diagnostics.error(&route.action.path, &format!("leads to the servers of \"{name}\", which playlock protects elsewhere, but this connection manager lacks playlock and serves them in clear; expected the filter here, too"));
            }
        }
    }
    for (manager, way) in with.iter().chain(&without).flat_map(|manager| {
        ["rds", "scoped_routes"].into_iter().filter_map(move |way| Some((manager, manager.get(way)?)))
    }) {
        if tables(manager, files).is_empty() {
            diagnostics.warning(
                &way.path,
                "the routes are in another file and were not checked; expected that file as a further --envoy",
            );
        }
    }
    for filter in files.iter().flat_map(|file| Node::root(&file.document).objects_with("typed_config")) {
        let is = filter.extension().is_some_and(|kind| kind.ends_with("tcp_proxy.v3.TcpProxy"));
        let name = filter.text(&["typed_config", "cluster"]).filter(|name| is && is_protected(name));
        if let Some(name) = name {
            diagnostics.error(&filter.path, &format!("leads to the servers of \"{name}\" without playlock, which serves them in clear; expected an HTTP connection manager with the filter"));
        }
    }
}

/// Checks the filter settings of a route, virtual host, route configuration or weighted cluster.
fn check_settings(holder: &Node<'_>, names: &BTreeSet<&str>, diagnostics: &mut Diagnostics) {
    let answers = holder.get("redirect").is_some() || holder.get("direct_response").is_some();
    let entries = holder.get("typed_per_filter_config").map(|entries| entries.members()).unwrap_or_default();
    for (_, entry) in entries.iter().filter(|(name, _)| names.contains(name) || *name == "envoy.filters.http.wasm") {
        // A route that responds by itself has nothing to protect.
        if entry.is_true("disabled") && !answers {
            diagnostics.error(
                &entry.path,
                "disabled: true turns playlock off; expected an assignment of these paths to a policy without tokenAuth and mediaEncryption, which forwards them unchanged",
            );
        }
        if entry.is_true("is_optional") {
            diagnostics
                .error(&entry.path, "is_optional: true lets Envoy ignore this entry; expected no entry for playlock");
        }
    }
}

/// Whether a filter at this path is in a filter chain or a discovery resource, not inside another extension.
fn is_in_filter_chain(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    let list = last.split('[').next().unwrap_or(last);
    let listed = matches!(list, "http_filters" | "httpFilters") || (list == "filters" && path.contains("pgrade"));
    listed
        || path.starts_with("resources[") && !path.contains('.')
        || matches!(list, "default_config" | "defaultConfig")
}
