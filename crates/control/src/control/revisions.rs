//! The revisions of the networks, and the documents that belong to them.

use std::sync::Arc;

use crate::documents::compile;
use crate::documents::compose::Composed;
use crate::error::Finding;
use crate::network::Network;
use crate::store::networks::{NetworkRow, NetworkRows};

/// A network's document, compiled before it was stored.
#[derive(Clone)]
pub struct Candidate {
    /// The network.
    pub network: Network,
    /// The network's revision, from 1; also the document's `revision`.
    pub revision: i64,
    /// The JSON text, with secrets: inline, by variable, or sealed.
    pub document: Arc<str>,
    /// The environment variables that the document names, sorted.
    pub variables: Vec<String>,
    /// Whether the document holds headers, so that Envoy must allow it.
    pub hold_headers: bool,
}

impl Candidate {
    /// Compiles a composed document.
    ///
    /// # Errors
    /// All its faults.
    pub(super) fn compile(network: Network, revision: i64, composed: &Composed) -> Result<Self, Vec<Finding>> {
        let text = composed.text(revision);
        let compiled = compile::document(&text)?;
        Ok(Self {
            network,
            revision,
            document: text.into(),
            variables: compiled.variables,
            hold_headers: compiled.hold_headers,
        })
    }
}

/// The current revision of each network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Revisions {
    /// Of staging.
    pub staging: i64,
    /// Of production.
    pub production: i64,
}

impl Revisions {
    /// The revisions of the database's rows.
    pub(super) const fn of(rows: NetworkRows) -> Self {
        let [staging, production] = rows;
        Self { staging: staging.revision, production: production.revision }
    }

    /// The revision of a network.
    pub const fn on(self, network: Network) -> i64 {
        match network {
            Network::Staging => self.staging,
            Network::Production => self.production,
        }
    }
}

/// The row of a network.
pub(super) fn row_of(rows: &NetworkRows, network: Network) -> NetworkRow {
    let [staging, production] = *rows;
    match network {
        Network::Staging => staging,
        Network::Production => production,
    }
}
