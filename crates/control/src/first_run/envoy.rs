//! The lines that join an Envoy to the control plane.

use std::path::Path;

use crate::network::Network;

/// The filter's entry in `http_filters`. `initial_fetch_timeout: 0s` keeps a listener closed until the first document is
/// there, which balancers understand; with a timeout every request would be a 500.
pub fn filter(name: &str) -> String {
    format!(
        r#"- name: {name}
  config_discovery:
    type_urls: [type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm]
    config_source:
      resource_api_version: V3
      initial_fetch_timeout: 0s
      api_config_source:
        api_type: GRPC
        transport_api_version: V3
        grpc_services:
        - envoy_grpc: {{cluster_name: playlock-control}}
"#
    )
}

/// A piece of a bootstrap for `envoy --config-yaml`, which Envoy merges into its file: the cluster of the control plane, and
/// the sink of statistics that reports the revision in force and refusals.
pub fn bootstrap(folder: &Path, network: Network, host: &str, port: u16) -> String {
    let file = |name: &str| quoted(&folder.join(name).to_string_lossy());
    let (kind, exact) = match host.parse::<std::net::IpAddr>() {
        Ok(address) => ("IP_ADDRESS", address.to_string()),
        Err(_) => ("DNS", host.to_owned()),
    };
    format!(
        r#"# Written by `playlock serve`. Start Envoys of the network {network} with:
#   envoy -c envoy.yaml --config-yaml "$(cat envoy-{network}.yaml)" --service-node NAME --service-cluster NAME
# On another machine, copy ca.pem and node-{network}.pem and .key there, and correct their paths and the address.
static_resources:
  clusters:
  - name: playlock-control
    type: STRICT_DNS
    connect_timeout: 5s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config:
          http2_protocol_options: {{connection_keepalive: {{interval: 30s, timeout: 10s}}}}
    load_assignment:
      cluster_name: playlock-control
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: {}, port_value: {port}}}}}}}
    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        common_tls_context:
          tls_certificates:
          - certificate_chain: {{filename: {}}}
            private_key: {{filename: {}}}
          validation_context:
            trusted_ca: {{filename: {}}}
            match_typed_subject_alt_names:
            - {{san_type: {kind}, matcher: {{exact: {}}}}}
stats_sinks:
- name: envoy.stat_sinks.metrics_service
  typed_config:
    "@type": type.googleapis.com/envoy.config.metrics.v3.MetricsServiceConfig
    transport_api_version: V3
    report_counters_as_deltas: true
    emit_tags_as_labels: true
    grpc_service: {{envoy_grpc: {{cluster_name: playlock-control}}}}
"#,
        quoted(host),
        file(&format!("node-{network}.pem")),
        file(&format!("node-{network}.key")),
        file("ca.pem"),
        quoted(&exact),
    )
}

/// A string that YAML reads as it is: JSON's strings are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
