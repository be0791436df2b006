//! Envoys, as they report themselves, and the refusals that they count.

use super::change::Record;
use super::plane::{Control, Outcome};
use super::revisions::row_of;
use crate::actor::Actor;
use crate::clock::{rfc3339, seconds};
use crate::error::ControlError;
use crate::log::{self, Level};
use crate::network::Network;
use crate::store::networks;
use crate::store::nodes::{self, Listing, MOST_NODES, NodeRow};

/// Seconds after which an Envoy that was sent a revision, and does not run it, is behind. Its gauges come every few
/// seconds.
const UPDATE: i64 = 30;
/// Characters of the names of nodes, clusters, policies and reasons that are kept: Envoys claim them.
const MAX_NAME: usize = 256;
/// Seconds after which a node is disconnected that no server has seen: its server is gone. Servers look every 20 s.
const GONE: i64 = 60;
/// Characters of a reason that are kept.
const MAX_REASON: usize = 1000;
/// Seconds for which refused requests are kept.
const KEPT: i64 = 8 * 86_400;

/// An event of one Envoy's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeReport {
    /// The network, from the client certificate.
    pub network: Network,
    /// `node.id`: a claim, used as a name only.
    pub node: String,
    /// `node.cluster`.
    pub cluster: String,
    /// A name of the stream that no other has, on any server: an Envoy that has come back elsewhere is not disconnected by
    /// the end of its old stream. It begins with the server's name and `-`.
    pub stream: String,
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

/// Refused requests in a minute, on all Envoys of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalRow {
    /// The minute's beginning, RFC 3339.
    pub minute: String,
    /// `policyName`.
    pub policy: String,
    /// The reason code.
    pub reason: String,
    /// The number of requests.
    pub count: i64,
}

/// The state of an Envoy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// It runs the network's revision.
    InForce,
    /// It was sent the revision, and is given time to run it.
    Updating,
    /// It refused the revision.
    Refused,
    /// It runs an earlier revision.
    Behind,
    /// It has no stream.
    Disconnected,
    /// It has never run a revision.
    NeverRan,
}

impl NodeState {
    /// The word in answers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::InForce => "in_force",
            Self::Updating => "updating",
            Self::Refused => "refused",
            Self::Behind => "behind",
            Self::Disconnected => "disconnected",
            Self::NeverRan => "never_ran",
        }
    }
}

/// An Envoy with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The facts.
    pub row: NodeRow,
    /// The state.
    pub state: NodeState,
}

