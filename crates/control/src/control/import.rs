//! Import of a document of the filter, such as a `policies.json`, onto both networks.

use serde_json::{Value, json};

use super::change::{Change, Record};
use super::check::whole;
use super::compiler::Purpose;
use super::plane::{Control, Outcome};
use crate::actor::Actor;
use crate::documents::compose::Subject;
use crate::documents::json::{at, finding, is_true, kind, set, take, without_nulls};
use crate::documents::policy::PolicyDocument;
use crate::documents::{assignments, configuration, policy, settings};
use crate::error::{ControlError, Finding};

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The numbers of the policies, in the document's order.
    pub policies: Vec<i64>,
    /// The numbers of the configurations: one for each host, and one for every host.
    pub configurations: Vec<i64>,
    /// Whether the document's settings are in force; they are if no settings were ever written.
    pub settings: bool,
}

impl Control {
    /// Imports policies, assignments and settings onto both networks, so that Envoys go on as with the file. Policies
    /// and hosts must be new; keys stay as they are.
    ///
    /// # Errors
    /// A document that is not valid, names that are taken, or too many compilations. Then nothing is imported.
    pub async fn import(&self, actor: &Actor, mut document: Value) -> Outcome<Imported> {
        if !document.is_object() {
            let detail = format!("found {}, expected a document: an object", kind(&document));
            return Err(ControlError::Invalid(vec![finding("$", &detail)]));
        }
        let take_array = |document: &mut Value, member: &str| match take(document, member) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        let of_policies = document.get("policies").and_then(Value::as_array).map_or(0, Vec::len);
        // Secrets for policies that have none.
        let mut secrets = Vec::with_capacity(of_policies);
        for _ in 0..of_policies {
            secrets.push(Value::from(self.random_hex::<32>()?));
        }
        let job = move || {
            let errors = whole(document.clone()).errors;
            if !errors.is_empty() {
                return Err(errors);
            }
            without_nulls(&mut document);
            let policies = take_array(&mut document, "policies").into_iter().zip(secrets).enumerate();
            let policies: Result<Vec<_>, _> = policies
                .map(|(index, (policy, secret))| Given::read(policy, secret).map_err(|found| (found, index)))
                .collect();
            let policies = policies.map_err(|(found, index)| below(found, &format!("policies[{index}]")))?;
            let assigned = take_array(&mut document, "assignments");
            Ok((policies, assigned, read_settings(document)?))
        };
        let read = self.compile(Purpose::Write, job).await?;
        let (policies, assigned, settings) = read.map_err(ControlError::Invalid)?;
        let mut change = self.change(actor).await?;
        let mut ids = Vec::with_capacity(policies.len());
        for (index, policy) in policies.into_iter().enumerate() {
            let added = self.import_policy(&mut change, policy).await;
            ids.push(added.map_err(|error| within(error, &format!("policies[{index}]")))?);
        }
        let configurations = self.import_assignments(&mut change, assigned, &ids).await?;
        let settings = self.import_settings(&mut change, settings).await?;
        let imported = Imported { policies: ids.into_iter().map(|(id, _)| id).collect(), configurations, settings };
        let after = json!({"policies": imported.policies, "configurations": imported.configurations});
        let record = Record { action: "import", object: "document".into(), before: None, after: Some(after) };
        self.finish(change, Subject::Other, record).await?;
        Ok(imported)
    }

    async fn import_policy(&self, change: &mut Change, given: Given) -> Outcome<(i64, String)> {
        let id = match given.id {
            Some(id) if !self.store().policy_was(change.connection(), id).await? => id,
            _ => self.store().next_policy(change.connection()).await?,
        };
        self.check_name(change, id, &given.policy.name).await?;
        self.insert_policy(change, id, &given.policy, &given.secret, true).await?;
        Ok((id, given.policy.name))
    }

