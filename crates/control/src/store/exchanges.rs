//! Rows of `exchanges`: the steps of secret exchanges under way.

use sqlx::{AnyConnection, Row};

use crate::error::ControlError;

/// A row of `exchanges`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeRow {
    /// The last step: `added` or `swapped`.
    pub step: String,
    /// The policy's version that the step made.
    pub version: i64,
    /// The revisions of staging and production that the step made.
    pub revisions: [i64; 2],
}

/// The exchange of a policy's secret, if one is under way.
///
/// # Errors
/// If the database cannot be read.
pub async fn read(
    connection: &mut AnyConnection,
    policy: i64,
    secret: &str,
) -> Result<Option<ExchangeRow>, ControlError> {
    let sql = "SELECT step, version, staging_revision, production_revision FROM exchanges
               WHERE policy = $1 AND secret = $2";
    let Some(row) = sqlx::query(sql).bind(policy).bind(secret).fetch_optional(connection).await? else {
        return Ok(None);
    };
    Ok(Some(ExchangeRow {
        step: row.try_get(0)?,
        version: row.try_get(1)?,
        revisions: [row.try_get(2)?, row.try_get(3)?],
    }))
}

/// Replaces the exchange of a policy's secret; `None` ends it.
///
/// # Errors
/// If the database cannot be written.
pub async fn replace(
    connection: &mut AnyConnection,
    policy: i64,
    secret: &str,
    exchange: Option<&ExchangeRow>,
) -> Result<(), ControlError> {
    sqlx::query("DELETE FROM exchanges WHERE policy = $1 AND secret = $2")
        .bind(policy)
        .bind(secret)
        .execute(&mut *connection)
        .await?;
    let Some(exchange) = exchange else { return Ok(()) };
    let [staging, production] = exchange.revisions;
    sqlx::query(
        "INSERT INTO exchanges (policy, secret, step, version, staging_revision, production_revision)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(policy)
    .bind(secret)
    .bind(exchange.step.as_str())
    .bind(exchange.version)
    .bind(staging)
    .bind(production)
    .execute(connection)
    .await?;
    Ok(())
}
