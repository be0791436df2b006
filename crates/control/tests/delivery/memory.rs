//! The control plane's operations in memory, and a server with them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use playlock_control::control::{Candidate, NodeEvent, NodeReport, Outcome, RefusalCount, Revisions};
use playlock_control::error::ControlError;
use playlock_control::network::Network;
use playlock_control::xds::{self, Backoff, Filter, Operations, Seal, Settings, Tls};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::authority::Authority;

/// A recorded event: a node's, or its refusals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Network, `node.id` and event.
    Event(Network, String, NodeEvent),
    /// Network, `node.id` and counts.
    Refusals(Network, String, Vec<RefusalCount>),
}

/// Documents, and what was recorded.
#[derive(Clone)]
pub struct Memory {
    documents: Arc<Mutex<[String; 2]>>,
    revisions: Arc<watch::Sender<Revisions>>,
    recorded: mpsc::UnboundedSender<Recorded>,
}

impl Memory {
    /// No documents; what is recorded arrives at the receiver.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Recorded>) {
        let (recorded, receiver) = mpsc::unbounded_channel();
        let revisions = Arc::new(watch::channel(Revisions::default()).0);
        (Self { documents: Arc::default(), revisions, recorded }, receiver)
    }

    /// Publishes the next revision of a network.
    pub fn publish(&self, network: Network, document: &str) {
        self.documents.lock().unwrap()[index(network)] = document.to_owned();
        self.revisions.send_modify(|revisions| match network {
            Network::Staging => revisions.staging += 1,
            Network::Production => revisions.production += 1,
        });
    }
}

fn index(network: Network) -> usize {
    match network {
        Network::Staging => 0,
        Network::Production => 1,
    }
}

impl Operations for Memory {
    async fn candidate(&self, network: Network) -> Outcome<Candidate> {
        let revisions = *self.revisions.borrow();
        let document = self.documents.lock().unwrap()[index(network)].clone();
        if document == "unreadable" {
            return Err(ControlError::Storage("unreadable".to_owned()));
        }
        let revision = [revisions.staging, revisions.production][index(network)];
        Ok(Candidate { network, revision, document: document.into(), variables: Vec::new(), hold_headers: false })
    }

    fn changes(&self) -> watch::Receiver<Revisions> {
        self.revisions.subscribe()
    }

    async fn record_node(&self, report: NodeReport) -> Outcome<()> {
        let _ = self.recorded.send(Recorded::Event(report.network, report.node, report.event));
        Ok(())
    }

    async fn sweep_nodes(&self, _: &str) -> Outcome<()> {
        Ok(())
    }

    async fn record_refusals(&self, network: Network, node: &str, counts: &[RefusalCount]) -> Outcome<()> {
        let _ = self.recorded.send(Recorded::Refusals(network, node.to_owned(), counts.to_vec()));
        Ok(())
    }
}

/// A running server.
pub struct Server {
    /// Port of 127.0.0.1.
    pub port: u16,
    /// Its certificate.
    pub tls: Tls,
    end: oneshot::Sender<()>,
    task: JoinHandle<Result<(), Box<dyn std::error::Error + Send + Sync>>>,
}

impl Server {
    /// Starts one on a free port. Refused policies are offered again at once.
    pub async fn start(memory: &Memory, authority: &Authority) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (certificate, key) = authority.issue(&[xds::SERVER]);
        let tls = Tls::new(&certificate, &key, &authority.certificate).unwrap();
        let settings = Settings {
            filter: Filter::new("playlock", "/etc/envoy/playlock.wasm").unwrap(),
            tls: tls.clone(),
            seal: Seal::default(),
            backoff: Backoff { first: Duration::ZERO, longest: Duration::ZERO },
            nodes: 100,
        };
        let (end, ended) = oneshot::channel();
        let shutdown = async move { drop(ended.await) };
        let task = tokio::spawn(xds::serve(memory.clone(), listener, settings, shutdown));
        Self { port, tls, end, task }
    }

    /// Ends it, and waits for it.
    pub async fn end(self) {
        self.end.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}
