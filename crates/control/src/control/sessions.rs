//! Viewers' sessions: an operator ends them. The leases are not in the database, but the order to end them is in the audit
//! trail.

use playlock_leases::{Store, Which};
use serde_json::json;

use super::change::Record;
use super::plane::{Control, Outcome};
use crate::actor::Actor;
use crate::error::ControlError;

impl Control {
    /// Ends sessions: they get no further key. Returns how many had a live lease.
    ///
    /// The database is locked before the leases change, so that no session ends without an entry in the audit trail.
    ///
    /// # Errors
    /// [`ControlError::Unavailable`] if the store of leases does not answer. It may have ended sessions all the same: there
    /// is an entry, in which `ended` is null.
    pub async fn end_sessions(&self, actor: &Actor, store: &Store, which: &Which) -> Outcome<u64> {
        let change = self.change_elsewhere(actor).await?;
        let ended = store.end(which).await;
        let after = json!({
            "realm": which.realm.word(),
            "group": which.group,
            "viewer": which.viewer,
            "session": which.session.map(|session| session.to_string()),
            "ended": ended.as_ref().ok(),
        });
        let object = format!("viewer {}/{}", which.realm.word(), which.viewer);
        let record = Record { action: "session.end", object, before: None, after: Some(after) };
        self.finish_elsewhere(change, record).await?;
        ended.map_err(|fault| ControlError::Unavailable(fault.to_string()))
    }
}
