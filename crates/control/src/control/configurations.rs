//! Operations on configurations: the hosts that policies are assigned to.

use serde_json::Value;

use super::{Control, Outcome};
use crate::actor::Actor;
use crate::error::ControlError;

impl Control {
    /// All configurations, as `GET /configurations` has them.
    pub async fn configurations(&self) -> Outcome<Vec<Value>> {
        Err(ControlError::Storage("not built".into()))
    }

    /// Creates a configuration. Returns its number.
    pub async fn create_configuration(&self, _actor: &Actor, _document: Value) -> Outcome<i64> {
        Err(ControlError::Storage("not built".into()))
    }

    /// Replaces a configuration.
    pub async fn edit_configuration(&self, _actor: &Actor, _id: i64, _document: Value) -> Outcome<()> {
        Err(ControlError::Storage("not built".into()))
    }

    /// Deletes a configuration without assignments.
    pub async fn delete_configuration(&self, _actor: &Actor, _id: i64) -> Outcome<()> {
        Err(ControlError::Storage("not built".into()))
    }
}
