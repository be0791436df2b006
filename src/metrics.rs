//! Counters: `playlock.requests.KIND`, `playlock.refused.REASON` and `playlock.batches`, in Envoy's stats as
//! `wasmcustom.…`.

use playlock_core::reply::Reason;
use playlock_core::route::Kind;

use crate::host;

/// The counters, defined once for the VM.
#[derive(Debug, Default)]
pub struct Metrics {
    kinds: Vec<Option<u32>>,
    reasons: Vec<Option<u32>>,
    batches: Option<u32>,
}

impl Metrics {
    /// Defines every counter, so that all are there (at 0) from the start.
    pub fn define() -> Self {
        let kind = |kind: &Kind| host::define_counter(&format!("playlock.requests.{}", kind.word()));
        let reason = |reason: &Reason| host::define_counter(&format!("playlock.refused.{}", reason.word()));
        Self {
            kinds: Kind::ALL.iter().map(kind).collect(),
            reasons: Reason::ALL.iter().map(reason).collect(),
            batches: host::define_counter("playlock.batches"),
        }
    }

    /// Counts how often chunks of several streams have been encrypted together.
    pub fn count_batches(&self, times: u32) {
        if times > 0 {
            self.batches.into_iter().for_each(|counter| host::increase(counter, times));
        }
    }

    /// Counts a request that has ended.
    pub fn count(&self, kind: Kind, reason: Option<Reason>) {
        let of = |counters: &[Option<u32>], index: usize| counters.get(index).copied().flatten();
        let counters = [of(&self.kinds, kind.index()), reason.and_then(|reason| of(&self.reasons, reason.index()))];
        counters.into_iter().flatten().for_each(|counter| host::increase(counter, 1));
    }
}
