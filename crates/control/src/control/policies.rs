//! Operations on policies.

use serde_json::{Value, json};

use super::change::{Change, Record};
use super::compiler::Purpose;
use super::plane::{Control, Outcome};
use crate::actor::Actor;
use crate::documents::compose::Subject;
use crate::documents::fill;
use crate::documents::json::{finding, set};
use crate::documents::policy::{self, PolicyDocument};
use crate::error::ControlError;
use crate::network::Network;
use crate::store::policies::PolicyRow;

/// A policy that has been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The policy's number, from 1.
    pub id: i64,
    /// Whether the document asked for promotion, and it was promoted.
    pub promoted: bool,
}

/// An action of `PATCH /policies/{policyId}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyAction {
    /// Staging to production.
    Promote,
    /// Production to staging; undoes an edit or a mark.
    Reset,
    /// Mark on staging, before deletion.
    MarkForDelete,
}

impl Control {
    /// All policies: one element for each policy and network, as `GET /policies` has them. Secrets are in clear.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn policies(&self) -> Outcome<Vec<Value>> {
        let store = self.store();
        let mut reading = store.read().await?;
        let production = store.policies_on(&mut reading, Network::Production).await?;
        let staging = store.policies_on(&mut reading, Network::Staging).await?;
        let mut listed = Vec::with_capacity(staging.len().saturating_mul(2));
        for (row, _, document) in staging {
            let element = |network: Network, status: &str, document: &Value| {
                let mut element = fill::answer(row.id, &row.key_name, status, document);
                set(&mut element, "environment", network.name().into());
                element
            };
            if let Some((.., promoted)) = production.iter().find(|(promoted, ..)| promoted.id == row.id) {
                let status = match (row.marked, row.production == Some(row.staging)) {
                    (true, _) => "ACTIVE_DELETED_STAGING",
                    (false, true) => "ACTIVE",
                    (false, false) => "ACTIVE_EDITED_STAGING",
                };
                listed.push(element(Network::Production, status, promoted));
            }
            listed.push(element(Network::Staging, if row.marked { "DELETED" } else { "ACTIVE" }, &document));
        }
        Ok(listed)
    }

    /// One policy with `unsavedPolicy`, as `GET /policies/{policyId}` has it. Secrets are in clear.
    ///
    /// # Errors
    /// If there is none, or the database cannot be read.
    pub async fn policy(&self, id: i64) -> Outcome<Value> {
        let store = self.store();
        let mut reading = store.read().await?;
        let row = store.policy(&mut reading, id).await?;
        let staging = store.policy_document(&mut reading, id, row.staging).await?;
        let production = match row.production {
            Some(version) => Some(store.policy_document(&mut reading, id, version).await?),
            None => None,
        };
        let edited = row.production.is_some_and(|production| production != row.staging);
        let status = match (row.marked, edited) {
            (true, _) => "DELETED",
            (false, true) => "EDITED",
            (false, false) => "ACTIVE",
        };
        let mut policy = fill::answer(id, &row.key_name, status, production.as_ref().unwrap_or(&staging));
        if edited && !row.marked {
            set(&mut policy, "unsavedPolicy", fill::version(&staging));
        }
        Ok(policy)
    }

    /// Creates a policy on staging, and promotes it if the document says so.
    ///
    /// # Errors
    /// A document that is not valid, by itself or with the others.
    pub async fn create_policy(&self, actor: &Actor, document: Value) -> Outcome<Written> {
        let generated: Value = self.random_hex::<32>()?.into();
        let read = self.read_policy(document, None, &generated).await?;
        let mut change = self.change(actor).await?;
        let id = self.store().next_policy(change.connection()).await?;
        self.check_name(&mut change, id, &read.name).await?;
        self.insert_policy(&mut change, id, &read, &generated, read.promote).await?;
        let after = Some(read.document);
        let record = Record { action: "policy.create", object: format!("policy {id}"), before: None, after };
        self.finish(change, Subject::Policy(id), record).await?;
        Ok(Written { id, promoted: read.promote })
    }

    /// Replaces a policy on staging, and promotes it if the document says so.
    ///
    /// # Errors
    /// If there is no such policy, it is marked, or the document is not valid.
    pub async fn edit_policy(&self, actor: &Actor, id: i64, document: Value) -> Outcome<Written> {
        let store = self.store();
        let mut change = self.change(actor).await?;
        let mut row = store.policy(change.connection(), id).await?;
        if row.marked {
            return Err(ControlError::Conflict(format!(
                "policy {id} is marked for deletion, expected a reset before it is edited"
            )));
        }
        let stored = store.policy_document(change.connection(), id, row.staging).await?;
        let generated = store.generated(change.connection(), id).await?;
        let read = self.read_policy(document, Some(&stored), &generated).await?;
        if read.key_name.as_ref().is_some_and(|name| *name != row.key_name) {
            let detail = format!("expected {:?} or no keyName: every key would change with it", row.key_name);
            return Err(ControlError::Invalid(vec![finding("keyName", &detail)]));
        }
        self.check_name(&mut change, id, &read.name).await?;
        row.staging = self.append_policy(&mut change, id, &read.document).await?;
        if read.promote {
            row.production = Some(row.staging);
        }
        let now = change.now.clone();
        store.update_policy(change.connection(), &row, &now).await?;
        let action = if read.promote { "policy.edit_and_promote" } else { "policy.edit" };
        let after = Some(read.document);
        let record = Record { action, object: format!("policy {id}"), before: Some(stored), after };
        self.finish(change, Subject::Policy(id), record).await?;
        Ok(Written { id, promoted: read.promote })
    }

    /// Promotes, resets or marks a policy.
    ///
    /// # Errors
    /// If there is no such policy, or its state does not allow the action.
    pub async fn act_on_policy(&self, actor: &Actor, id: i64, action: PolicyAction) -> Outcome<()> {
        let mut change = self.change(actor).await?;
        let mut row = self.store().policy(change.connection(), id).await?;
        let before = pointers(&row);
        let conflict = |reason: &str| Err(ControlError::Conflict(format!("policy {id} {reason}")));
        let edited = row.production != Some(row.staging);
        let word = match (action, row.marked) {
            (PolicyAction::Promote, true) => {
                return conflict("is marked for deletion, expected a reset before it is promoted");
            }
            (PolicyAction::Promote, false) if !edited => {
                return conflict("is the same on both networks, expected an edit to promote");
            }
            (PolicyAction::Promote, false) => {
                row.production = Some(row.staging);
                "policy.promote"
            }
            (PolicyAction::Reset, false) if row.production.is_none() => {
                return conflict("was never promoted, so there is nothing to go back to; expected an edit");
            }
            (PolicyAction::Reset, false) if !edited => {
                return conflict("is the same on both networks, expected an edit or a mark to undo");
            }
            (PolicyAction::Reset, _) => {
                row.staging = row.production.unwrap_or(row.staging);
                row.marked = false;
                "policy.reset"
            }
            (PolicyAction::MarkForDelete, true) => {
                return conflict("is marked for deletion, expected a policy that is not");
            }
            (PolicyAction::MarkForDelete, false) => {
                row.marked = true;
                "policy.mark_for_delete"
            }
        };
        let now = change.now.clone();
        self.store().update_policy(change.connection(), &row, &now).await?;
        let record =
            Record { action: word, object: format!("policy {id}"), before: Some(before), after: Some(pointers(&row)) };
        self.finish(change, Subject::Policy(id), record).await?;
        Ok(())
    }

    /// Deletes a marked policy.
    ///
    /// # Errors
    /// If there is no such policy, it is not marked, or it is assigned.
    pub async fn delete_policy(&self, actor: &Actor, id: i64) -> Outcome<()> {
        let store = self.store();
        let mut change = self.change(actor).await?;
        let row = store.policy(change.connection(), id).await?;
        if !row.marked {
            return Err(ControlError::Conflict(format!(
                "policy {id} is not marked for deletion, expected markForDelete before"
            )));
        }
        for network in Network::ALL {
            for (configuration, assignments) in store.configurations_on(change.connection(), network).await? {
                if assignments.iter().any(|assignment| assignment.get("policyId") == Some(&id.into())) {
                    let hostname = configuration.document.get("hostname").and_then(Value::as_str).unwrap_or_default();
                    return Err(ControlError::Conflict(format!(
                        "policy {id} is assigned to {hostname:?} on {network}, expected no assignment"
                    )));
                }
            }
        }
        let stored = store.policy_document(change.connection(), id, row.staging).await?;
        let now = change.now.clone();
        store.delete_policy(change.connection(), id, &now).await?;
        let record =
            Record { action: "policy.delete", object: format!("policy {id}"), before: Some(stored), after: None };
        self.finish(change, Subject::Policy(id), record).await?;
        Ok(())
    }

    /// Reads a policy to write it, as [`policy::read`].
    pub(super) async fn read_policy(
        &self,
        document: Value,
        stored: Option<&Value>,
        generated: &Value,
    ) -> Outcome<PolicyDocument> {
        let (stored, generated) = (stored.cloned(), generated.clone());
        let job = move || policy::read(document, stored.as_ref(), &generated);
        self.compile(Purpose::Write, job).await?.map_err(ControlError::Invalid)
    }

    /// Inserts a policy and its first version.
    pub(super) async fn insert_policy(
        &self,
        change: &mut Change,
        id: i64,
        read: &PolicyDocument,
        generated: &Value,
        promoted: bool,
    ) -> Outcome<()> {
        let key_name = match &read.key_name {
            Some(name) => name.clone(),
            None => {
                // A policy that was renamed may still have this name for its keys.
                let others = self.store().policies(change.connection()).await?;
                match others.iter().any(|other| other.key_name == read.name) {
                    true => format!("policy {id}"),
                    false => read.name.clone(),
                }
            }
        };
        let production = promoted.then_some(1);
        let row = PolicyRow { id, key_name, staging: 1, production, marked: false };
        let (now, first) = (change.now.clone(), change.version(1));
        self.store().insert_policy(change.connection(), &row, generated, &now).await?;
        self.store().insert_policy_version(change.connection(), id, &first, &read.document).await
    }

    /// Appends a version of a policy. Returns its number.
    pub(super) async fn append_policy(&self, change: &mut Change, id: i64, document: &Value) -> Outcome<i64> {
        let number = self.store().last_policy_version(change.connection(), id).await?.saturating_add(1);
        let version = change.version(number);
        self.store().insert_policy_version(change.connection(), id, &version, document).await?;
        Ok(number)
    }

    /// Checks that no other policy has the name, on either network.
    pub(super) async fn check_name(&self, change: &mut Change, id: i64, name: &str) -> Outcome<()> {
        for network in Network::ALL {
            for (row, _, document) in self.store().policies_on(change.connection(), network).await? {
                if row.id != id && document.get("policyName").and_then(Value::as_str) == Some(name) {
                    let detail =
                        format!("found {name:?}, the name of policy {} on {network}; expected another", row.id);
                    return Err(ControlError::Invalid(vec![finding("policyName", &detail)]));
                }
            }
        }
        Ok(())
    }

    /// Random bytes in hex.
    pub(super) fn random_hex<const LENGTH: usize>(&self) -> Outcome<String> {
        let mut bytes = [0; LENGTH];
        self.inner.surroundings.random(&mut bytes)?;
        Ok(base16ct::lower::encode_string(&bytes))
    }
}

/// The pointers of a policy, for the audit trail.
pub(super) fn pointers(row: &PolicyRow) -> Value {
    json!({"staging": row.staging, "production": row.production, "markedForDelete": row.marked})
}
