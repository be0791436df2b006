//! The document that a network's Envoys should run.

use std::sync::Arc;

use sqlx::AnyConnection;
use tokio::sync::watch;

use super::{Control, Inner, Outcome};
use crate::documents::compile;
use crate::documents::compose::{Composed, ConfigurationPart, Parts, PolicyPart, compose};
use crate::error::ControlError;
use crate::network::Network;
use crate::store::networks::{self, NetworkRow, NetworkRows};

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

impl Control {
    /// The network's current document.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn candidate(&self, network: Network) -> Outcome<Candidate> {
        let store = self.store();
        let mut reading = store.read().await?;
        let rows = networks::read(&mut reading, store.engine(), false).await?;
        let row = row_of(&rows, network);
        if let Some(known) = self.inner.cached(network, row.revision).await {
            return Ok(known);
        }
        let composed = self.inner.composed(&mut reading, network, row).await?;
        drop(reading);
        let text = composed.text(row.revision);
        // It was compiled before it was stored, by this version of the filter's core or by an earlier one.
        let compiled = compile::document(&text).map_err(|found| {
            let found: Vec<_> = found.iter().map(|found| format!("{}: {}", found.member, found.detail)).collect();
            ControlError::Storage(format!("the document of {network} does not compile: {}", found.join("; ")))
        })?;
        let candidate = Candidate {
            network,
            revision: row.revision,
            document: text.into(),
            variables: compiled.variables,
            hold_headers: compiled.hold_headers,
        };
        self.inner.cache(candidate.clone()).await;
        Ok(candidate)
    }

    /// The revisions as they change, by this server or another one on the same database.
    pub fn changes(&self) -> watch::Receiver<Revisions> {
        self.inner.revisions.subscribe()
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

impl Inner {
    async fn cached(&self, network: Network, revision: i64) -> Option<Candidate> {
        let cache = self.cache.lock().await;
        cache.iter().flatten().find(|known| known.network == network && known.revision == revision).cloned()
    }

    async fn cache(&self, candidate: Candidate) {
        let mut cache = self.cache.lock().await;
        let [staging, production] = &mut *cache;
        let slot = match candidate.network {
            Network::Staging => staging,
            Network::Production => production,
        };
        if slot.as_ref().is_none_or(|known| known.revision <= candidate.revision) {
            *slot = Some(candidate);
        }
    }

    /// Composes a network's document from the pointers, as the transaction sees them.
    pub(super) async fn composed(
        &self,
        connection: &mut AnyConnection,
        network: Network,
        row: NetworkRow,
    ) -> Outcome<Composed> {
        let parts = self.parts(connection, network, row).await?;
        Ok(compose(network, &parts))
    }

    async fn parts(&self, connection: &mut AnyConnection, network: Network, row: NetworkRow) -> Outcome<Parts> {
        let policies = self.store.policies_on(connection, network).await?.into_iter();
        let policies = policies.map(|(policy, generated, document)| PolicyPart {
            id: policy.id,
            key_name: policy.key_name,
            generated,
            document,
            marked: policy.marked && network == Network::Staging,
        });
        let configurations = self.store.configurations_on(connection, network).await?.into_iter();
        let configurations = configurations.map(|(configuration, assignments)| ConfigurationPart {
            id: configuration.id,
            document: configuration.document,
            assignments,
        });
        Ok(Parts {
            settings: self.store.settings(connection, row.settings).await?,
            policies: policies.collect(),
            configurations: configurations.collect(),
        })
    }
}
