//! The queue of nodes' events: one writer stores them in order, and no stream waits for the database.

use std::sync::Arc;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::Node;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tonic::Status;

use super::operations::Operations;
use super::{identity, log};
use crate::control::{NodeEvent, NodeReport};
use crate::network::Network;

/// Events that wait to be stored: those of some thousand nodes after one promotion.
const WAITING: usize = 16_384;

/// Time before an event that could not be stored is tried again, once.
const PAUSE: Duration = Duration::from_secs(1);

/// The queue's entrance.
#[derive(Debug, Clone)]
pub struct Reports {
    queue: mpsc::Sender<NodeReport>,
}

impl Reports {
    /// The queue, and the future that stores its events until all entrances are dropped.
    pub fn new<O: Operations>(control: O) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, mut events) = mpsc::channel::<NodeReport>(WAITING);
        let writer = async move {
            while let Some(event) = events.recv().await {
                if control.record_node(event.clone()).await.is_ok() {
                    continue;
                }
                sleep(PAUSE).await;
                if let Err(error) = control.record_node(event.clone()).await {
                    log::line(format_args!("{} {}: an event is lost: {error}", event.network, event.node));
                }
            }
        };
        (Self { queue }, writer)
    }

    /// Adds an event. If the queue is full, it is lost: later events of the node show its state.
    pub fn send(&self, event: NodeReport) {
        if let Err(error) = self.queue.try_send(event) {
            let event = error.into_inner();
            log::line(format_args!("{} {}: an event is lost: the database is behind", event.network, event.node));
        }
    }
}

/// The queue's entrance for one node.
#[derive(Debug, Clone)]
pub struct Reporter {
    reports: Reports,
    /// Its network.
    pub network: Network,
    /// Its name.
    pub node: Arc<str>,
    cluster: String,
    stream: String,
}

impl Reporter {
    /// Takes the node's names from its own claim.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` without `node.id`.
    pub fn new(reports: &Reports, network: Network, node: &Node) -> Result<Self, Status> {
        if node.id.is_empty() {
            return Err(Status::invalid_argument("node.id: not set; expected a name of this Envoy's own"));
        }
        let (reports, cluster) = (reports.clone(), identity::name(&node.cluster));
        let stream = getrandom::u64().map_err(|_| Status::unavailable("no random bytes"))?;
        Ok(Self { reports, network, node: identity::name(&node.id).into(), cluster, stream: format!("{stream:016x}") })
    }

    /// Adds an event of the node.
    pub fn report(&self, event: NodeEvent) {
        let (node, cluster, stream) = (self.node.as_ref().to_owned(), self.cluster.clone(), self.stream.clone());
        self.reports.send(NodeReport { network: self.network, node, cluster, stream, event });
    }
}
