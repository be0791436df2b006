//! The memory of documents: their texts while they wait, and the trees that they become, which are much larger.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::{Kind, Problem};
use crate::error::ControlError;

/// Bytes of a body at most.
pub const LIMIT: usize = 4 * 1024 * 1024;
/// Bytes of texts that may wait at a time, for each of both kinds of operations.
const WAITING: usize = 4 * LIMIT;
/// Bytes for each permit.
const UNIT: usize = 1024;

/// The documents of requests under way.
#[derive(Default)]
pub struct Documents {
    /// Of operations that readers may use.
    reads: Room,
    /// Of all others: readers do not hold them up.
    writes: Room,
}

struct Room {
    /// Permits of texts.
    texts: Arc<Semaphore>,
    /// Permits of texts that are parsed: a tree of small objects has more than a hundred bytes for each of the text.
    trees: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Self {
        Self { texts: Arc::new(Semaphore::new(WAITING / UNIT)), trees: Arc::new(Semaphore::new(LIMIT / UNIT)) }
    }
}

/// The permission for one document, until the last clone is dropped.
#[derive(Clone)]
pub struct Held {
    _permits: Arc<[OwnedSemaphorePermit; 2]>,
}

impl Documents {
    /// Waits until a document of so many bytes, at most [`LIMIT`], may be parsed.
    ///
    /// # Errors
    /// A 503 if too many bytes wait already.
    pub async fn hold(&self, reads: bool, length: usize) -> Result<Held, Problem> {
        let room = if reads { &self.reads } else { &self.writes };
        let units = u32::try_from(length.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let text = Arc::clone(&room.texts).try_acquire_many_owned(units).map_err(|_| ControlError::Busy)?;
        let tree = Arc::clone(&room.trees).acquire_many_owned(units).await;
        let tree = tree.map_err(|_| Problem::new(Kind::Unavailable, "The server is stopping."))?;
        Ok(Held { _permits: Arc::new([text, tree]) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::future::ready;
    use std::pin::Pin;

    use axum::response::IntoResponse as _;

    use super::*;

    async fn begun<T>(future: &mut Pin<Box<dyn Future<Output = T> + '_>>) -> Option<T> {
        tokio::select! {
            biased;
            done = future => Some(done),
            () = ready(()) => None,
        }
    }

    #[tokio::test]
    async fn long_texts_wait_for_each_other_and_are_refused_beyond_four() {
        let documents = Documents::default();
        let first = documents.hold(true, LIMIT).await.ok().unwrap();
        let mut waiting: Vec<Pin<Box<dyn Future<Output = _>>>> = Vec::new();
        for _ in 0..3 {
            let mut next: Pin<Box<dyn Future<Output = _> + '_>> = Box::pin(documents.hold(true, LIMIT));
            assert!(begun(&mut next).await.is_none());
            waiting.push(next);
        }
        let refused = documents.hold(true, 1).await.err().unwrap().into_response();
        assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "1"));
        // A request without a body waits for nothing, and a writer not for readers.
        documents.hold(true, 0).await.ok().unwrap();
        let writer = documents.hold(false, LIMIT).await.ok().unwrap();
        // A job that goes on has a clone.
        let job = first.clone();
        drop(first);
        assert!(begun(&mut waiting[0]).await.is_none());
        drop(job);
        let second = begun(&mut waiting[0]).await.unwrap().ok().unwrap();
        assert!(begun(&mut waiting[1]).await.is_none());
        drop(second);
        // Their clients have gone.
        waiting.clear();
        let mut short = Vec::new();
        for _ in 0..LIMIT / UNIT {
            short.push(documents.hold(true, UNIT).await.ok().unwrap());
        }
        assert!(begun(&mut (Box::pin(documents.hold(true, 1)) as Pin<Box<dyn Future<Output = _>>>)).await.is_none());
        drop((writer, short));
        documents.hold(true, LIMIT).await.ok().unwrap();
    }
}
