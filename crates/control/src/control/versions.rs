//! Versions of policies and assignments. They are append-only; going back moves a pointer.

use serde_json::Value;

use super::change::Record;
use super::plane::{Control, Outcome};
use super::policies::pointers;
use crate::actor::Actor;
use crate::documents::compose::Subject;
use crate::documents::fill;
use crate::error::ControlError;
use crate::network::Network;

/// A version of a policy or of a configuration's assignments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The number, from 1.
    pub version: i64,
    /// The time at which it was written, RFC 3339.
    pub created: String,
    /// The author.
    pub actor: String,
    /// Whether staging has it.
    pub staging: bool,
    /// Whether production has it.
    pub production: bool,
}

impl Control {
    /// The versions of a policy, the newest first.
    ///
    /// # Errors
    /// If there is no such policy, or the database cannot be read.
    pub async fn policy_versions(&self, id: i64) -> Outcome<Vec<Version>> {
        let mut reading = self.store().read().await?;
        let row = self.store().policy(&mut reading, id).await?;
        let versions = self.store().policy_versions(&mut reading, id).await?.into_iter();
        Ok(versions
            .map(|it| Version {
                staging: it.version == row.staging,
                production: Some(it.version) == row.production,
                version: it.version,
                created: it.created,
                actor: it.actor,
            })
            .collect())
    }

    /// A version of a policy, filled out. Secrets are in clear.
    ///
    /// # Errors
    /// If there is no such version, or the database cannot be read.
    pub async fn policy_version(&self, id: i64, version: i64) -> Outcome<Value> {
        let mut reading = self.store().read().await?;
        self.store().policy(&mut reading, id).await?;
        Ok(fill::version(&self.store().policy_document(&mut reading, id, version).await?))
    }

    /// Puts an earlier version of a policy onto a network.
    ///
    /// # Errors
    /// If there is no such version, the network has it, or the policy's state does not allow it.
    pub async fn roll_back_policy(&self, actor: &Actor, id: i64, version: i64, network: Network) -> Outcome<()> {
        let store = self.store();
        let mut change = self.change(actor).await?;
        let mut row = store.policy(change.connection(), id).await?;
        if row.marked {
            return Err(ControlError::Conflict(format!(
                "policy {id} is marked for deletion, expected a reset before it is rolled back"
            )));
        }
        if row.version(network) == Some(version) {
            return Err(ControlError::Conflict(format!(
                "policy {id} is at version {version} on {network}, expected another version"
            )));
        }
        if network == Network::Production && row.production.is_none() {
            return Err(ControlError::Conflict(format!("policy {id} was never promoted, expected a promotion first")));
        }
        let document = store.policy_document(change.connection(), id, version).await?;
        let name = document.get("policyName").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.check_name(&mut change, id, &name).await?;
        let before = pointers(&row);
        match network {
            Network::Staging => row.staging = version,
            Network::Production => row.production = Some(version),
        }
        let now = change.now.clone();
        store.update_policy(change.connection(), &row, &now).await?;
        let object = format!("policy {id}");
        let record = Record { action: "policy.roll_back", object, before: Some(before), after: Some(pointers(&row)) };
        self.finish(change, Subject::Policy(id), record).await?;
        Ok(())
    }

    /// The versions of a configuration's assignments, the newest first.
    ///
    /// # Errors
    /// If there is no such configuration, or the database cannot be read.
    pub async fn assignment_versions(&self, domain: &str) -> Outcome<Vec<Version>> {
        let mut reading = self.store().read().await?;
        let row = self.configuration_of(&mut reading, domain).await?;
        let versions = self.store().assignment_versions(&mut reading, row.id).await?.into_iter();
        Ok(versions
            .map(|it| Version {
                staging: it.version == row.staging,
                production: it.version == row.production,
                version: it.version,
                created: it.created,
                actor: it.actor,
            })
            .collect())
    }

    /// A version of a configuration's assignments.
    ///
    /// # Errors
    /// If there is no such version, or the database cannot be read.
    pub async fn assignment_version(&self, domain: &str, version: i64) -> Outcome<Vec<Value>> {
        let mut reading = self.store().read().await?;
        let row = self.configuration_of(&mut reading, domain).await?;
        self.store().assignments(&mut reading, row.id, version).await
    }

    /// Puts an earlier version of a configuration's assignments onto a network.
    ///
    /// # Errors
    /// If there is no such version, the network has it, or it names a policy that is gone.
    pub async fn roll_back_assignments(
        &self,
        actor: &Actor,
        domain: &str,
        version: i64,
        network: Network,
    ) -> Outcome<()> {
        let store = self.store();
        let mut change = self.change(actor).await?;
        let mut row = self.configuration_of(change.connection(), domain).await?;
        if row.version(network) == version {
            return Err(ControlError::Conflict(format!(
                "the assignments are at version {version} on {network}, expected another version"
            )));
        }
        let assigned = store.assignments(change.connection(), row.id, version).await?;
        self.check_assigned(change.connection(), &assigned).await?;
        let before = store.assignments(change.connection(), row.id, row.version(network)).await?;
        match network {
            Network::Staging => row.staging = version,
            Network::Production => row.production = version,
        }
        store.update_configuration(change.connection(), &row).await?;
        let record = Record {
            action: "assignments.roll_back",
            object: format!("configuration {}", row.id),
            before: Some(before.into()),
            after: Some(assigned.into()),
        };
        self.finish(change, Subject::Assignments(row.id), record).await?;
        Ok(())
    }
}
