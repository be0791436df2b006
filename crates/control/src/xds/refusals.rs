//! Bytes that an Envoy has refused. It must not get them again.
//!
//! Envoy keeps the hash of an update before it applies it. If it refuses the update and gets the same bytes again, it
//! skips and acknowledges them, while the older policies stay in force (`config_discovery_impl.cc`, `last_`).

use std::sync::Arc;
use std::time::Duration;

/// Versions that are remembered one by one. Of others, only the largest number of spaces is.
const REMEMBERED: usize = 8;

/// Waiting times before a refused version is offered again.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// After the first refusal. It doubles with each further one.
    pub first: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(5), longest: Duration::from_secs(300) }
    }
}

impl Backoff {
    /// The time after so many refusals, from 1.
    fn after(self, refusals: u32) -> Duration {
        let factor = 1_u32.checked_shl(refusals.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

/// Refusals of one node. Streams with the same `node.id` share it: whether a stream belongs to the process that
/// refused something cannot be known, and changed bytes harm no other process.
#[derive(Debug, Clone, Default)]
pub struct Refusals {
    /// The oldest first.
    versions: Vec<Refused>,
    /// No version that has been forgotten was refused with so many spaces.
    floor: u32,
}

#[derive(Debug, Clone)]
struct Refused {
    version: Arc<str>,
    /// The document was refused with 0 spaces, and so on up to one less than this.
    spaces: u32,
    /// Since the last acceptance.
    times: u32,
    accepted: bool,
    next: Duration,
    /// The same for a process without policies.
    soonest: Duration,
}

impl Refusals {
    /// Nothing, of a node that may have refused documents with fewer than `floor` spaces.
    pub fn with_floor(floor: u32) -> Self {
        Self { versions: Vec::new(), floor }
    }

    /// The number of spaces with which no document has been refused.
    pub fn ceiling(&self) -> u32 {
        self.versions.iter().map(|refused| refused.spaces).fold(self.floor, u32::max)
    }

    /// Whether nothing has been refused.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// The number of spaces with which the version has not been refused.
    pub fn spaces(&self, version: &str) -> u32 {
        self.find(version).map_or(self.floor, |refused| refused.spaces)
    }

    /// Whether these bytes were refused: their acknowledgement means nothing.
    pub fn contains(&self, version: &str, spaces: u32) -> bool {
        spaces < self.spaces(version)
    }

    /// Whether the node may run the version: it has not refused it, or accepted it later.
    pub fn may_run(&self, version: &str) -> bool {
        self.find(version).is_none_or(|refused| refused.accepted)
    }

    /// The time before which the version should not be offered to a process that runs another.
    pub fn next(&self, version: &str) -> Duration {
        self.find(version).map_or(Duration::ZERO, |refused| refused.next)
    }

    /// The time before which the version should not be offered to a process that has no policies: the first waiting time
    /// after the last refusal, since the process may have been started because of it.
    pub fn soonest(&self, version: &str) -> Duration {
        self.find(version).map_or(Duration::ZERO, |refused| refused.soonest)
    }

    /// Records a refusal of these bytes at `now`.
    pub fn refuse(&mut self, version: &Arc<str>, spaces: u32, now: Duration, backoff: Backoff) {
        let old = self.versions.iter().position(|refused| refused.version == *version);
        let mut refused = match old {
            Some(index) => self.versions.remove(index),
            None => {
                Refused { version: Arc::clone(version), spaces: 0, times: 0, accepted: false, next: now, soonest: now }
            }
        };
        refused.spaces = refused.spaces.max(spaces.saturating_add(1));
        refused.times = refused.times.saturating_add(1);
        refused.accepted = false;
        refused.next = now.saturating_add(backoff.after(refused.times));
        refused.soonest = now.saturating_add(backoff.after(1));
        self.versions.push(refused);
        if self.versions.len() > REMEMBERED {
            self.floor = self.floor.max(self.versions.remove(0).spaces);
        }
    }

    /// Records that bytes of the version were accepted that had not been refused.
    pub fn accept(&mut self, version: &str) {
        if let Some(refused) = self.versions.iter_mut().find(|refused| *refused.version == *version) {
            refused.times = 0;
            refused.accepted = true;
            (refused.next, refused.soonest) = (Duration::ZERO, Duration::ZERO);
        }
    }

    fn find(&self, version: &str) -> Option<&Refused> {
        self.versions.iter().find(|refused| *refused.version == *version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_double_up_to_the_longest() {
        let backoff = Backoff::default();
        let seconds: Vec<_> = (1..9).map(|times| backoff.after(times).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(backoff.after(u32::MAX), backoff.longest);
    }

    #[test]
    fn the_versions_refused_last_are_remembered() {
        let mut refusals = Refusals::default();
        for number in 0..20 {
            refusals.refuse(&number.to_string().into(), 0, Duration::ZERO, Backoff::default());
        }
        assert_eq!(refusals.versions.len(), REMEMBERED);
        // Those forgotten, and any other, get a space.
        assert!(refusals.contains("19", 0) && refusals.contains("1", 0) && !refusals.contains("1", 1));
        assert_eq!((refusals.spaces("1"), refusals.spaces("99"), refusals.ceiling()), (1, 1, 1));
    }
}
