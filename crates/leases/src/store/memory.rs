//! Leases in the memory of one process.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::Millis;
use crate::answer::Answer;
use crate::question::{Question, Realm};
use crate::session::{Counts, Filter, Live, OfPolicy, Page, SessionId, Which};
use crate::viewer::{Lease, Viewer};

/// How many parts there are. Questions about viewers of different parts do not wait for each other.
const PARTS: usize = 64;

type Part = HashMap<Key, Viewer>;

/// Leases in memory. A process that ends forgets them.
#[derive(Debug)]
pub struct Memory {
    parts: Vec<Mutex<Part>>,
    hasher: RandomState,
    began: (Instant, Millis),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    realm: Realm,
    group: String,
    viewer: String,
}

impl Default for Memory {
    fn default() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            began: (Instant::now(), u64::try_from(epoch.as_millis()).unwrap_or_default()),
        }
    }
}

impl Memory {
    /// The time of this store's clock. It never goes back, whatever happens to the system's.
    pub fn now(&self) -> Millis {
        let (instant, epoch) = self.began;
        epoch.saturating_add(u64::try_from(instant.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Decides whether a session may have a key at `now`, and keeps its lease.
    pub fn ask(&self, now: Millis, question: &Question) -> Answer {
        let key = Key { realm: question.realm, group: question.terms.group.clone(), viewer: question.viewer.clone() };
        let Some(part) = self.part(&key) else { return Answer::Limit };
        let mut part = lock(part);
        match part.get_mut(&key) {
            Some(viewer) => viewer.ask(now, question),
            None => part.entry(key).or_default().ask(now, question),
        }
    }

    /// Ends sessions. Returns how many had a live lease.
    pub fn end(&self, now: Millis, which: &Which) -> u64 {
        let key = Key { realm: which.realm, group: which.group.clone(), viewer: which.viewer.clone() };
        let Some(part) = self.part(&key) else { return 0 };
        lock(part).get_mut(&key).map_or(0, |viewer| viewer.end(now, which.session))
    }

    /// Up to `limit` sessions that are live at `now`, by their beginning, after `cursor`.
    pub fn sessions(&self, now: Millis, filter: &Filter, cursor: Option<&str>, limit: usize) -> Page {
        let after = cursor.and_then(position);
        // The first ones, and one more to know whether there are more.
        let mut first: BTreeMap<(Millis, SessionId), Live> = BTreeMap::new();
        self.each(now, |key, lease| {
            let order = (lease.since, lease.session);
            let wanted = after.is_none_or(|after| order > after)
                && (first.len() <= limit || first.last_key_value().is_some_and(|(last, _)| order < *last));
            if wanted {
                let live = live(key, lease);
                if filter.admits(&live) {
                    first.insert(order, live);
                    if first.len() > limit.saturating_add(1) {
                        first.pop_last();
                    }
                }
            }
        });
        let more = first.len() > limit;
        let sessions: Vec<Live> = first.into_values().take(limit).collect();
        let next = sessions.last().filter(|_| more).map(|last| format!("{}.{}", last.since, last.session));
        Page { sessions, next }
    }

    /// The numbers of viewers and sessions at `now`.
    pub fn counts(&self, now: Millis) -> Counts {
        let (mut counts, mut policies) = (Counts::default(), HashMap::<(Realm, String), u64>::new());
        for part in &self.parts {
            for (key, viewer) in lock(part).iter() {
                let mut is_live = false;
                for lease in viewer.leases().iter().filter(|lease| lease.expires > now) {
                    is_live = true;
                    counts.sessions += 1;
                    *policies.entry((key.realm, lease.policy.clone())).or_default() += 1;
                }
                counts.viewers += u64::from(is_live);
            }
        }
        let policies = policies.into_iter().map(|((realm, policy), sessions)| OfPolicy { realm, policy, sessions });
        counts.policies = policies.collect();
        counts.policies.sort();
        counts
    }

    /// Forgets the viewers without a lease or an ended session at `now`.
    pub fn sweep(&self, now: Millis) {
        for part in &self.parts {
            lock(part).retain(|_, viewer| {
                viewer.forget(now);
                !viewer.is_empty()
            });
        }
    }

    /// How many viewers are kept, with a lease or not.
    pub fn kept(&self) -> usize {
        self.parts.iter().map(|part| lock(part).len()).sum()
    }

    fn each(&self, now: Millis, mut see: impl FnMut(&Key, &Lease)) {
        for part in &self.parts {
            for (key, viewer) in lock(part).iter() {
                viewer.leases().iter().filter(|lease| lease.expires > now).for_each(|lease| see(key, lease));
            }
        }
    }

    fn part(&self, key: &Key) -> Option<&Mutex<Part>> {
        let hash = usize::try_from(self.hasher.hash_one(key) & 0xffff).unwrap_or_default();
        self.parts.get(hash % PARTS)
    }
}

fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    // No decision is half made when it panics: at worst one lease is missing.
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

fn live(key: &Key, lease: &Lease) -> Live {
    Live {
        realm: key.realm,
        group: key.group.clone(),
        viewer: key.viewer.clone(),
        session: lease.session,
        policy: lease.policy.clone(),
        stream: lease.stream.clone(),
        client: lease.client,
        since: lease.since,
        renewed: lease.renewed,
        expires: lease.expires,
    }
}

/// Reads a cursor.
fn position(cursor: &str) -> Option<(Millis, SessionId)> {
    let (since, session) = cursor.split_once('.')?;
    Some((since.parse().ok()?, SessionId::parse(session)?))
}

#[cfg(test)]
mod tests;
