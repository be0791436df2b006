//! A write: one transaction that locks both networks, changes rows, compiles the documents that changed, and ends with
//! its audit entry.

use serde_json::Value;
use sqlx::AnyConnection;

use super::compiler::Purpose;
use super::plane::{Control, Outcome};
use super::revisions::{Candidate, Revisions, row_of};
use crate::actor::Actor;
use crate::documents::compose::Subject;
use crate::documents::mask::recorded;
use crate::error::{ControlError, Finding};
use crate::network::Network;
use crate::store::audit::{self, AuditEntry};
use crate::store::networks::{self, NetworkRows};
use crate::store::policies::VersionRow;
use crate::store::{Engine, Writing};

/// A write under way. Dropping it undoes everything.
pub(super) struct Change {
    writing: Writing,
    /// The rows of the networks; settings may be pointed elsewhere.
    pub(super) rows: NetworkRows,
    /// The time, RFC 3339.
    pub(super) now: String,
    /// The author's name.
    pub(super) actor: String,
    before: Option<(NetworkRows, [Value; 2])>,
}

/// The audit entry of a write.
pub(super) struct Record<'a> {
    /// The operation, such as `policy.promote`.
    pub(super) action: &'a str,
    /// The object, such as `policy 7`.
    pub(super) object: String,
    /// The object before; secrets are masked here.
    pub(super) before: Option<Value>,
    /// The object after; secrets are masked here.
    pub(super) after: Option<Value>,
}

impl Change {
    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        self.writing.connection()
    }

    /// The row of a version that is written now.
    pub(super) fn version(&self, number: i64) -> VersionRow {
        VersionRow { version: number, created: self.now.clone(), actor: self.actor.clone() }
    }
}

impl Control {
    /// Begins a write that may change the documents of networks.
    pub(super) async fn change(&self, actor: &Actor) -> Outcome<Change> {
        let mut change = self.change_elsewhere(actor).await?;
        let rows = change.rows;
        let mut bodies = [Value::Null, Value::Null];
        for (body, network) in bodies.iter_mut().zip(Network::ALL) {
            *body = self.inner.composed(change.connection(), network, row_of(&rows, network)).await?.body;
        }
        change.before = Some((rows, bodies));
        Ok(change)
    }

    /// Begins a write that changes no network's document.
    pub(super) async fn change_elsewhere(&self, actor: &Actor) -> Outcome<Change> {
        let store = self.store();
        let mut writing = store.write().await?;
        let rows = networks::read(writing.connection(), store.engine(), true).await?;
        Ok(Change { writing, rows, now: self.now(), actor: actor.name.clone(), before: None })
    }

    /// Ends a write: each network whose document it changed gets the next revision, if the document compiles.
    ///
    /// # Errors
    /// Why a document does not compile, where `subject` is the object that the client wrote; too many compilations.
    pub(super) async fn finish(&self, mut change: Change, subject: Subject, record: Record<'_>) -> Outcome<Revisions> {
        let (rows_before, bodies) = change.before.take().unwrap_or_default();
        let (mut faults, mut candidates) = (Vec::new(), Vec::new());
        for (network, before) in Network::ALL.into_iter().zip(bodies) {
            let row = row_of(&change.rows, network);
            let composed = self.inner.composed(change.connection(), network, row).await?;
            if composed.body == before {
                continue;
            }
            let revision = row.revision.saturating_add(1);
            let job = move || {
                let related =
                    |found: Vec<Finding>| found.into_iter().map(|found| composed.relate(found, subject)).collect();
                Candidate::compile(network, revision, &composed).map_err(related)
            };
            let compiled: Result<_, Vec<Finding>> = self.compile(Purpose::Write, job).await?;
            match compiled {
                Ok(candidate) => candidates.push(candidate),
                Err(found) => {
                    for found in found {
                        if !faults.contains(&found) {
                            faults.push(found);
                        }
                    }
                }
            }
            let [staging, production] = &mut change.rows;
            let slot = match network {
                Network::Staging => staging,
                Network::Production => production,
            };
            slot.revision = revision;
        }
        if !faults.is_empty() {
            return Err(ControlError::Invalid(faults));
        }
        let (now, rows) = (change.now.clone(), change.rows);
        for network in Network::ALL {
            let row = row_of(&rows, network);
            if row == row_of(&rows_before, network) {
                continue;
            }
            networks::update(change.connection(), network, row, &now).await?;
            if self.store().engine() == Engine::Postgres {
                networks::notify(change.connection(), network, row.revision).await?;
            }
        }
        let revisions = Revisions::of(rows);
        self.record(&mut change, record).await?;
        change.writing.commit().await?;
        for candidate in candidates {
            self.inner.cache(candidate).await;
        }
        self.inner.publish(revisions);
        Ok(revisions)
    }

    /// Ends a write that changes no network's document.
    pub(super) async fn finish_elsewhere(&self, mut change: Change, record: Record<'_>) -> Outcome<()> {
        self.record(&mut change, record).await?;
        change.writing.commit().await
    }

    async fn record(&self, change: &mut Change, record: Record<'_>) -> Outcome<()> {
        let text = |value: Option<Value>| value.map(|value| recorded(&value).to_string());
        let entry = AuditEntry {
            time: change.now.clone(),
            actor: change.actor.clone(),
            action: record.action.into(),
            object: record.object,
            before: text(record.before),
            after: text(record.after),
            ..AuditEntry::default()
        };
        audit::append(change.connection(), entry).await
    }
}
