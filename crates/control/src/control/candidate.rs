//! The document that a network's Envoys should run.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Control, Outcome};
use crate::error::ControlError;
use crate::network::Network;

/// A network's document, compiled before it was stored.
#[derive(Clone)]
pub struct Candidate {
    /// The network.
    pub network: Network,
    /// The network's revision, from 1; also the document's `revision`.
    pub revision: i64,
    /// The JSON text, with secrets: inline, by variable, or sealed.
    pub document: Arc<str>,
    /// The environment variables that the document names.
    pub variables: Vec<String>,
    /// Whether the document holds headers, so that Envoy must allow it.
    pub hold_headers: bool,
}

/// The current revision of each network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Revisions {
    /// Of staging.
    pub staging: i64,
    /// Of production.
    pub production: i64,
}

impl Control {
    /// The network's current document.
    pub async fn candidate(&self, _network: Network) -> Outcome<Candidate> {
        Err(ControlError::Storage("not built".into()))
    }

    /// The revisions as they change, by this server or another one on the same database.
    pub fn changes(&self) -> watch::Receiver<Revisions> {
        self.inner.revisions.subscribe()
    }
}
