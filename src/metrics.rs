//! Envoy stats, named `wasmcustom.playlock…`. The part in brackets is present if the request's policy is known:
//!
//! | name | value |
//! |---|---|
//! | `playlock[.policy.POLICY].requests.KIND.VERDICT` | requests completed |
//! | `playlock[.policy.POLICY].refused.REASON` | refused or reset requests, by reason |
//! | `playlock[.policy.POLICY].encrypted_bytes` | media bytes received for encryption |
//! | `playlock[.policy.POLICY].origin_errors` | 5xx responses of the origin, or of Envoy in its place |
//! | `playlock[.policy.POLICY].unservable_uris` | URIs in served playlists that are refused when requested |
//! | `playlock.active` | gauge: requests with a response pending or in progress |
//! | `playlock.microseconds` | histogram: time in all callbacks of a request, for one request in 16 |
//! | `playlock.batches` | number of batches with chunks of several streams |

use std::cell::{Cell, OnceCell};

use playlock_core::dash::DashError;
use playlock_core::exchange::Verdict;
use playlock_core::http::reply::Reason;
use playlock_core::http::route::Kind;
use playlock_core::playlist::Unservable;
use playlock_core::policy::{Policies, PolicyIndex};
use playlock_proxy_wasm::host::{self, Metric};

/// Facts about a completed request.
#[derive(Debug)]
pub struct Ended<'a> {
    /// Index of its policy.
    pub policy: Option<PolicyIndex>,
    /// Kind of the request.
    pub kind: Kind,
    /// Outcome of the request.
    pub verdict: Verdict,
    /// Reason, if the request was refused or reset.
    pub reason: Option<Reason>,
    /// Number of media bytes received for encryption.
    pub encrypted: u64,
    /// Whether the origin's response was an error (5xx).
    pub origin_error: bool,
    /// URIs in its playlist that are refused when requested.
    pub unservable: Option<&'a Unservable>,
    /// What is wrong with an MPD that was refused.
    pub mpd_error: Option<DashError>,
}

/// Metrics of the policies of one configuration.
#[derive(Debug, Default)]
pub struct Metrics {
    no_policy: Series,
    /// Metric name prefix and metrics, by policy index. Defined on first use: there may be thousands.
    policies: Vec<(String, OnceCell<Series>)>,
    active: Option<u32>,
    microseconds: Option<u32>,
    batches: Option<u32>,
}

impl Metrics {
    /// Defines the metrics that do not depend on a policy, so that they are exported as 0 from the start.
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

    /// Counts batches with chunks of several streams.
    pub fn count_batches(&self, times: u32) {
        add(self.batches, times.into());
    }

    /// Adds to the number of active requests: 1, or -1.
    pub fn count_active(&self, by: i64) {
        add(self.active, by);
    }

    /// Records the time that a request spent in the filter.
    pub fn time(&self, nanoseconds: u64) {
        if let Some(id) = self.microseconds {
            host::record(id, nanoseconds / 1000);
        }
    }

    /// Counts a completed request.
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
            // Once per policy: a live playlist is requested every few seconds.
            if !series.warned.replace(true) {
                host::warn(&format!(
                    "a playlist names {:?}, which nobody will get: a path with such escapes is refused (400 target); expected names without escaped /, \\, ?, #, %, control characters, and in UTF-8",
                    unservable.first()
                ));
            }
        }
        if let Some(error) = ended.mpd_error
            && !series.mpd_warned.replace(true)
        {
            host::warn(&format!("an MPD was refused (502 mpd): {error}"));
        }
    }
}

/// Metrics of one policy, or of requests without one.
#[derive(Debug, Default)]
struct Series {
    /// Counters by kind and verdict.
    requests: Vec<Option<u32>>,
    refused: Vec<Option<u32>>,
    encrypted_bytes: Option<u32>,
    origin_errors: Option<u32>,
    unservable_uris: Option<u32>,
    /// Whether a warning about them has been logged.
    warned: Cell<bool>,
    /// Whether a warning about a refused MPD has been logged.
    mpd_warned: Cell<bool>,
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
            mpd_warned: Cell::default(),
        }
    }
}

/// Prefix of the metrics of the policy `name`. Special characters are replaced: a dot would end the policy's name for
/// consumers of the stats.
fn prefix(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("playlock.policy.{}", name.chars().map(plain).collect::<String>())
}

fn add(metric: Option<u32>, by: i64) {
    if let Some(id) = metric.filter(|_| by != 0) {
        host::increment(id, by);
    }
}
