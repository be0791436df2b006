//! The operations of the control plane that delivery needs.

use std::future::Future;

use tokio::sync::watch;

use crate::control::{Candidate, Control, NodeReport, Outcome, RefusalCount, Revisions};
use crate::network::Network;

/// Reads and records of delivery. [`Control`] is the one implementation outside tests and measurements.
pub trait Operations: Clone + Send + Sync + 'static {
    /// The network's current document.
    fn candidate(&self, network: Network) -> impl Future<Output = Outcome<Candidate>> + Send;

    /// The networks' revisions as they change.
    fn changes(&self) -> watch::Receiver<Revisions>;

    /// Stores an event of a node.
    fn record_node(&self, report: NodeReport) -> impl Future<Output = Outcome<()>> + Send;

    /// Marks the nodes of this server as seen, and ends the streams of servers that are gone.
    fn sweep_nodes(&self, server: &str) -> impl Future<Output = Outcome<()>> + Send;

    /// Adds a node's refusals to the current minute.
    fn record_refusals(
        &self,
        network: Network,
        node: &str,
        counts: &[RefusalCount],
    ) -> impl Future<Output = Outcome<()>> + Send;
}

impl Operations for Control {
    async fn candidate(&self, network: Network) -> Outcome<Candidate> {
        Self::candidate(self, network).await
    }

    fn changes(&self) -> watch::Receiver<Revisions> {
        Self::changes(self)
    }

    async fn record_node(&self, report: NodeReport) -> Outcome<()> {
        Self::record_node(self, report).await
    }

    async fn sweep_nodes(&self, server: &str) -> Outcome<()> {
        Self::sweep_nodes(self, server).await
    }

    async fn record_refusals(&self, network: Network, _node: &str, counts: &[RefusalCount]) -> Outcome<()> {
        Self::record_refusals(self, network, counts).await
    }
}
