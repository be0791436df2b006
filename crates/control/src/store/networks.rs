//! Rows of `networks`: each network's revision and settings. Their lock is the lock of all writes.

use sqlx::{AnyConnection, Row};

use super::engine::Engine;
use crate::error::ControlError;
use crate::network::Network;

/// A row of `networks`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NetworkRow {
    /// The network's revision, from 1; 0 before there is a row.
    pub revision: i64,
    /// The version of its settings.
    pub settings: i64,
}

/// Both rows, staging first.
pub type NetworkRows = [NetworkRow; 2];

/// Creates the rows of an empty database.
///
/// # Errors
/// If the database cannot be written.
pub async fn create(connection: &mut AnyConnection, now: &str) -> Result<(), ControlError> {
    for network in Network::ALL {
        sqlx::query(
            "INSERT INTO networks (network, revision, settings_version, updated) VALUES ($1, 1, 1, $2)
             ON CONFLICT (network) DO NOTHING",
        )
        .bind(network.name())
        .bind(now)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Reads both rows, and locks them until the transaction ends, if `lock`.
///
/// # Errors
/// If the database cannot be reached.
pub async fn read(connection: &mut AnyConnection, engine: Engine, lock: bool) -> Result<NetworkRows, ControlError> {
    // SQLite's write transaction is the lock. Rows are locked in the order in which they are returned.
    let sql = match (engine, lock) {
        (Engine::Postgres, true) => {
            "SELECT network, revision, settings_version FROM networks ORDER BY network DESC FOR UPDATE"
        }
        _ => "SELECT network, revision, settings_version FROM networks ORDER BY network DESC",
    };
    let mut rows = NetworkRows::default();
    for (slot, row) in rows.iter_mut().zip(sqlx::query(sql).fetch_all(connection).await?) {
        *slot = NetworkRow { revision: row.try_get(1)?, settings: row.try_get(2)? };
    }
    Ok(rows)
}

/// Writes a network's row.
///
/// # Errors
/// If the database cannot be written.
pub async fn update(
    connection: &mut AnyConnection,
    network: Network,
    row: NetworkRow,
    now: &str,
) -> Result<(), ControlError> {
    sqlx::query("UPDATE networks SET revision = $1, settings_version = $2, updated = $3 WHERE network = $4")
        .bind(row.revision)
        .bind(row.settings)
        .bind(now)
        .bind(network.name())
        .execute(connection)
        .await?;
    Ok(())
}

/// Tells other servers of a revision once the transaction commits. Only the number goes out.
///
/// # Errors
/// If the database cannot be reached.
pub async fn notify(connection: &mut AnyConnection, network: Network, revision: i64) -> Result<(), ControlError> {
    sqlx::query("SELECT pg_notify('playlock', $1)").bind(format!("{network} {revision}")).execute(connection).await?;
    Ok(())
}
