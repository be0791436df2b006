//! Rows of `audit`: append-only, and each with a hash over the one before.

use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::error::ControlError;

/// The hash before the first entry.
const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Entries that a verification reads at a time.
const PAGE: i64 = 1000;

/// An entry of the audit trail. Secrets in it are masked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditEntry {
    /// The number, from 1, without gaps.
    pub sequence: i64,
    /// RFC 3339.
    pub time: String,
    /// The author.
    pub actor: String,
    /// The operation, such as `policy.promote`.
    pub action: String,
    /// The object, such as `policy 7`.
    pub object: String,
    /// JSON before the operation.
    pub before: Option<String>,
    /// JSON after the operation.
    pub after: Option<String>,
    /// The hash of the entry before, in hex.
    pub previous: String,
    /// The hash of this entry, in hex.
    pub hash: String,
}

impl AuditEntry {
    /// SHA-256 over the previous hash and all members, each with its length, so that no two entries have the same
    /// bytes.
    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut field = |value: Option<&str>| match value {
            None => hash.update([0]),
            Some(text) => {
                hash.update([1]);
                hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
                hash.update(text);
            }
        };
        for text in [&self.previous, &self.sequence.to_string(), &self.time, &self.actor, &self.action, &self.object] {
            field(Some(text));
        }
        field(self.before.as_deref());
        field(self.after.as_deref());
        base16ct::lower::encode_string(&hash.finalize())
    }
}

/// Appends an entry; its number and hashes are set here. Writes are serialised by the caller's lock.
///
/// # Errors
/// If the database cannot be written.
pub async fn append(connection: &mut AnyConnection, mut entry: AuditEntry) -> Result<(), ControlError> {
    let last = sqlx::query("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await?;
    (entry.sequence, entry.previous) = match last {
        Some(row) => (row.try_get::<i64, _>(0)?.saturating_add(1), row.try_get(1)?),
        None => (1, FIRST.into()),
    };
    entry.hash = entry.digest();
    sqlx::query(
        "INSERT INTO audit (sequence, time, actor, action, object, before, after, previous, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(entry.sequence)
    .bind(entry.time)
    .bind(entry.actor)
    .bind(entry.action)
    .bind(entry.object)
    .bind(entry.before)
    .bind(entry.after)
    .bind(entry.previous)
    .bind(entry.hash)
    .execute(connection)
    .await?;
    Ok(())
}

/// Reads at most `limit` entries before a number, the newest first.
///
/// # Errors
/// If the database cannot be read.
pub async fn page(connection: &mut AnyConnection, before: i64, limit: i64) -> Result<Vec<AuditEntry>, ControlError> {
    let sql = "SELECT sequence, time, actor, action, object, before, after, previous, hash FROM audit
               WHERE sequence < $1 ORDER BY sequence DESC LIMIT $2";
    sqlx::query(sql).bind(before).bind(limit).fetch_all(connection).await?.iter().map(entry).collect()
}

/// Verifies the chain. Returns the number of the first entry that was altered, removed or inserted, if there is one. An
/// end that was cut off does not show: keep the last hash elsewhere.
///
/// # Errors
/// If the database cannot be read.
pub async fn first_broken(connection: &mut AnyConnection) -> Result<Option<i64>, ControlError> {
    let sql = "SELECT sequence, time, actor, action, object, before, after, previous, hash FROM audit
               WHERE sequence > $1 ORDER BY sequence LIMIT $2";
    let mut last = (0_i64, FIRST.to_owned());
    loop {
        let rows = sqlx::query(sql).bind(last.0).bind(PAGE).fetch_all(&mut *connection).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        for row in &rows {
            let entry = entry(row)?;
            let expected = last.0.saturating_add(1);
            if entry.sequence != expected || entry.previous != last.1 || entry.hash != entry.digest() {
                return Ok(Some(expected));
            }
            last = (entry.sequence, entry.hash);
        }
    }
}

fn entry(row: &AnyRow) -> Result<AuditEntry, ControlError> {
    Ok(AuditEntry {
        sequence: row.try_get(0)?,
        time: row.try_get(1)?,
        actor: row.try_get(2)?,
        action: row.try_get(3)?,
        object: row.try_get(4)?,
        before: row.try_get(5)?,
        after: row.try_get(6)?,
        previous: row.try_get(7)?,
        hash: row.try_get(8)?,
    })
}
