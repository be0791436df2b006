//! The audit trail.

use super::plane::{Control, Outcome};
use crate::store::audit::{self, AuditEntry};

/// Entries of an answer at most.
const MAX_PAGE: i64 = 1000;

/// A page of the audit trail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The entries, the newest first.
    pub entries: Vec<AuditEntry>,
    /// The number to ask for the next page with, if there is one.
    pub next: Option<i64>,
}

impl Control {
    /// At most `limit` entries before an entry, or the newest.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn audit(&self, before: Option<i64>, limit: i64) -> Outcome<AuditPage> {
        let mut connection = self.store().pool().acquire().await?;
        let limit = limit.clamp(1, MAX_PAGE);
        let entries = audit::page(&mut connection, before.unwrap_or(i64::MAX), limit).await?;
        let full = i64::try_from(entries.len()).is_ok_and(|length| length == limit);
        let next = entries.last().map(|entry| entry.sequence).filter(|last| full && *last > 1);
        Ok(AuditPage { entries, next })
    }

    /// Verifies the chain of hashes. Returns the number of the first broken entry, if there is one.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn first_broken_audit_entry(&self) -> Outcome<Option<i64>> {
        let mut connection = self.store().pool().acquire().await?;
        audit::first_broken(&mut connection).await
    }
}
