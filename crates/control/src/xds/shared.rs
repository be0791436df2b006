//! The state that all streams of this server share, and their admission.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use tonic::{Request, Status};

use super::identity;
use super::nodes::Nodes;
use super::published::Published;
use super::refusals::Backoff;
use super::reports::Reports;
use super::resource::Filter;
use crate::network::Network;

/// Streams of one network at once: of policies and of metrics, two for each Envoy.
const STREAMS: usize = 20_000;

/// The shared state.
pub struct Shared {
    /// The filter in the Envoys' configuration.
    pub filter: Filter,
    /// The networks' policies.
    pub published: Published,
    /// The nodes of this server.
    pub nodes: Nodes,
    /// The queue of their events.
    pub reports: Reports,
    /// Waiting times after refusals.
    pub backoff: Backoff,
    /// The moment from which times are counted.
    pub began: Instant,
    shutdown: watch::Receiver<bool>,
    /// Those that may be opened, of staging and production.
    streams: [Arc<Semaphore>; 2],
}

impl Shared {
    /// Creates the state of a server without streams, which at most `nodes` nodes of one network may have. `shutdown`
    /// becomes true when they should end.
    pub fn new(
        filter: Filter,
        nodes: usize,
        backoff: Backoff,
        published: Published,
        reports: Reports,
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        let nodes = Nodes::new(nodes);
        let streams = Network::ALL.map(|_| Arc::new(Semaphore::new(STREAMS)));
        Self { filter, published, nodes, reports, backoff, began: Instant::now(), shutdown, streams }
    }

    /// Ends when streams should end.
    pub async fn ending(&self) {
        // An error: the server has ended.
        let _ = self.shutdown.clone().wait_for(|it| *it).await;
    }

    /// The network of the client, by its certificate, and the permission for one stream.
    ///
    /// # Errors
    /// Those of [`identity::network`]; `RESOURCE_EXHAUSTED` if there are too many streams.
    pub fn admit<T>(&self, request: &Request<T>) -> Result<(Network, OwnedSemaphorePermit), Status> {
        let connection = request.extensions().get::<TlsConnectInfo<TcpConnectInfo>>();
        let certificates = connection.and_then(TlsConnectInfo::peer_certs);
        let network = identity::network(certificates.as_deref().map(Vec::as_slice))?;
        let [staging, production] = &self.streams;
        let streams = match network {
            Network::Staging => staging,
            Network::Production => production,
        };
        let permit = Arc::clone(streams).try_acquire_owned().map_err(|_| {
            Status::resource_exhausted(format!(
                "streams: {STREAMS} of {network} are open; expected fewer on one server"
            ))
        })?;
        Ok((network, permit))
    }
}
