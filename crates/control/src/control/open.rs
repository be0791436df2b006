//! Opening of the control plane's database.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::{Mutex, watch};

use super::compiler::Compiler;
use super::plane::{Control, Inner, Outcome};
use super::revisions::Revisions;
use super::watcher;
use crate::clock::{Surroundings, rfc3339};
use crate::store::policies::VersionRow;
use crate::store::vault::MasterKey;
use crate::store::{Store, networks};

impl Control {
    /// Opens the database at `sqlite://FILE?mode=rwc` or `postgres://…`, migrates it, and begins to watch its
    /// revisions.
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
        let (compiler, cache) = (Compiler::default(), Mutex::default());
        let inner = Arc::new(Inner { store, surroundings, revisions, compiler, cache });
        watcher::start(&inner, database);
        Ok(Self { inner })
    }
}
