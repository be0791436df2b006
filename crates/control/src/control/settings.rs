//! Operations on the settings of both networks.

use serde_json::{Value, json};

use super::change::Record;
use super::compiler::Purpose;
use super::plane::{Control, Outcome};
use super::revisions::row_of;
use crate::actor::Actor;
use crate::documents::compose::Subject;
use crate::documents::settings;
use crate::error::ControlError;
use crate::network::Network;
use crate::store::networks;

impl Control {
    /// The settings of each network with the control plane's defaults: `{"staging": …, "production": …}`.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn settings(&self) -> Outcome<Value> {
        let store = self.store();
        let mut reading = store.read().await?;
        let rows = networks::read(&mut reading, store.engine(), false).await?;
        let staging = store.settings(&mut reading, row_of(&rows, Network::Staging).settings).await?;
        let production = store.settings(&mut reading, row_of(&rows, Network::Production).settings).await?;
        Ok(json!({"staging": settings::filled(&staging), "production": settings::filled(&production)}))
    }

    /// Replaces the settings on staging.
    ///
    /// # Errors
    /// A document that is not valid, by itself or with the policies on staging.
    pub async fn put_settings(&self, actor: &Actor, document: Value) -> Outcome<()> {
        let read = self.compile(Purpose::Write, || settings::read(document)).await?;
        let document = read.map_err(ControlError::Invalid)?;
        let store = self.store();
        let mut change = self.change(actor).await?;
        let [staging, _] = change.rows;
        let before = store.settings(change.connection(), staging.settings).await?;
        let number = store.last_settings(change.connection()).await?.saturating_add(1);
        let version = change.version(number);
        store.insert_settings(change.connection(), &version, &document).await?;
        let [staging, _] = &mut change.rows;
        staging.settings = number;
        let record =
            Record { action: "settings.edit", object: "settings".into(), before: Some(before), after: Some(document) };
        self.finish(change, Subject::Settings, record).await?;
        Ok(())
    }

    /// Promotes the settings, or resets them on staging.
    ///
    /// # Errors
    /// If both networks have the same settings.
    pub async fn act_on_settings(&self, actor: &Actor, promote: bool) -> Outcome<()> {
        let mut change = self.change(actor).await?;
        let [staging, production] = &mut change.rows;
        if staging.settings == production.settings {
            return Err(ControlError::Conflict(
                "the settings are the same on both networks, expected an edit on staging".into(),
            ));
        }
        let before = json!({"staging": staging.settings, "production": production.settings});
        if promote {
            production.settings = staging.settings;
        } else {
            staging.settings = production.settings;
        }
        let after = json!({"staging": staging.settings, "production": production.settings});
        let action = if promote { "settings.promote" } else { "settings.reset" };
        let record = Record { action, object: "settings".into(), before: Some(before), after: Some(after) };
        self.finish(change, Subject::Settings, record).await?;
        Ok(())
    }
}
