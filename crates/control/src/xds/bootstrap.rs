//! The lines of Envoy's configuration that connect it to this server.

use std::fmt::Write as _;

use crate::network::Network;

/// The URI in the server's certificate (subject alternative name) that Envoys verify. Without it, the holder of a node's
/// certificate, which the same CA issued, could answer in the server's place.
pub const SERVER: &str = "spiffe://playlock/server";

/// The name of the cluster for questions about keys.
const LEASES: &str = "leases";

/// The address of a control plane, as Envoys reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Name or IP address.
    pub host: String,
    /// Its ports for Envoys.
    pub ports: Ports,
}

/// Ports of a control plane for Envoys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Port of `--xds-listen`.
    pub xds: u16,
    /// Port of `--authorize-listen`, if the server answers questions about keys.
    pub leases: Option<u16>,
}

/// Files on the Envoy's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The CA's certificate (PEM), which verifies the server.
    pub ca: String,
    /// The network's client certificate (PEM).
    pub certificate: String,
    /// Its key (PEM).
    pub key: String,
}

/// The parts of an Envoy configuration that load the filter `filter` from the servers at `addresses`, which all have the
/// same database. YAML with a comment above each part; the text differs between networks in names only, since the
/// certificate decides. Where servers answer questions about keys, there is a cluster for these, too.
pub fn bootstrap(network: Network, addresses: &[Address], files: &Files, filter: &str) -> String {
    let [ca, certificate, key] = [&files.ca, &files.certificate, &files.key].map(quoted);
    let entry = entry(filter);
    let at = |port: fn(&Ports) -> Option<u16>| {
        let mut endpoints = String::new();
        for Address { host, ports } in addresses {
            let Some(port) = port(ports) else { continue };
            // Writing to a String cannot fail.
            let _ = write!(
                endpoints,
                "\n      - endpoint: {{ address: {{ socket_address: {{ address: {}, port_value: {port} }} }} }}",
                quoted(host)
            );
        }
        endpoints
    };
    let socket = format!(
        r#"  transport_socket:
    name: envoy.transport_sockets.tls
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
      common_tls_context:
        tls_certificates:
        - certificate_chain: {{ filename: {certificate} }}
          private_key: {{ filename: {key} }}
        validation_context:
          trusted_ca: {{ filename: {ca} }}
          match_typed_subject_alt_names: [{{ san_type: URI, matcher: {{ exact: "{SERVER}" }} }}]
"#
    );
    let endpoints = at(|ports| Some(ports.xds));
    let leases = match at(|ports| ports.leases) {
        none if none.is_empty() => String::new(),
        endpoints => leases(&endpoints, &socket),
    };
    format!(
        r#"# At the top level. The id names this Envoy in the list of nodes: give each its own.
node: {{ id: edge-1, cluster: {network} }}
stats_flush_interval: 1s # the revision in force and the refusals arrive this often
stats_sinks:
- name: envoy.stat_sinks.metrics_service
  typed_config:
    "@type": type.googleapis.com/envoy.config.metrics.v3.MetricsServiceConfig
    transport_api_version: V3
    report_counters_as_deltas: true
    emit_tags_as_labels: true
    histogram_emit_mode: SUMMARY
    grpc_service: {{ envoy_grpc: {{ cluster_name: playlock_control }} }}
# Envoy sends all of its statistics to a sink. If nothing else reads them, keep playlock's only:
# stats_config: {{ stats_matcher: {{ inclusion_list: {{ patterns: [{{ prefix: wasmcustom.playlock. }}] }} }} }}

# In http_filters, in place of the filter's typed_config. There is no default_config: a new Envoy opens its listener once
# it has the policies.
{entry}
# In clusters.
- name: playlock_control
  type: STRICT_DNS
  dns_lookup_family: ALL # tries addresses of both families
  connect_timeout: 5s
  load_assignment:
    cluster_name: playlock_control
    endpoints:
    - lb_endpoints:{endpoints}
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config:
        http2_protocol_options: {{ connection_keepalive: {{ interval: 15s, timeout: 5s }} }}
{socket}{leases}"#
    )
}

/// The cluster that `keyAuthorizer` names, in policies with leases.
fn leases(endpoints: &str, socket: &str) -> String {
    format!(
        r#"# For policies with keyAuthorizer.leases, whose "cluster" is its name.
- name: {LEASES}
  type: STRICT_DNS
  dns_lookup_family: V4_PREFERRED # of both families, every other question could go where nobody listens
  connect_timeout: 1s
  load_assignment:
    cluster_name: {LEASES}
    endpoints:
    - lb_endpoints:{endpoints}
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config:
        http2_protocol_options: {{ connection_keepalive: {{ interval: 5s, timeout: 2s }} }}
{socket}"#
    )
}

/// The entry in `http_filters` that loads the filter from the servers.
pub fn entry(filter: &str) -> String {
    format!(
        r#"- name: {}
  config_discovery:
    config_source:
      resource_api_version: V3
      initial_fetch_timeout: 0s
      api_config_source:
        api_type: GRPC
        transport_api_version: V3
        grpc_services: [{{ envoy_grpc: {{ cluster_name: playlock_control }} }}]
    type_urls: [type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm]
"#,
        quoted(filter)
    )
}

/// The text as a double-quoted string, which JSON and YAML read alike.
fn quoted(text: impl AsRef<str>) -> String {
    serde_json::Value::from(text.as_ref()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_cannot_add_lines_and_every_server_is_an_endpoint() {
        let address = |host: &str, port| Address { host: host.to_owned(), ports: Ports { xds: port, leases: None } };
        let files = Files {
            ca: "/etc/envoy/ca.pem".to_owned(),
            certificate: "/etc/envoy/node \"1\".pem".to_owned(),
            key: "/etc/envoy/node.key\nadmin: {}".to_owned(),
        };
        let addresses = [address("control-1.example", 18000), address("::1", 18001)];
        let text = bootstrap(Network::Staging, &addresses, &files, "playlock");
        assert!(text.contains(r#"{ address: "control-1.example", port_value: 18000 }"#));
        assert!(text.contains(r#"{ address: "::1", port_value: 18001 }"#));
        assert!(text.contains(r#"{ filename: "/etc/envoy/node \"1\".pem" }"#));
        assert!(text.contains(r#"{ filename: "/etc/envoy/node.key\nadmin: {}" }"#));
        assert!(text.contains("cluster: staging }") && text.contains(r#"- name: "playlock""#));
        assert!(!text.contains("\nadmin") && !text.contains("\ndefault_config"));
        assert!(!text.contains("leases"));
    }

    #[test]
    fn questions_about_keys_have_a_cluster_with_the_same_tls() {
        let files = Files { ca: "ca.pem".into(), certificate: "node.pem".into(), key: "node.key".into() };
        let address = Address { host: "::1".into(), ports: Ports { xds: 18000, leases: Some(8083) } };
        let text = bootstrap(Network::Staging, &[address], &files, "playlock");
        let (before, cluster) = text.split_once("- name: leases\n").unwrap();
        assert!(cluster.contains(r#"{ address: "::1", port_value: 8083 }"#) && !before.contains("8083"));
        let socket = |text: &str| text.split_once("transport_socket:").unwrap().1.trim().to_owned();
        assert!(socket(before).starts_with(&socket(cluster)));
    }
}
