//! Connections, transactions and the encryption of the database.

use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyConnection, AnyPool, Executor, Row, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::engine::Engine;
use super::migrations;
use super::vault::{self, MasterKey, Vault};
use crate::clock::{Surroundings, rfc3339};
use crate::error::ControlError;

/// Connections to PostgreSQL at a time; SQLite gets as many readers.
const CONNECTIONS: u32 = 8;
/// Time to wait for a connection, or for SQLite's writer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The database, with its encryption.
pub struct Store {
    pool: AnyPool,
    engine: Engine,
    vault: Vault,
    surroundings: Arc<dyn Surroundings>,
    /// SQLite has one writer: those of this process wait here, in order, not in its busy loop.
    writer: Arc<Mutex<()>>,
}

/// A transaction that may write. Dropping it undoes everything.
pub struct Writing {
    transaction: Transaction<'static, Any>,
    _writer: Option<OwnedMutexGuard<()>>,
}

impl Writing {
    /// The connection.
    pub fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    /// Makes the changes last.
    ///
    /// # Errors
    /// If the database cannot.
    pub async fn commit(self) -> Result<(), ControlError> {
        Ok(self.transaction.commit().await?)
    }
}

impl Store {
    /// Opens and migrates the database at `sqlite://FILE` or `postgres://…`. A new one gets a data key.
    ///
    /// # Errors
    /// A database that cannot be opened, that is newer than this server, or that was made with another master key.
    pub async fn open(
        url: &str,
        master: &MasterKey,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self, ControlError> {
        let (pool, engine) = connect(url).await?;
        let writer = Arc::new(Mutex::new(()));
        let mut writing = begin(&pool, engine, &writer).await?;
        if engine == Engine::Postgres {
            // Several servers may start at once.
            writing.connection().execute("SELECT pg_advisory_xact_lock(1886546284)").await?;
        }
        migrations::migrate(writing.connection(), engine, &rfc3339(surroundings.now())).await?;
        let row = sqlx::query("SELECT data_key FROM vault WHERE id = 1").fetch_optional(writing.connection()).await?;
        let vault = match row {
            Some(row) => Vault::open(master, &row.try_get::<Vec<u8>, _>(0)?)?,
            None => {
                let (vault, sealed) = Vault::create(master, &*surroundings)?;
                sqlx::query("INSERT INTO vault (id, data_key) VALUES (1, $1)")
                    .bind(sealed)
                    .execute(writing.connection())
                    .await?;
                vault
            }
        };
        writing.commit().await?;
        Ok(Self { pool, engine, vault, surroundings, writer })
    }

    /// The database's engine.
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// The pool, for statements that stand alone.
    pub const fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins a transaction that may write; SQLite's only one.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn write(&self) -> Result<Writing, ControlError> {
        begin(&self.pool, self.engine, &self.writer).await
    }

    /// Begins a transaction that only reads, and sees one state of the database.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn read(&self) -> Result<Transaction<'static, Any>, ControlError> {
        Ok(match self.engine {
            Engine::Sqlite => self.pool.begin().await?,
            Engine::Postgres => self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
        })
    }

    /// Encrypts a text for its place.
    ///
    /// # Errors
    /// If there are no random bytes.
    pub fn seal(&self, place: &str, text: &str) -> Result<Vec<u8>, ControlError> {
        self.vault.seal(place, text.as_bytes(), &*self.surroundings)
    }

    /// Decrypts a text of its place.
    ///
    /// # Errors
    /// If it was altered or moved.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<String, ControlError> {
        let bytes = self.vault.unseal(place, sealed)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| ControlError::Storage(format!("{place}: not UTF-8")))
    }

    /// The size of the database in bytes.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn size(&self) -> Result<i64, ControlError> {
        let sql = match self.engine {
            Engine::Sqlite => {
                "SELECT (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size())"
            }
            Engine::Postgres => "SELECT pg_database_size(current_database())",
        };
        Ok(sqlx::query(sql).fetch_one(&self.pool).await?.try_get(0)?)
    }

    /// Closes all connections, after the transactions under way.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Seals the data key of a database under another master key. No server may be starting meanwhile.
///
/// # Errors
/// If `old` is not the database's master key, or the database cannot be written.
pub async fn rotate_master_key(
    url: &str,
    old: &MasterKey,
    new: &MasterKey,
    surroundings: &dyn Surroundings,
) -> Result<(), ControlError> {
    let (pool, engine) = connect(url).await?;
    let mut writing = begin(&pool, engine, &Arc::new(Mutex::new(()))).await?;
    let row = sqlx::query("SELECT data_key FROM vault WHERE id = 1").fetch_one(writing.connection()).await?;
    let sealed = vault::reseal(old, new, &row.try_get::<Vec<u8>, _>(0)?, surroundings)?;
    sqlx::query("UPDATE vault SET data_key = $1 WHERE id = 1").bind(sealed).execute(writing.connection()).await?;
    writing.commit().await?;
    pool.close().await;
    Ok(())
}

async fn connect(url: &str) -> Result<(AnyPool, Engine), ControlError> {
    sqlx::any::install_default_drivers();
    let engine = match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => Engine::Sqlite,
        Some("postgres" | "postgresql") => Engine::Postgres,
        // The URL may hold a password.
        _ => return Err(ControlError::Storage("the URL has no known scheme, expected sqlite: or postgres:".into())),
    };
    let options = AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
    let options = options.after_connect(move |connection, _| {
        Box::pin(async move {
            match engine {
                Engine::Sqlite => {
                    for pragma in [
                        "PRAGMA busy_timeout = 30000",
                        "PRAGMA journal_mode = WAL",
                        "PRAGMA synchronous = FULL",
                        "PRAGMA foreign_keys = ON",
                        "PRAGMA secure_delete = ON",
                    ] {
                        connection.execute(pragma).await?;
                    }
                }
                Engine::Postgres => {
                    connection.execute("SET lock_timeout = '30s'").await?;
                }
            }
            Ok(())
        })
    });
    Ok((options.connect(url).await?, engine))
}

async fn begin(pool: &AnyPool, engine: Engine, writer: &Arc<Mutex<()>>) -> Result<Writing, ControlError> {
    Ok(match engine {
        Engine::Sqlite => {
            let guard = Arc::clone(writer).lock_owned().await;
            Writing { transaction: pool.begin_with("BEGIN IMMEDIATE").await?, _writer: Some(guard) }
        }
        Engine::Postgres => Writing { transaction: pool.begin().await?, _writer: None },
    })
}
