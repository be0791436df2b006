//! Delivery of each network's policies to its Envoys, and their reports.
//!
//! One listener with mutual TLS has two gRPC services: extension discovery ([`ecds`]) gives each Envoy its network's
//! policies; the metrics service ([`metrics`]) takes the revision in force and the refusals that Envoys push.

mod bootstrap;
mod ecds;
mod identity;
mod log;
mod metrics;
mod nodes;
mod offer;
mod operations;
mod published;
mod refusals;
mod reports;
mod resource;
mod shared;
mod tally;

pub use self::bootstrap::{Address, Files, SERVER, bootstrap, entry};
pub use self::identity::NETWORK;
pub use self::operations::Operations;
pub use self::refusals::Backoff;
pub use self::resource::Filter;

use std::sync::Arc;
use std::time::Duration;

use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_server::ExtensionConfigDiscoveryServiceServer;
use envoy_types::pb::envoy::service::metrics::v3::metrics_service_server::MetricsServiceServer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use self::ecds::Ecds;
use self::metrics::Metrics;
use self::published::Published;
use self::reports::Reports;
use self::shared::Shared;

/// Longest request of discovery, in bytes: one with a node of hundreds of extensions has 80 KB.
const LONGEST_REQUEST: usize = 1 << 20;

/// Longest message of metrics, in bytes. An Envoy with more statistics needs a `stats_matcher`.
const LONGEST_METRICS: usize = 4 << 20;

/// Streams on one connection. Envoy has two, on connections of their own or shared.
const STREAMS_PER_CONNECTION: u32 = 16;

/// Time within which an Envoy that is gone is noticed, together with `KEEPALIVE_TIMEOUT`.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Time for the last events of nodes to be stored.
const LAST_EVENTS: Duration = Duration::from_secs(5);

/// The server's certificate and its clients' authority, as PEM.
pub struct Tls {
    /// The certificate, with [`SERVER`] as a URI.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// The authority that issues the nodes' certificates.
    pub client_ca: String,
}

/// Settings of the delivery.
pub struct Settings {
    /// The filter in the Envoys' configuration.
    pub filter: Filter,
    /// Certificates.
    pub tls: Tls,
    /// Waiting times before refused policies are offered again.
    pub backoff: Backoff,
}

/// Serves Envoys until `shutdown` ends. Their streams are then closed, and they keep their policies.
///
/// # Errors
/// If the certificates are not valid, or no random bytes are to be had.
pub async fn serve<O: Operations>(
    control: O,
    listener: TcpListener,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let Settings { filter, tls, backoff } = settings;
    let (published, publish) = Published::new(control.clone(), filter.clone(), mark()?.into());
    let (reports, store) = Reports::new(control.clone());
    let (end, ending) = watch::channel(false);
    let shared = Arc::new(Shared::new(filter, backoff, published, reports, ending));
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(tls.certificate, tls.key))
        .client_ca_root(Certificate::from_pem(tls.client_ca))
        .timeout(HANDSHAKE);
    let ecds = ExtensionConfigDiscoveryServiceServer::new(Ecds::new(Arc::clone(&shared)));
    let metrics = MetricsServiceServer::new(Metrics::new(shared, control));
    let server = Server::builder()
        .tls_config(tls)?
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_service(ecds.max_decoding_message_size(LONGEST_REQUEST))
        .add_service(metrics.max_decoding_message_size(LONGEST_METRICS));
    let publish = tokio::spawn(publish);
    let store = tokio::spawn(store);
    let shutdown = async move {
        shutdown.await;
        // Streams end, and with them the connections that the server waits for.
        end.send_replace(true);
    };
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let served = server.serve_with_incoming_shutdown(incoming, shutdown).await;
    publish.abort();
    // The server has dropped all entrances of the queue but those of streams that are just ending.
    let _ = tokio::time::timeout(LAST_EVENTS, store).await;
    Ok(served?)
}

/// 32 random bits as white space, by which the bytes of this server's resources differ from those of others.
fn mark() -> Result<String, getrandom::Error> {
    let mut bits = getrandom::u32()?;
    let mut mark = String::with_capacity(16);
    for _ in 0..16 {
        mark.push(match bits & 3 {
            0 => ' ',
            1 => '\t',
            2 => '\n',
            _ => '\r',
        });
        bits >>= 2;
    }
    Ok(mark)
}
