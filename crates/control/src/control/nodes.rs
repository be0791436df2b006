//! Envoys, as they report themselves, and the refusals that they count.

use super::{Control, Outcome};
use crate::error::ControlError;
use crate::network::Network;

/// An event of one Envoy's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeReport {
    /// The network, from the client certificate.
    pub network: Network,
    /// `node.id`: a claim, used as a name only.
    pub node: String,
    /// `node.cluster`.
    pub cluster: String,
    /// The event.
    pub event: NodeEvent,
}

/// The events of an Envoy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeEvent {
    /// A stream was opened, with Envoy's version.
    Connected(String),
    /// This revision was sent.
    Offered(i64),
    /// This revision was accepted, as far as Envoy says so.
    Acknowledged(i64),
    /// This revision was refused, with Envoy's reason.
    Refused(i64, String),
    /// The module's gauge: this revision is in force.
    InForce(i64),
    /// The stream ended.
    Disconnected,
}

/// Requests that an Envoy refused or reset since its last report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalCount {
    /// `policyName`.
    pub policy: String,
    /// The reason code.
    pub reason: String,
    /// The number of requests.
    pub count: i64,
}

impl Control {
    /// Stores an event of a node.
    pub async fn record_node(&self, _report: NodeReport) -> Outcome<()> {
        Err(ControlError::Storage("not built".into()))
    }

    /// Adds a node's refusals to the current minute.
    pub async fn record_refusals(&self, _network: Network, _node: &str, _counts: &[RefusalCount]) -> Outcome<()> {
        Err(ControlError::Storage("not built".into()))
    }
}
