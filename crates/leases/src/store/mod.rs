//! Where leases are kept: in memory, for one process, or in Redis, for many.

mod memory;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::answer::Answer;
use crate::question::Question;
use crate::session::{Counts, Filter, Page, Which};

pub use memory::Memory;

/// Time between two sweeps of a store in memory.
const SWEEP: Duration = Duration::from_secs(10);

/// A store of leases. Clones share it.
#[derive(Debug, Clone)]
pub enum Store {
    /// In this process's memory.
    Memory(Arc<Memory>),
}

/// The store did not answer in time. It may have kept the lease all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store of leases did not answer: {}", self.0)
    }
}

impl std::error::Error for Unavailable {}

impl Store {
    /// A store in memory.
    pub fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// Forgets viewers who left, from time to time, until the future is dropped. Redis does that by itself.
    pub async fn sweep(self) {
        match self {
            Self::Memory(memory) => loop {
                sleep(SWEEP).await;
                memory.sweep(memory.now());
            },
        }
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`Unavailable`]
    #[expect(clippy::unused_async, reason = "Redis waits")]
    pub async fn ping(&self) -> Result<(), Unavailable> {
        match self {
            Self::Memory(_) => Ok(()),
        }
    }

    /// Decides whether a session may have a key, and keeps its lease.
    ///
    /// # Errors
    /// [`Unavailable`]
    #[expect(clippy::unused_async, reason = "Redis waits")]
    pub async fn ask(&self, question: &Question) -> Result<Answer, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.ask(memory.now(), question)),
        }
    }

    /// Up to `limit` live sessions after `cursor`, the `next` of another page. Sessions that begin or end meanwhile may be
    /// missing; none is there twice. An unreadable cursor begins anew.
    ///
    /// # Errors
    /// [`Unavailable`]
    #[expect(clippy::unused_async, reason = "Redis waits")]
    pub async fn sessions(&self, filter: &Filter, cursor: Option<&str>, limit: usize) -> Result<Page, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.sessions(memory.now(), filter, cursor, limit)),
        }
    }

    /// The numbers of viewers and sessions.
    ///
    /// # Errors
    /// [`Unavailable`]
    #[expect(clippy::unused_async, reason = "Redis waits")]
    pub async fn counts(&self) -> Result<Counts, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.counts(memory.now())),
        }
    }

    /// Ends sessions: they get no further key. Returns how many had a live lease.
    ///
    /// # Errors
    /// [`Unavailable`]
    #[expect(clippy::unused_async, reason = "Redis waits")]
    pub async fn end(&self, which: &Which) -> Result<u64, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.end(memory.now(), which)),
        }
    }
}
