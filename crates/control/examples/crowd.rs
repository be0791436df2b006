//! Simulated Envoys of one network, for benches/fleet.py: each has a connection of its own, accepts what it gets, and reports
//! it as in force at once.
//!
//! `crowd FOLDER NETWORK PORT NUMBER`, with the folder of `playlock serve`. It prints a line of JSON when all are
//! connected, and one for each revision that has reached all: the times at which the first and the last got it, in
//! milliseconds since 1970.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs};

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::DiscoveryRequest;
use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_client::ExtensionConfigDiscoveryServiceClient;
use envoy_types::pb::envoy::service::metrics::v3::metrics_service_client::MetricsServiceClient;
use envoy_types::pb::envoy::service::metrics::v3::{StreamMetricsMessage, stream_metrics_message::Identifier};
use envoy_types::pb::io::prometheus::client::{Gauge, Metric, MetricFamily, MetricType};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// Handshakes at once.
const HANDSHAKES: usize = 32;

/// A revision that a node got, and when.
type Got = (u64, u128);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, network, port, number] = &arguments[..] else {
        return Err("expected FOLDER NETWORK PORT NUMBER".into());
    };
    let read = |name: String| fs::read(format!("{folder}/{name}"));
    let identity = Identity::from_pem(read(format!("node-{network}.pem"))?, read(format!("node-{network}.key"))?);
    let ca = Certificate::from_pem(read("ca.pem".to_owned())?);
    let tls = ClientTlsConfig::new().ca_certificate(ca).identity(identity).domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://127.0.0.1:{port}"))?.tls_config(tls)?;
    let number: usize = number.parse()?;
    let (report, mut reports) = mpsc::unbounded_channel();
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    for index in 0..number {
        let (endpoint, report, handshakes) = (endpoint.clone(), report.clone(), Arc::clone(&handshakes));
        tokio::spawn(async move {
            let channel = {
                let _permit = handshakes.acquire().await?;
                endpoint.connect().await?
            };
            node(channel, format!("crowd-{index}"), report).await
        });
    }
    // The end of standard input, with the script that started this, ends everything.
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let mut times: Vec<Got> = Vec::new();
    while let Some((revision, at)) = reports.recv().await {
        times.push((revision, at));
        let same: Vec<u128> = times.iter().filter(|got| got.0 == revision).map(|got| got.1).collect();
        if let (true, Some(first), Some(last)) = (same.len() == number, same.iter().min(), same.iter().max()) {
            let mut out = std::io::stdout().lock();
            writeln!(out, r#"{{"revision": {revision}, "first": {first}, "last": {last}}}"#)?;
            out.flush()?;
            times.retain(|got| got.0 > revision);
        }
    }
    Ok(())
}

/// One node, until the server ends it.
async fn node(
    channel: Channel,
    id: String,
    report: mpsc::UnboundedSender<Got>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let node = Node { id, cluster: "crowd".to_owned(), ..Node::default() };
    let (requests, receiver) = mpsc::unbounded_channel();
    let request = DiscoveryRequest {
        resource_names: vec!["playlock".to_owned()],
        type_url: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig".to_owned(),
        ..DiscoveryRequest::default()
    };
    requests.send(DiscoveryRequest { node: Some(node.clone()), ..request.clone() })?;
    let (metrics, messages) = mpsc::unbounded_channel();
    metrics
        .send(StreamMetricsMessage { identifier: Some(Identifier { node: Some(node) }), envoy_metrics: Vec::new() })?;
    let mut sink = MetricsServiceClient::new(channel.clone());
    tokio::spawn(async move { sink.stream_metrics(UnboundedReceiverStream::new(messages)).await });
    let mut client = ExtensionConfigDiscoveryServiceClient::new(channel);
    let mut responses = client.stream_extension_configs(UnboundedReceiverStream::new(receiver)).await?.into_inner();
    while let Some(response) = responses.message().await? {
        let revision: u32 = response.version_info.split('-').next().unwrap_or_default().parse()?;
        report.send((revision.into(), now()))?;
        let answer =
            DiscoveryRequest { version_info: response.version_info, response_nonce: response.nonce, ..request.clone() };
        requests.send(answer)?;
        let gauge = Metric { gauge: Some(Gauge { value: Some(revision.into()) }), ..Metric::default() };
        let family = MetricFamily {
            name: Some("wasmcustom.playlock.revision".to_owned()),
            r#type: Some(MetricType::Gauge.into()),
            metric: vec![gauge],
            ..MetricFamily::default()
        };
        metrics.send(StreamMetricsMessage { identifier: None, envoy_metrics: vec![family] })?;
    }
    Ok(())
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis()
}