    async fn import_assignments(
        &self,
        change: &mut Change,
        assigned: Vec<Value>,
        policies: &[(i64, String)],
    ) -> Outcome<Vec<i64>> {
        let mut hosts: Vec<(Option<String>, Vec<Value>)> = Vec::new();
        for (index, mut assignment) in assigned.into_iter().enumerate() {
            let host = take(&mut assignment, "host");
            let host = host.as_ref().and_then(Value::as_str).map(str::to_lowercase);
            let name = take(&mut assignment, "policyName");
            let id = match (name.as_ref().and_then(Value::as_str), assignment.get("policyId")) {
                (Some(name), _) => policies.iter().find(|(_, known)| known == name).map(|(id, _)| *id),
                (None, Some(id)) => id.as_i64().or_else(|| id.as_str()?.parse().ok()),
                (None, None) => None,
            };
            let Some(id) = id.filter(|id| policies.iter().any(|(known, _)| known == id)) else {
                let member = format!("assignments[{index}].policyName");
                let detail = "expected the name of one of the imported policies";
                return Err(ControlError::Invalid(vec![finding(&member, detail)]));
            };
            set(&mut assignment, "policyId", id.into());
            match hosts.iter_mut().find(|(known, _)| *known == host) {
                Some((_, listed)) => listed.push(assignment),
                None => hosts.push((host, vec![assignment])),
            }
        }
        let store = self.store();
        let mut ids = Vec::with_capacity(hosts.len());
        for (host, listed) in hosts {
            let place = host.as_deref().unwrap_or("every host").to_owned();
            let document = configuration::of_host(host.as_deref());
            self.check_domains(change.connection(), None, &document).await.map_err(|error| within(error, &place))?;
            let read = assignments::read(json!({"assignments": listed}), &[], self.seconds());
            let read = read.map_err(|found| within(ControlError::Invalid(found), &place))?;
            let (now, actor) = (change.now.clone(), change.actor.clone());
            let id = store.insert_configuration(change.connection(), &document, &actor, &now).await?;
            let version = change.version(2);
            let value = Value::Array(read.assignments);
            store.insert_assignments(change.connection(), id, &version, &value).await?;
            let all = store.configurations(change.connection()).await?;
            if let Some(mut row) = all.into_iter().find(|row| row.id == id) {
                (row.staging, row.production) = (2, 2);
                store.update_configuration(change.connection(), &row).await?;
            }
            ids.push(id);
        }
        Ok(ids)
    }

    /// Stores the settings of the document if none were ever written. Others must be the same as those.
    async fn import_settings(&self, change: &mut Change, document: Value) -> Outcome<bool> {
        let store = self.store();
        let last = store.last_settings(change.connection()).await?;
        let current = store.settings(change.connection(), last).await?;
        if settings::filled(&current) == settings::filled(&document) {
            return Ok(true);
        }
        if last > 1 {
            return Ok(false);
        }
        let number = last.saturating_add(1);
        let version = change.version(number);
        store.insert_settings(change.connection(), &version, &document).await?;
        for row in &mut change.rows {
            row.settings = number;
        }
        Ok(true)
    }
}

/// A policy of the document.
struct Given {
    /// Its number, if it has one.
    id: Option<i64>,
    /// The secret from which keys are derived if the policy has none.
    secret: Value,
    policy: PolicyDocument,
}

impl Given {
    fn read(mut document: Value, random: Value) -> Result<Self, Vec<Finding>> {
        // In a file `false` has no effect.
        take(&mut document, "promote");
        let id = take(&mut document, "policyId");
        let id = id.and_then(|id| id.as_i64().or_else(|| id.as_str()?.parse().ok())).filter(|id| *id > 0);
        let secret = derived(&document).unwrap_or(random);
        // Passwords of a file may be longer than the API's.
        let policy = policy::read(document.clone(), Some(&document), &secret)?;
        Ok(Self { id, secret, policy })
    }
}

/// The settings of the document, with the defaults of files.
fn read_settings(mut document: Value) -> Result<Value, Vec<Finding>> {
    take(&mut document, "revision");
    for (member, default) in [("holdHeaders", Value::Bool(false)), ("default", "deny".into())] {
        if document.get(member).is_none() {
            set(&mut document, member, default);
        }
    }
    settings::read(document)
}

/// The password from which the filter derives the keys of a policy without a secret. As its secret, it leaves them as
/// they are.
fn derived(document: &Value) -> Option<Value> {
    let password = at(document, &["tokenAuth", "password"])?;
    let long = password.as_str().is_none_or(|text| text.len() >= 32);
    let plain = at(document, &["mediaEncryption", "secret"]).is_none();
    (is_true(document, &["tokenAuth", "enabled"]) && long && plain).then(|| password.clone())
}

/// The same error, in an element of the document.
fn within(error: ControlError, place: &str) -> ControlError {
    match error {
        ControlError::Invalid(found) => ControlError::Invalid(below(found, place)),
        other => other,
    }
}

/// The same findings, in an element of the document.
fn below(found: Vec<Finding>, place: &str) -> Vec<Finding> {
    let inside = |it: Finding| match it.member.as_str() {
        "$" => Finding { member: place.into(), ..it },
        member => Finding { member: format!("{place}.{member}"), ..it },
    };
    found.into_iter().map(inside).collect()
}
