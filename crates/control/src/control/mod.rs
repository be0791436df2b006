//! The operations of the control plane, one file for each noun. Each write is one transaction, with its audit entry.

mod access;
mod assignments;
mod audit;
mod candidate;
mod change;
mod check;
mod configurations;
mod exchange;
mod impact;
mod import;
mod nodes;
mod policies;
mod settings;
mod versions;
mod watcher;

pub use self::access::{Client, NewClient, NewSession, NewToken, csrf_token};
pub use self::audit::AuditPage;
pub use self::candidate::{Candidate, Revisions};
pub use self::check::Checked;
pub use self::exchange::{Exchange, ExchangeStep, Secret};
pub use self::import::Imported;
pub use self::nodes::{Node, NodeEvent, NodeReport, NodeState, RefusalCount, RefusalRow};
pub use self::policies::{PolicyAction, Written};
pub use self::versions::Version;

use std::sync::Arc;

use serde_json::json;
use tokio::sync::{Mutex, watch};

use crate::clock::{Surroundings, rfc3339};
use crate::error::ControlError;
use crate::store::policies::VersionRow;
use crate::store::vault::MasterKey;
use crate::store::{Store, networks};

/// The result of an operation.
pub type Outcome<T> = Result<T, ControlError>;

/// The control plane's operations. Clones share one database pool.
#[derive(Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    surroundings: Arc<dyn Surroundings>,
    revisions: watch::Sender<Revisions>,
    /// Documents of the current revisions, staging first.
    cache: Mutex<[Option<Candidate>; 2]>,
}

impl Control {
    /// Opens the database at `sqlite://FILE?mode=rwc` or `postgres://…`, migrates it, and begins to watch its revisions.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open(database: &str, master: &MasterKey, surroundings: Arc<dyn Surroundings>) -> Outcome<Self> {
        let store = Store::open(database, master, Arc::clone(&surroundings)).await?;
        let now = rfc3339(surroundings.now());
        let mut writing = store.write().await?;
        networks::create(writing.connection(), &now).await?;
        let rows = networks::read(writing.connection(), store.engine(), true).await?;
        if store.last_settings(writing.connection()).await? == 0 {
            let first = VersionRow { version: 1, created: now, actor: "playlock".into() };
            store.insert_settings(writing.connection(), &first, &json!({})).await?;
        }
        writing.commit().await?;
        let (revisions, _) = watch::channel(Revisions::of(rows));
        let inner = Arc::new(Inner { store, surroundings, revisions, cache: Mutex::default() });
        watcher::start(&inner, database);
        Ok(Self { inner })
    }

    /// The size of the database in bytes.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn database_size(&self) -> Outcome<i64> {
        self.store().size().await
    }

    /// Whether the database answers, for health checks.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Outcome<()> {
        sqlx::query("SELECT 1").fetch_one(self.store().pool()).await?;
        Ok(())
    }

    /// Closes all connections, after the transactions under way.
    pub async fn close(&self) {
        self.store().close().await;
    }

    fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Seconds since 1970.
    fn seconds(&self) -> i64 {
        self.inner.surroundings.now()
    }

    /// The time as RFC 3339.
    fn now(&self) -> String {
        rfc3339(self.seconds())
    }
}
