//! Questions, and waiting for what must become true.

use std::time::Duration;

use playlock_leases::{Filter, Live, OnLimit, Question, Realm, Redis, SessionId, Terms, ViewerSource};

/// A time that the server's clock does not reach: its keys do not expire by themselves.
pub const NOW: u64 = 4_102_444_800_000;

pub fn session(number: u32) -> SessionId {
    let mut bytes = [0x80; 16];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    SessionId::of(bytes)
}

/// Two sessions for each viewer, the third is refused.
pub fn question(viewer: &str, number: u32) -> Question {
    let terms = Terms {
        group: "tv".into(),
        limit: 2,
        on_limit: OnLimit::RefuseNew,
        viewer: ViewerSource::Id,
        limit_field: None,
        period: 60_000,
        grace: 30_000,
        keys_ahead: 10,
        session: 86_400_000,
    };
    Question {
        realm: Realm::Default,
        terms,
        viewer: viewer.into(),
        limit: 2,
        session: session(number),
        policy: "vod".into(),
        stream: "/vod/*".into(),
        client: None,
        period: Some(0),
    }
}

/// All sessions that a filter admits, page by page.
pub async fn all(redis: &Redis, now: u64, filter: &Filter, limit: usize) -> Vec<Live> {
    let (mut found, mut cursor): (Vec<Live>, Option<String>) = (Vec::new(), None);
    loop {
        let page = redis.sessions(Some(now), filter, cursor.as_deref(), limit).await.unwrap();
        assert!(page.sessions.len() <= limit);
        found.extend(page.sessions);
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

/// Waits until something is true; fails after a time that no load of the machine exceeds.
pub async fn until(what: &str, mut is_true: impl AsyncFnMut() -> bool) {
    for _ in 0..1200 {
        if is_true().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not happen within a minute");
}
