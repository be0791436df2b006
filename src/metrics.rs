//! What Envoy's stats are told, as `wasmcustom.playlock…`. POLICY is there if the request's policy is known:
//!
//! | name | is |
//! |---|---|
//! | `playlock[.policy.POLICY].requests.KIND.VERDICT` | requests that have ended |
//! | `playlock[.policy.POLICY].refused.REASON` | those that were refused or broken off |
//! | `playlock[.policy.POLICY].encrypted_bytes` | bytes of media that were encrypted |
//! | `playlock[.policy.POLICY].origin_errors` | answers 5xx of the origin, or of Envoy in its place |
//! | `playlock[.policy.POLICY].unservable_uris` | URIs that went out in playlists and are refused when they are asked for |
//! | `playlock.active` | gauge: requests that the origin is answering now |
//! | `playlock.microseconds` | histogram: time in the filter of one request in 16, all its callbacks together |
//! | `playlock.batches` | how often chunks of several streams were encrypted together |

use std::cell::{Cell, OnceCell};

use playlock_core::exchange::Verdict;
use playlock_core::http::reply::Reason;
use playlock_core::http::route::Kind;
use playlock_core::playlist::Unservable;
use playlock_core::policy::{Policies, PolicyIndex};
use playlock_proxy_wasm::host::{self, Metric};

/// What is known of a request when it has ended.
#[derive(Debug)]
pub struct Ended<'a> {
    /// The number of its policy.
    pub policy: Option<PolicyIndex>,
    /// Its kind.
    pub kind: Kind,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, if it was refused or broken off.
    pub reason: Option<Reason>,
    /// Bytes of media.
    pub encrypted: u64,
    /// The origin's answer was an error.
    pub origin_error: bool,
    /// URIs of its playlist that are refused when they are asked for.
    pub unservable: Option<&'a Unservable>,
}

/// The metrics of the policies of one configuration.
#[derive(Debug, Default)]
pub struct Metrics {
    no_policy: Series,
    /// By the policies' numbers. Defined when first needed: there may be thousands.
    policies: Vec<(String, OnceCell<Series>)>,
    active: Option<u32>,
    microseconds: Option<u32>,
    batches: Option<u32>,
}

impl Metrics {
    /// Defines what does not depend on a policy, so that it is there (at 0) from the start.
    pub fn define(policies: &Policies) -> Self {
        let names = policies.iter().map(|(_, policy)| policy.name.as_str());
        Self {
            no_policy: Series::define("playlock"),
            policies: names.map(|name| (prefix(name), OnceCell::new())).collect(),
            active: host::define_metric(Metric::Gauge, "playlock.active"),
            microseconds: host::define_metric(Metric::Histogram, "playlock.microseconds"),
            batches: host::define_metric(Metric::Counter, "playlock.batches"),
        }
    }

    /// Counts how often chunks of several streams have been encrypted together.
    pub fn count_batches(&self, times: u32) {
        add(self.batches, times.into());
    }

    /// Counts the requests that the origin is answering: 1 more, or one fewer (-1).
    pub fn count_active(&self, by: i64) {
        add(self.active, by);
    }

    /// Notes the time that a request has spent in the filter.
    pub fn time(&self, nanoseconds: u64) {
        if let Some(id) = self.microseconds {
            host::record(id, nanoseconds / 1000);
        }
    }

    /// Counts a request that has ended.
    pub fn count(&self, ended: &Ended<'_>) {
        let of = ended.policy.and_then(|index| self.policies.get(index.get()));
        let series = of.map_or(&self.no_policy, |(prefix, series)| series.get_or_init(|| Series::define(prefix)));
        let request = ended.kind.index() * Verdict::ALL.len() + ended.verdict.index();
        add(series.requests.get(request).copied().flatten(), 1);
        if let Some(reason) = ended.reason {
            add(series.refused.get(reason.index()).copied().flatten(), 1);
        }
        add(series.encrypted_bytes, i64::try_from(ended.encrypted).unwrap_or(i64::MAX));
        add(series.origin_errors, ended.origin_error.into());
        if let Some(unservable) = ended.unservable {
            add(series.unservable_uris, i64::try_from(unservable.count()).unwrap_or(i64::MAX));
            // Once for each policy: a live playlist comes every few seconds.
            if !series.warned.replace(true) {
                host::warn(&format!(
                    "a playlist names {:?}, which nobody will get: a path with such escapes is refused (400 target); expected names without escaped /, \\, ?, #, %, control characters, and in UTF-8",
                    unservable.first()
                ));
            }
        }
    }
}

/// The metrics of one policy, or of requests without one.
#[derive(Debug, Default)]
struct Series {
    /// By kind, and then by verdict.
    requests: Vec<Option<u32>>,
    refused: Vec<Option<u32>>,
    encrypted_bytes: Option<u32>,
    origin_errors: Option<u32>,
    unservable_uris: Option<u32>,
    /// The log has a line on them.
    warned: Cell<bool>,
}

impl Series {
    fn define(prefix: &str) -> Self {
        let counter = |name: &str| host::define_metric(Metric::Counter, &format!("{prefix}.{name}"));
        let verdicts = |kind: &Kind| {
            let kind = kind.word();
            Verdict::ALL.iter().map(move |verdict| counter(&format!("requests.{kind}.{}", verdict.word())))
        };
        Self {
            requests: Kind::ALL.iter().flat_map(verdicts).collect(),
            refused: Reason::ALL.iter().map(|reason| counter(&format!("refused.{}", reason.word()))).collect(),
            encrypted_bytes: counter("encrypted_bytes"),
            origin_errors: counter("origin_errors"),
            unservable_uris: counter("unservable_uris"),
            warned: Cell::default(),
        }
    }
}

/// What the metrics of the policy `name` begin with. A dot would end the name for whoever reads them.
fn prefix(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("playlock.policy.{}", name.chars().map(plain).collect::<String>())
}

fn add(metric: Option<u32>, by: i64) {
    if let Some(id) = metric.filter(|_| by != 0) {
        host::increment(id, by);
    }
}
