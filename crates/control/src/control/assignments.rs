//! Operations on the assignments of a configuration.

use serde_json::Value;

use super::{Control, Outcome};
use crate::actor::Actor;
use crate::error::ControlError;

impl Control {
    /// Assignments of the configuration that this hostname or digital property belongs to: an AssignmentStatus.
    pub async fn assignments(&self, _domain: &str) -> Outcome<Value> {
        Err(ControlError::Storage("not built".into()))
    }

    /// Replaces the configuration's assignments on staging. Returns whether they were promoted.
    pub async fn put_assignments(&self, _actor: &Actor, _domain: &str, _document: Value) -> Outcome<bool> {
        Err(ControlError::Storage("not built".into()))
    }

    /// Promotes the assignments, or resets them on staging. Returns an AssignmentStatus.
    pub async fn act_on_assignments(&self, _actor: &Actor, _domain: &str, _promote: bool) -> Outcome<Value> {
        Err(ControlError::Storage("not built".into()))
    }
}
