//! Delivery of each network's policies to its Envoys, and their reports.
//!
//! One listener with mutual TLS has two gRPC services: extension discovery (`ecds`) gives each Envoy its network's
//! policies; the metrics service (`metrics`) takes the revision in force and the refusals that Envoys push.

mod bootstrap;
mod ecds;
mod identity;
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
mod tls;

pub use self::bootstrap::{Address, Files, Ports, SERVER, bootstrap, entry};
pub use self::identity::{NETWORK, of_certificate};
pub use self::nodes::CONNECTED;
pub use self::operations::Operations;
pub use self::published::Seal;
pub use self::refusals::Backoff;
pub use self::resource::Filter;
pub use self::tls::{Tls, TlsError};

use std::sync::Arc;
use std::time::Duration;

use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_server::ExtensionConfigDiscoveryServiceServer;
use envoy_types::pb::envoy::service::metrics::v3::metrics_service_server::MetricsServiceServer;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;

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

/// Time for connections to end with the server.
const LAST_CONNECTIONS: Duration = Duration::from_secs(3);

/// Time for the last events of nodes to be stored.
const LAST_EVENTS: Duration = Duration::from_secs(5);

/// Settings of the delivery.
pub struct Settings {
    /// The filter in the Envoys' configuration.
    pub filter: Filter,
    /// Certificates, which may be replaced.
    pub tls: Tls,
    /// The keys under which secrets are sealed.
    pub seal: Seal,
    /// Waiting times before refused policies are offered again.
    pub backoff: Backoff,
    /// Nodes of one network that may have streams: [`CONNECTED`].
    pub nodes: usize,
}

/// Serves Envoys until `shutdown` ends. Their streams are then closed, and they keep their policies.
///
/// # Errors
/// If no random bytes are to be had.
pub async fn serve<O: Operations>(
    control: O,
    listener: TcpListener,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let Settings { filter, tls, seal, backoff, nodes } = settings;
    let (published, publish) = Published::new(control.clone(), filter.clone(), seal, mark()?.into());
    let (reports, store) = Reports::new(control.clone())?;
    let (end, ending) = watch::channel(false);
    let mut ended = ending.clone();
    let shared = Arc::new(Shared::new(filter, nodes, backoff, published, reports, ending));
    let ecds = ExtensionConfigDiscoveryServiceServer::new(Ecds::new(Arc::clone(&shared)));
    let metrics = MetricsServiceServer::new(Metrics::new(shared, control));
    let server = Server::builder()
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
    let (connected, connections) = mpsc::channel(1);
    let accept = tokio::spawn(tls.accept(listener, connected));
    // A client that does not read, or has not spoken yet, does not keep the server.
    let patience = async move {
        let _ = ended.wait_for(|it| *it).await;
        tokio::time::sleep(LAST_CONNECTIONS).await;
    };
    let served = tokio::select! {
        served = server.serve_with_incoming_shutdown(ReceiverStream::new(connections), shutdown) => served,
        () = patience => Ok(()),
    };
    accept.abort();
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
