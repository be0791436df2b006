//! The document that a network's Envoys should run.

use sqlx::AnyConnection;
use tokio::sync::watch;

use super::compiler::Purpose;
use super::plane::{Control, Inner, Outcome};
use super::revisions::{Candidate, Revisions, row_of};
use crate::documents::compose::{Composed, ConfigurationPart, Parts, PolicyPart, compose};
use crate::error::ControlError;
use crate::network::Network;
use crate::store::networks::{self, NetworkRow};

impl Control {
    /// The network's current document.
    ///
    /// # Errors
    /// If the database cannot be read, or too many compilations wait.
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
        let job = move || Candidate::compile(network, row.revision, &composed);
        // It was compiled before it was stored, by this version of the filter's core or by an earlier one.
        let candidate = self.compile(Purpose::Write, job).await?.map_err(|found| {
            let found: Vec<_> = found.iter().map(|found| format!("{}: {}", found.member, found.detail)).collect();
            ControlError::Storage(format!("the document of {network} does not compile: {}", found.join("; ")))
        })?;
        self.inner.cache(candidate.clone()).await;
        Ok(candidate)
    }

    /// The revisions as they change, by this server or another one on the same database.
    pub fn changes(&self) -> watch::Receiver<Revisions> {
        self.inner.revisions.subscribe()
    }
}

impl Inner {
    async fn cached(&self, network: Network, revision: i64) -> Option<Candidate> {
        let cache = self.cache.lock().await;
        cache.iter().flatten().find(|known| known.network == network && known.revision == revision).cloned()
    }

    /// Keeps a document whose revision is committed.
    pub(super) async fn cache(&self, candidate: Candidate) {
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
