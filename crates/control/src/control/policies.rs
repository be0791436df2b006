//! Operations on policies.

use serde_json::Value;

use super::{Control, Outcome};
use crate::actor::Actor;
use crate::error::ControlError;

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
    /// All policies: one element for each policy and network, as `GET /policies` has them.
    pub async fn policies(&self) -> Outcome<Vec<Value>> {
        Err(ControlError::Storage("not built".into()))
    }

    /// One policy with `unsavedPolicy`, as `GET /policies/{policyId}` has it. Secrets are in clear.
    pub async fn policy(&self, _id: i64) -> Outcome<Value> {
        Err(ControlError::Storage("not built".into()))
    }

    /// Creates a policy on staging, and promotes it if the document says so.
    pub async fn create_policy(&self, _actor: &Actor, _document: Value) -> Outcome<Written> {
        Err(ControlError::Storage("not built".into()))
    }

    /// Replaces a policy on staging, and promotes it if the document says so.
    pub async fn edit_policy(&self, _actor: &Actor, _id: i64, _document: Value) -> Outcome<Written> {
        Err(ControlError::Storage("not built".into()))
    }

    /// Promotes, resets or marks a policy.
    pub async fn act_on_policy(&self, _actor: &Actor, _id: i64, _action: PolicyAction) -> Outcome<()> {
        Err(ControlError::Storage("not built".into()))
    }

    /// Deletes a marked policy.
    pub async fn delete_policy(&self, _actor: &Actor, _id: i64) -> Outcome<()> {
        Err(ControlError::Storage("not built".into()))
    }

    /// Assignments of one policy: an AssignmentStatus.
    pub async fn policy_assignments(&self, _id: i64) -> Outcome<Value> {
        Err(ControlError::Storage("not built".into()))
    }
}
