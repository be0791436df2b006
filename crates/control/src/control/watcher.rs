//! Watches the revisions in the database: polling is the truth, notifications of PostgreSQL only make it sooner.

use std::sync::{Arc, Weak};
use std::time::Duration;

use sqlx::postgres::PgListener;

use super::plane::{Control, Inner, Outcome};
use super::revisions::Revisions;
use crate::store::{Engine, networks};

/// Time between two readings of the table.
const INTERVAL: Duration = Duration::from_secs(2);

impl Control {
    /// Reads the revisions now. The watcher does so every two seconds, and whenever another server notifies this one.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn poll(&self) -> Outcome<Revisions> {
        let mut connection = self.store().pool().acquire().await?;
        let rows = networks::read(&mut connection, self.store().engine(), false).await?;
        Ok(self.inner.publish(Revisions::of(rows)))
    }
}

impl Inner {
    /// Publishes revisions. A reading that began before a newer one never takes it back.
    pub(super) fn publish(&self, found: Revisions) -> Revisions {
        self.revisions.send_if_modified(|known| {
            let newer = Revisions {
                staging: known.staging.max(found.staging),
                production: known.production.max(found.production),
            };
            let modified = *known != newer;
            *known = newer;
            modified
        });
        *self.revisions.borrow()
    }
}

/// Starts the watcher, which ends with the last clone of its `Control`.
pub(super) fn start(inner: &Arc<Inner>, database: &str) {
    let listener = (inner.store.engine() == Engine::Postgres).then(|| database.to_owned());
    tokio::spawn(watch(Arc::downgrade(inner), listener));
}

async fn watch(inner: Weak<Inner>, url: Option<String>) {
    let mut listener: Option<PgListener> = None;
    loop {
        if let (Some(url), None) = (&url, &listener) {
            listener = listen(url).await;
        }
        match &mut listener {
            Some(open) => {
                // Notifications that came together are read together below.
                if let Ok(Err(_)) = tokio::time::timeout(INTERVAL, open.recv()).await {
                    listener = None;
                    tokio::time::sleep(INTERVAL).await;
                }
            }
            None => tokio::time::sleep(INTERVAL).await,
        }
        let Some(inner) = inner.upgrade() else { return };
        if inner.store.pool().is_closed() {
            return;
        }
        // A database that cannot be reached is asked again at the next turn.
        let _ = Control { inner }.poll().await;
    }
}

async fn listen(url: &str) -> Option<PgListener> {
    let mut listener = PgListener::connect(url).await.ok()?;
    listener.listen("playlock").await.ok()?;
    Some(listener)
}
