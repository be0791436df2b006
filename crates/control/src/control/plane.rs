//! `Control`: the control plane, which the operations in the other files extend.

use std::sync::Arc;

use tokio::sync::{Mutex, watch};

use super::compiler::{Compiler, Purpose};
use super::revisions::{Candidate, Revisions};
use crate::clock::{Surroundings, rfc3339};
use crate::error::ControlError;
use crate::store::Store;

/// The result of an operation.
pub type Outcome<T> = Result<T, ControlError>;

/// The control plane's operations. Clones share one database pool.
#[derive(Clone)]
pub struct Control {
    pub(super) inner: Arc<Inner>,
}

/// State that the clones share.
pub(super) struct Inner {
    /// The database.
    pub(super) store: Store,
    /// The clock and the randomness.
    pub(super) surroundings: Arc<dyn Surroundings>,
    /// The revisions as far as they are known.
    pub(super) revisions: watch::Sender<Revisions>,
    /// Compilations under way.
    pub(super) compiler: Compiler,
    /// Documents of the current revisions, staging first.
    pub(super) cache: Mutex<[Option<Candidate>; 2]>,
}

impl Control {
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

    /// Runs a job that compiles documents.
    ///
    /// # Errors
    /// [`ControlError::Busy`] if too many wait already.
    pub async fn compile<T: Send + 'static>(
        &self,
        purpose: Purpose,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Outcome<T> {
        self.inner.compiler.run(purpose, job).await
    }

    /// Closes all connections, after the transactions under way.
    pub async fn close(&self) {
        self.store().close().await;
    }

    /// The database.
    pub(super) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Seconds since 1970.
    pub(super) fn seconds(&self) -> i64 {
        self.inner.surroundings.now()
    }

    /// The time as RFC 3339.
    pub(super) fn now(&self) -> String {
        rfc3339(self.seconds())
    }
}
