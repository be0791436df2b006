//! Compilations of documents. They run on threads of their own, so that those of requests and Envoys never wait for one.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::ControlError;

/// Compilations of one purpose at a time.
const AT_ONCE: usize = 2;
/// Compilations of one purpose at a time, and those that wait for their turn: each holds a document of up to 4 MiB.
const ADMITTED: usize = 32;

/// The purpose of a compilation. One never waits for those of the other: users who may only read hold up no write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A check, or the explanation of a request: nothing is stored.
    Check,
    /// A write, or a delivery to Envoys.
    Write,
}

/// The compilations under way.
#[derive(Debug, Default)]
pub(super) struct Compiler {
    checks: Lane,
    writes: Lane,
}

#[derive(Debug)]
struct Lane {
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Default for Lane {
    fn default() -> Self {
        Self { admitted: Arc::new(Semaphore::new(ADMITTED)), running: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Lane {
    async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, ControlError> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| ControlError::Busy)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| ControlError::Busy)?;
        let job = spawn_blocking(move || {
            // The job has its permits until it is done, even if nobody waits for it any more.
            let _permits = (admitted, running);
            job()
        });
        job.await.map_err(|error| ControlError::Broken(format!("a compilation broke off: {error}")))
    }
}

impl Compiler {
    /// Runs a job that compiles documents.
    ///
    /// # Errors
    /// [`ControlError::Busy`] if too many wait already.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        purpose: Purpose,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ControlError> {
        match purpose {
            Purpose::Check => self.checks.run(job).await,
            Purpose::Write => self.writes.run(job).await,
        }
    }
}
