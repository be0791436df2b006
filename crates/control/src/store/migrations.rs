//! Migrations: numbered SQL files, each applied once, in order, and recorded in the table `migrations`.

use sqlx::{AnyConnection, Executor, Row};

use super::engine::Engine;
use crate::error::ControlError;

/// The migrations for SQLite and PostgreSQL, from number 1.
const MIGRATIONS: [[&str; 2]; 2] = [
    [include_str!("migrations/0001_tables.sql"), include_str!("migrations/0001_tables.sql")],
    [include_str!("migrations/0002_audit_sqlite.sql"), include_str!("migrations/0002_audit_postgres.sql")],
];

/// Applies the migrations that the database lacks, inside the caller's transaction.
///
/// # Errors
/// A migration that fails, or a database that a newer server has migrated.
pub async fn migrate(connection: &mut AnyConnection, engine: Engine, now: &str) -> Result<(), ControlError> {
    connection
        .execute("CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, applied TEXT NOT NULL)")
        .await?;
    let row = sqlx::query("SELECT COALESCE(MAX(number), 0) FROM migrations").fetch_one(&mut *connection).await?;
    let applied: i64 = row.try_get(0)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if applied > known {
        return Err(ControlError::Storage(format!(
            "a newer server has migrated the database to step {applied}, expected at most {known}: start that version"
        )));
    }
    for (number, [sqlite, postgres]) in (1_i64..).zip(MIGRATIONS) {
        if number <= applied {
            continue;
        }
        let text = match engine {
            Engine::Sqlite => sqlite,
            Engine::Postgres => postgres,
        };
        sqlx::raw_sql(text).execute(&mut *connection).await?;
        sqlx::query("INSERT INTO migrations (number, applied) VALUES ($1, $2)")
            .bind(number)
            .bind(now)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