impl Control {
    /// Stores an event of a node.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn record_node(&self, report: NodeReport) -> Outcome<()> {
        let NodeReport { network, node, cluster, stream, event } = report;
        let (node, cluster) = (cut(&node, MAX_NAME), cut(&cluster, MAX_NAME));
        let (pool, now) = (self.store().pool(), self.now());
        match event {
            NodeEvent::Connected(version) => {
                let listing = nodes::connected(pool, (network, &node, &cluster), &version, &stream, &now).await?;
                logged(listing, network, &node);
                Ok(())
            }
            NodeEvent::Offered(revision) => nodes::offered(pool, network, &node, revision, &now).await,
            NodeEvent::Acknowledged(revision) => nodes::acknowledged(pool, network, &node, revision).await,
            NodeEvent::Refused(revision, reason) => {
                let reason = cut(&reason, MAX_REASON);
                nodes::refused(pool, network, &node, (revision, &reason), &now).await
            }
            NodeEvent::InForce(revision) => {
                let listing = nodes::in_force(pool, (network, &node, &cluster), revision, &now).await?;
                logged(listing, network, &node);
                Ok(())
            }
            NodeEvent::Disconnected => nodes::disconnected(pool, network, &node, &stream, &now).await,
        }
    }

    /// Marks the nodes of a server as seen, and ends the streams of servers that are gone.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn sweep_nodes(&self, server: &str) -> Outcome<()> {
        nodes::sweep(self.store().pool(), server, &self.now(), &rfc3339(self.seconds().saturating_sub(GONE))).await
    }

    /// Adds a node's refusals to those of its network in the current minute.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn record_refusals(&self, network: Network, counts: &[RefusalCount]) -> Outcome<()> {
        let minute = minute(self.seconds());
        for RefusalCount { policy, reason, count } in counts.iter().filter(|it| it.count > 0) {
            let (policy, reason) = (cut(policy, MAX_NAME), cut(reason, MAX_NAME));
            let refusal = (policy.as_str(), reason.as_str(), *count);
            nodes::count_refusals(self.store().pool(), &minute, network, refusal).await?;
        }
        Ok(())
    }

    /// All nodes with their states, by network and name.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn nodes(&self) -> Outcome<Vec<Node>> {
        let mut reading = self.store().read().await?;
        let rows = networks::read(&mut reading, self.store().engine(), false).await?;
        let listed = nodes::all(&mut reading).await?.into_iter();
        let now = self.seconds();
        Ok(listed.map(|row| Node { state: state(&row, row_of(&rows, row.network).revision, now), row }).collect())
    }

    /// Forgets a node without a stream: one that is gone for good.
    ///
    /// # Errors
    /// If there is no such node, or it is connected.
    pub async fn forget_node(&self, actor: &Actor, network: Network, node: &str) -> Outcome<()> {
        let mut change = self.change_elsewhere(actor).await?;
        if !nodes::forget(change.connection(), network, node).await? {
            return Err(ControlError::NotFound(format!("a node {node:?} on {network} without a stream")));
        }
        let object = format!("node {network}/{node}");
        self.finish_elsewhere(change, Record { action: "node.forget", object, before: None, after: None }).await
    }

    /// Refused requests of the last minutes on a network, by policy and reason, the oldest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn refusals(&self, network: Network, minutes: i64) -> Outcome<Vec<RefusalRow>> {
        let pool = self.store().pool();
        nodes::drop_refusals(pool, &rfc3339(self.seconds().saturating_sub(KEPT))).await?;
        let since = minute(self.seconds().saturating_sub(minutes.clamp(1, KEPT / 60).saturating_mul(60)));
        let rows = nodes::refusals(pool, network, &since).await?.into_iter();
        Ok(rows.map(|(minute, policy, reason, count)| RefusalRow { minute, policy, reason, count }).collect())
    }
}

/// The state of a node, at `now`, in seconds since 1970.
pub fn state(node: &NodeRow, revision: i64, now: i64) -> NodeState {
    let refused = node.refused.as_ref().map(|(refused, ..)| *refused);
    let in_force = node.in_force;
    if !node.connected {
        NodeState::Disconnected
    } else if refused == Some(revision) && in_force != Some(revision) {
        NodeState::Refused
    } else if in_force == Some(revision) {
        NodeState::InForce
    } else {
        let sent = node.offered_at.as_deref().and_then(seconds).filter(|_| node.offered == Some(revision));
        match sent {
            Some(sent) if now.saturating_sub(sent) <= UPDATE => NodeState::Updating,
            _ if in_force.is_none() => NodeState::NeverRan,
            _ => NodeState::Behind,
        }
    }
}

/// Writes a line if the list of nodes is full.
fn logged(listing: Listing, network: Network, node: &str) {
    let (forgotten, most) = (listing.forgotten.to_string(), MOST_NODES.to_string());
    let fields = [("network", network.name()), ("node", node), ("forgotten", &forgotten), ("most", &most)];
    match listing {
        Listing { listed: true, forgotten: 0 } => {}
        Listing { listed: true, .. } => log::write(Level::Warning, "nodes.forgotten", &fields),
        Listing { listed: false, .. } => log::write(Level::Error, "nodes.full", &fields),
    }
}

fn cut(text: &str, length: usize) -> String {
    // PostgreSQL has no NUL in texts.
    text.chars().filter(|c| *c != '\0').take(length).collect()
}

fn minute(seconds: i64) -> String {
    rfc3339(seconds.saturating_sub(seconds.rem_euclid(60)))
}
