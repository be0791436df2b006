//! Operations on configurations: the hosts that policies are assigned to.

use serde_json::Value;
use sqlx::AnyConnection;

use super::change::Record;
use super::plane::{Control, Outcome};
use crate::actor::Actor;
use crate::documents::compose::Subject;
use crate::documents::configuration;
use crate::documents::json::finding;
use crate::error::ControlError;
use crate::store::configurations::ConfigurationRow;

impl Control {
    /// All configurations, as `GET /configurations` has them.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn configurations(&self) -> Outcome<Vec<Value>> {
        let mut reading = self.store().read().await?;
        let rows = self.store().configurations(&mut reading).await?;
        Ok(rows.iter().map(|row| configuration::answer(row.id, &row.document)).collect())
    }

    /// Creates a configuration. Returns its number.
    ///
    /// # Errors
    /// A document that is not valid, or that names a host of another configuration.
    pub async fn create_configuration(&self, actor: &Actor, document: Value) -> Outcome<i64> {
        let document = configuration::read(document).map_err(ControlError::Invalid)?;
        let mut change = self.change(actor).await?;
        self.check_domains(change.connection(), None, &document).await?;
        let now = change.now.clone();
        let id = self.store().insert_configuration(change.connection(), &document, &actor.name, &now).await?;
        let object = format!("configuration {id}");
        let record = Record { action: "configuration.create", object, before: None, after: Some(document) };
        self.finish(change, Subject::Configuration(id), record).await?;
        Ok(id)
    }

    /// Replaces a configuration. It takes effect on both networks at once.
    ///
    /// # Errors
    /// If there is no such configuration, or the document is not valid.
    pub async fn edit_configuration(&self, actor: &Actor, id: i64, document: Value) -> Outcome<()> {
        let document = configuration::read(document).map_err(ControlError::Invalid)?;
        let mut change = self.change(actor).await?;
        let mut row = self.configuration_row(change.connection(), id).await?;
        self.check_domains(change.connection(), Some(id), &document).await?;
        let before = std::mem::replace(&mut row.document, document.clone());
        self.store().update_configuration(change.connection(), &row).await?;
        let object = format!("configuration {id}");
        let record = Record { action: "configuration.edit", object, before: Some(before), after: Some(document) };
        self.finish(change, Subject::Configuration(id), record).await?;
        Ok(())
    }

    /// Deletes a configuration without assignments.
    ///
    /// # Errors
    /// If there is no such configuration, or it has assignments.
    pub async fn delete_configuration(&self, actor: &Actor, id: i64) -> Outcome<()> {
        let store = self.store();
        let mut change = self.change(actor).await?;
        let row = self.configuration_row(change.connection(), id).await?;
        for (version, network) in [(row.staging, "staging"), (row.production, "production")] {
            if !store.assignments(change.connection(), id, version).await?.is_empty() {
                return Err(ControlError::Conflict(format!(
                    "configuration {id} has assignments on {network}, expected none"
                )));
            }
        }
        let now = change.now.clone();
        store.delete_configuration(change.connection(), id, &now).await?;
        let object = format!("configuration {id}");
        let record = Record { action: "configuration.delete", object, before: Some(row.document), after: None };
        self.finish(change, Subject::Configuration(id), record).await?;
        Ok(())
    }

    async fn configuration_row(&self, connection: &mut AnyConnection, id: i64) -> Outcome<ConfigurationRow> {
        let all = self.store().configurations(connection).await?;
        let found = all.into_iter().find(|row| row.id == id);
        found.ok_or_else(|| ControlError::NotFound(format!("configuration {id}")))
    }

    /// Checks that `{domain}` finds one configuration alone.
    pub(super) async fn check_domains(
        &self,
        connection: &mut AnyConnection,
        id: Option<i64>,
        document: &Value,
    ) -> Outcome<()> {
        let wanted = configuration::domains(document);
        for row in self.store().configurations(connection).await? {
            if Some(row.id) == id {
                continue;
            }
            if row.document.get("configurationName") == document.get("configurationName") {
                let detail = format!("is the name of configuration {}, expected another", row.id);
                return Err(ControlError::Invalid(vec![finding("configurationName", &detail)]));
            }
            let domains = configuration::domains(&row.document);
            if let Some(domain) = wanted.iter().find(|domain| domains.contains(domain)) {
                let is_hostname =
                    document.get("hostname").and_then(Value::as_str).is_some_and(|host| host.to_lowercase() == *domain);
                let member = if is_hostname { "hostname" } else { "digitalProperties" };
                let detail = format!("found {domain:?}, which belongs to configuration {}; expected another", row.id);
                return Err(ControlError::Invalid(vec![finding(member, &detail)]));
            }
        }
        Ok(())
    }
}
