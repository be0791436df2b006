//! Operations on the assignments of a configuration.

use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::change::Record;
use super::plane::{Control, Outcome};
use crate::actor::Actor;
use crate::documents::compose::Subject;
use crate::documents::json::finding;
use crate::documents::{assignments, configuration};
use crate::error::{ControlError, Finding};
use crate::network::Network;
use crate::store::configurations::ConfigurationRow;

impl Control {
    /// Assignments of the configuration that this hostname or digital property belongs to: an AssignmentStatus.
    ///
    /// # Errors
    /// If there is none, or the database cannot be read.
    pub async fn assignments(&self, domain: &str) -> Outcome<Value> {
        let mut reading = self.store().read().await?;
        let row = self.configuration_of(&mut reading, domain).await?;
        self.status(&mut reading, &row).await
    }

    /// Replaces the configuration's assignments on staging. Returns whether they were promoted.
    ///
    /// # Errors
    /// If there is no such configuration, or the document is not valid.
    pub async fn put_assignments(&self, actor: &Actor, domain: &str, document: Value) -> Outcome<bool> {
        let store = self.store();
        let mut change = self.change(actor).await?;
        let mut row = self.configuration_of(change.connection(), domain).await?;
        let stored = store.assignments(change.connection(), row.id, row.staging).await?;
        let read = assignments::read(document, &stored, self.seconds()).map_err(ControlError::Invalid)?;
        self.check_assigned(change.connection(), &read.assignments).await?;
        let after = Value::Array(read.assignments);
        let number = store.last_assignments(change.connection(), row.id).await?.saturating_add(1);
        let version = change.version(number);
        store.insert_assignments(change.connection(), row.id, &version, &after).await?;
        row.staging = number;
        if read.promote {
            row.production = number;
        }
        store.update_configuration(change.connection(), &row).await?;
        let action = if read.promote { "assignments.edit_and_promote" } else { "assignments.edit" };
        let record = Record { action, object: object(&row), before: Some(stored.into()), after: Some(after) };
        self.finish(change, Subject::Assignments(row.id), record).await?;
        Ok(read.promote)
    }

    /// Promotes the assignments, or resets them on staging. Returns an AssignmentStatus.
    ///
    /// # Errors
    /// If there is no such configuration, or both networks have the same assignments.
    pub async fn act_on_assignments(&self, actor: &Actor, domain: &str, promote: bool) -> Outcome<Value> {
        let store = self.store();
        let mut change = self.change(actor).await?;
        let mut row = self.configuration_of(change.connection(), domain).await?;
        if row.staging == row.production {
            return Err(ControlError::Conflict(format!(
                "the assignments of {} are the same on both networks, expected an edit on staging",
                object(&row)
            )));
        }
        let before = pointers(&row);
        if promote {
            row.production = row.staging;
        } else {
            row.staging = row.production;
        }
        store.update_configuration(change.connection(), &row).await?;
        let status = self.status(change.connection(), &row).await?;
        let action = if promote { "assignments.promote" } else { "assignments.reset" };
        let record = Record { action, object: object(&row), before: Some(before), after: Some(pointers(&row)) };
        self.finish(change, Subject::Assignments(row.id), record).await?;
        Ok(status)
    }

    /// Assignments of one policy: an AssignmentStatus.
    ///
    /// # Errors
    /// If there is no such policy, or the database cannot be read.
    pub async fn policy_assignments(&self, id: i64) -> Outcome<Value> {
        let mut reading = self.store().read().await?;
        self.store().policy(&mut reading, id).await?;
        let mut shown = Vec::with_capacity(2);
        for network in [Network::Production, Network::Staging] {
            let names = self.names(&mut reading).await?;
            let mut listed = Vec::new();
            for (row, assignments) in self.store().configurations_on(&mut reading, network).await? {
                let of_policy = assignments.iter().filter(|assignment| assignment.get("policyId") == Some(&id.into()));
                listed.extend(of_policy.map(|assignment| answer(assignment, &row, &names)));
            }
            shown.push(listed);
        }
        let pending = shown.pop().unwrap_or_default();
        let production = shown.pop().unwrap_or_default();
        let pending = (pending != production).then_some(pending);
        Ok(assignments::status(production, pending))
    }

    /// Finds a configuration by its hostname or one of its digital properties, not case-sensitive.
    pub(super) async fn configuration_of(
        &self,
        connection: &mut AnyConnection,
        domain: &str,
    ) -> Outcome<ConfigurationRow> {
        let wanted = domain.to_lowercase();
        let all = self.store().configurations(connection).await?;
        let found = all.into_iter().find(|row| configuration::domains(&row.document).contains(&wanted));
        found.ok_or_else(|| ControlError::NotFound(format!("a configuration with the digital property {domain:?}")))
    }

    /// Checks that assignments name policies that have been promoted.
    pub(super) async fn check_assigned(&self, connection: &mut AnyConnection, assigned: &[Value]) -> Outcome<()> {
        let policies = self.store().policies(connection).await?;
        let fault = |(index, assignment): (usize, &Value)| -> Option<Finding> {
            let id = assignment.get("policyId").and_then(Value::as_i64).unwrap_or_default();
            let member = format!("assignments[{index}].policyId");
            match policies.iter().find(|policy| policy.id == id) {
                None => Some(finding(&member, &format!("found {id}, expected the number of a policy"))),
                Some(policy) if policy.production.is_none() => {
                    let detail = format!("policy {id} was never promoted, expected a policy that is on production");
                    Some(finding(&member, &detail))
                }
                Some(_) => None,
            }
        };
        let found: Vec<_> = assigned.iter().enumerate().filter_map(fault).collect();
        if found.is_empty() { Ok(()) } else { Err(ControlError::Invalid(found)) }
    }

    async fn status(&self, connection: &mut AnyConnection, row: &ConfigurationRow) -> Outcome<Value> {
        let names = self.names(connection).await?;
        let store = self.store();
        let list = |assigned: Vec<Value>| assigned.iter().map(|it| answer(it, row, &names)).collect::<Vec<_>>();
        let production = list(store.assignments(connection, row.id, row.production).await?);
        let pending = match row.staging == row.production {
            true => None,
            false => Some(list(store.assignments(connection, row.id, row.staging).await?)),
        };
        Ok(assignments::status(production, pending))
    }

    /// Names of policies by number, on production if they are there.
    async fn names(&self, connection: &mut AnyConnection) -> Outcome<Vec<(i64, String)>> {
        let mut names = Vec::new();
        for network in [Network::Production, Network::Staging] {
            for (row, _, document) in self.store().policies_on(connection, network).await? {
                if !names.iter().any(|(id, _)| *id == row.id) {
                    let name = document.get("policyName").and_then(Value::as_str).unwrap_or_default();
                    names.push((row.id, name.to_owned()));
                }
            }
        }
        Ok(names)
    }
}

fn answer(assignment: &Value, row: &ConfigurationRow, names: &[(i64, String)]) -> Value {
    let id = assignment.get("policyId").and_then(Value::as_i64);
    let name = names.iter().find(|(known, _)| Some(*known) == id).map(|(_, name)| name.as_str());
    assignments::answer(assignment, &configuration::answer(row.id, &row.document), name.unwrap_or_default())
}

fn object(row: &ConfigurationRow) -> String {
    format!("configuration {}", row.id)
}

fn pointers(row: &ConfigurationRow) -> Value {
    json!({"staging": row.staging, "production": row.production})
}
