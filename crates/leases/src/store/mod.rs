//! Where leases are kept: in memory, for one process, or in Redis, for many.

mod memory;
mod redis;

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::answer::Answer;
use crate::question::Question;
use crate::session::{Counts, Filter, Page, Which};

pub use memory::Memory;
pub use redis::{NotRedis, Notice, Redis, RedisUrl};

/// Time between two sweeps of a store in memory.
const SWEEP: Duration = Duration::from_secs(10);

/// A store of leases. Clones share it.
#[derive(Debug, Clone)]
pub enum Store {
    /// In this process's memory.
    Memory(Arc<Memory>),
    /// In Redis, for any number of processes.
    Redis(Arc<Redis>),
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

    /// A store in Redis: see [`Redis::new`].
    ///
    /// # Errors
    /// [`Unavailable`] if the URL has an address of an unknown kind.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn redis(url: &RedisUrl, timeout: Duration, notice: Notice) -> Result<Self, Unavailable> {
        Ok(Self::Redis(Arc::new(Redis::new(url, timeout, notice)?)))
    }

    /// Forgets viewers who left, from time to time, until the future is dropped. Redis does that by itself.
    pub async fn sweep(self) {
        match self {
            Self::Memory(memory) => loop {
                sleep(SWEEP).await;
                memory.sweep(memory.now());
            },
            Self::Redis(_) => pending().await,
        }
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub async fn ping(&self) -> Result<(), Unavailable> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Redis(redis) => redis.ping().await,
        }
    }

    /// Decides whether a session may have a key, and keeps its lease.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub async fn ask(&self, question: &Question) -> Result<Answer, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.ask(memory.now(), question)),
            Self::Redis(redis) => redis.ask(None, question).await,
        }
    }

    /// Up to `limit` live sessions after `cursor`, the `next` of another page. Sessions that begin or end meanwhile may be
    /// missing; none is there twice. A page may have fewer sessions and still a `next`. An unreadable cursor begins anew.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub async fn sessions(&self, filter: &Filter, cursor: Option<&str>, limit: usize) -> Result<Page, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.sessions(memory.now(), filter, cursor, limit)),
            Self::Redis(redis) => redis.sessions(None, filter, cursor, limit).await,
        }
    }

    /// The numbers of viewers and sessions.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub async fn counts(&self) -> Result<Counts, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.counts(memory.now())),
            Self::Redis(redis) => redis.counts(None).await,
        }
    }

    /// Ends sessions: they get no further key. Returns how many had a live lease.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub async fn end(&self, which: &Which) -> Result<u64, Unavailable> {
        match self {
            Self::Memory(memory) => Ok(memory.end(memory.now(), which)),
            Self::Redis(redis) => redis.end(None, which).await,
        }
    }
}
