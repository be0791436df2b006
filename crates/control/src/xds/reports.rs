//! The queue of nodes' events: one writer stores them in order, and no stream waits for the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::Node;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tonic::Status;

use super::identity;
use super::operations::Operations;
use crate::control::{NodeEvent, NodeReport};
use crate::log::{self, Level};
use crate::network::Network;

/// Events that wait to be stored: those of some thousand nodes after one promotion.
const WAITING: usize = 16_384;

/// Time before an event that could not be stored is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// Times that an event is tried: for a minute, in which a database restarts.
const TRIES: u32 = 30;

/// Time between two marks of this server's nodes as seen.
const SWEEP: Duration = Duration::from_secs(20);

/// The queue's entrance.
#[derive(Debug, Clone)]
pub struct Reports {
    queue: mpsc::Sender<NodeReport>,
    /// A name of this server's run.
    server: Arc<str>,
    streams: Arc<AtomicU64>,
}

impl Reports {
    /// The queue, and the future that stores its events until all entrances are dropped.
    ///
    /// # Errors
    /// If no random bytes are to be had.
    pub fn new<O: Operations>(control: O) -> Result<(Self, impl Future<Output = ()> + Send), getrandom::Error> {
        let (queue, mut events) = mpsc::channel(WAITING);
        let server: Arc<str> = format!("{:016x}", getrandom::u64()?).into();
        let reports = Self { queue, server: Arc::clone(&server), streams: Arc::default() };
        let writer = async move {
            let mut sweep = interval(SWEEP);
            sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    event = events.recv() => match event {
                        Some(event) => store(&control, &event).await,
                        None => return,
                    },
                    // What fails now is done with the next one.
                    _ = sweep.tick() => drop(control.sweep_nodes(&server).await),
                }
            }
        };
        Ok((reports, writer))
    }

    /// Adds an event. If the queue is full, it is lost: later events of the node show its state.
    pub fn send(&self, event: NodeReport) {
        if let Err(error) = self.queue.try_send(event) {
            lost(&error.into_inner(), "the database is behind");
        }
    }
}

async fn store<O: Operations>(control: &O, event: &NodeReport) {
    for _ in 1..TRIES {
        if control.record_node(event.clone()).await.is_ok() {
            return;
        }
        sleep(PAUSE).await;
    }
    if let Err(error) = control.record_node(event.clone()).await {
        lost(event, &error.to_string());
    }
}

fn lost(event: &NodeReport, error: &str) {
    let fields = [("network", event.network.name()), ("node", &event.node), ("error", error)];
    log::write(Level::Error, "xds.event_lost", &fields);
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
        let stream = format!("{}-{}", reports.server, reports.streams.fetch_add(1, Ordering::Relaxed));
        Ok(Self { reports, network, node: identity::name(&node.id).into(), cluster, stream })
    }

    /// Adds an event of the node.
    pub fn report(&self, event: NodeEvent) {
        let (node, cluster, stream) = (self.node.as_ref().to_owned(), self.cluster.clone(), self.stream.clone());
        self.reports.send(NodeReport { network: self.network, node, cluster, stream, event });
    }
}
