//! Envoy stats, named `wasmcustom.playlock…`. The part in brackets is present if the request's policy is known:
//!
//! | name | value |
//! |---|---|
//! | `playlock[.policy.POLICY].requests.KIND.VERDICT` | requests completed |
//! | `playlock[.policy.POLICY].refused.REASON` | refused or reset requests, by reason |
//! | `playlock[.policy.POLICY].encrypted_bytes` | media bytes received for encryption |
//! | `playlock[.policy.POLICY].origin_errors` | 5xx responses of the origin, or of Envoy in its place |
//! | `playlock[.policy.POLICY].unservable_uris` | URIs in served playlists that are refused when requested |
//! | `playlock[.policy.POLICY].unauthorized_keys` | responses with keys that the authorizer has not decided on |
//! | `playlock.policy.POLICY.speke_requests.REQUESTER.VERDICT` | requests of a packager that were answered |
//! | `playlock.active` | gauge: requests with a response pending or in progress |
//! | `playlock.microseconds` | histogram: time in all callbacks of a request, for one request in 16 |
//! | `playlock.revision` | gauge: the document's `revision`, 0 if it has none |
//! | `playlock.batches` | number of batches with chunks of several streams |

use std::cell::{Cell, OnceCell};

use playlock_core::exchange::Verdict;
use playlock_core::http::reply::Reason;
use playlock_core::http::route::Kind;
use playlock_core::playlist::Unservable;
use playlock_core::policy::{Policies, Policy, PolicyIndex};
use playlock_core::response::body::OriginFault;
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
    /// The fault of an MPD, or of media of one, that was refused.
    pub fault: Option<OriginFault>,
    /// Whether the response has keys that the authorizer has not decided on.
    pub unauthorized_keys: bool,
    /// Name of the requester, if this is a packager's request that was answered.
    pub requester: Option<&'a str>,
}

/// Metrics of the policies of one configuration.
#[derive(Debug, Default)]
pub struct Metrics {
    no_policy: Series,
    /// By policy index.
    policies: Vec<OfPolicy>,
    active: Option<u32>,
    microseconds: Option<u32>,
    batches: Option<u32>,
    /// The gauge, and the document's revision.
    revision: (Option<u32>, u64),
}

impl Metrics {
    /// Defines the metrics that do not depend on a policy, and those of requesters, so that they are exported as 0 from
    /// the start.
    pub fn define(policies: &Policies) -> Self {
        Self {
            no_policy: Series::define("playlock"),
            policies: policies.iter().map(|(_, policy)| OfPolicy::define(policy)).collect(),
            active: host::define_metric(Metric::Gauge, "playlock.active"),
            microseconds: host::define_metric(Metric::Histogram, "playlock.microseconds"),
            batches: host::define_metric(Metric::Counter, "playlock.batches"),
            revision: (host::define_metric(Metric::Gauge, "playlock.revision"), policies.revision.unwrap_or_default()),
        }
    }

    /// Shows the document's revision. All VMs of the process share the gauge, so the last call wins.
    pub fn show_revision(&self) {
        if let (Some(id), revision) = self.revision {
            host::record(id, revision);
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
        let series = of.map_or(&self.no_policy, |of| of.series.get_or_init(|| Series::define(&of.prefix)));
        let request = ended.kind.index() * Verdict::ALL.len() + ended.verdict.index();
        add(series.requests.get(request).copied().flatten(), 1);
        if let Some(reason) = ended.reason {
            add(series.refused.get(reason.index()).copied().flatten(), 1);
        }
        add(series.encrypted_bytes, i64::try_from(ended.encrypted).unwrap_or(i64::MAX));
        add(series.origin_errors, ended.origin_error.into());
        add(series.unauthorized_keys, ended.unauthorized_keys.into());
        if let (Some(name), Some(of)) = (ended.requester, of) {
            let requester = of.requesters.iter().find(|requester| requester.name == name);
            let counter = requester.and_then(|requester| requester.requests.get(ended.verdict.index()));
            add(counter.copied().flatten(), 1);
        }
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
        if let Some(error) = ended.fault
            && !series.fault_warned.replace(true)
        {
            let word = ended.reason.map_or("", Reason::word);
            host::warn(&format!("a response of the origin was refused ({word}): {error}"));
        }
    }
}

/// Metrics of one policy.
#[derive(Debug)]
struct OfPolicy {
    /// Prefix of their names.
    prefix: String,
    /// Defined on first use: there may be thousands of policies.
    series: OnceCell<Series>,
    /// Those of its requesters; none without a key server for packagers.
    requesters: Vec<Requester>,
}

impl OfPolicy {
    fn define(policy: &Policy) -> Self {
        let prefix = format!("playlock.policy.{}", plain(&policy.name));
        let speke = policy.encryption.as_ref().and_then(|encryption| encryption.speke.as_deref());
        let names = speke.map(|speke| speke.requester_names()).unwrap_or_default();
        let requesters = names.into_iter().map(|name| Requester::define(&prefix, name)).collect();
        Self { prefix, series: OnceCell::new(), requesters }
    }
}

/// Metrics of one requester.
#[derive(Debug)]
struct Requester {
    name: String,
    /// Counters by verdict. The filter resets no response to a requester.
    requests: Vec<Option<u32>>,
}

impl Requester {
    fn define(prefix: &str, name: String) -> Self {
        let counter = |verdict: &Verdict| {
            let name = format!("{prefix}.speke_requests.{}.{}", plain(&name), verdict.word());
            host::define_metric(Metric::Counter, &name)
        };
        let requests = [Verdict::Allowed, Verdict::Refused].iter().map(counter).collect();
        Self { name, requests }
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
    unauthorized_keys: Option<u32>,
    unservable_uris: Option<u32>,
    /// Whether a warning about them has been logged.
    warned: Cell<bool>,
    /// Whether a warning about what is wrong with a response has been logged.
    fault_warned: Cell<bool>,
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
            unauthorized_keys: counter("unauthorized_keys"),
            unservable_uris: counter("unservable_uris"),
            warned: Cell::default(),
            fault_warned: Cell::default(),
        }
    }
}

/// The name of a policy or requester as a part of a metric's name. Special characters are replaced: a dot would end the
/// name for consumers of the stats.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

fn add(metric: Option<u32>, by: i64) {
    if let Some(id) = metric.filter(|_| by != 0) {
        host::increment(id, by);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use playlock_proxy_wasm::stand_in::{Answer, Call, install};

    use super::*;

    /// Two policies with a key server for packagers, one with a name to be replaced, and one without.
    const CONFIG: &[u8] = br#"{"holdHeaders": true, "assignments": [], "policies": [
        {"policyName": "vod", "mediaEncryption": {"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f",
          "speke": {"path": "/speke", "requesters": [
            {"name": "a.b", "token": "0123456789abcdef", "contentIds": ["*"]},
            {"name": "lab", "token": "123456789abcdef0", "contentIds": ["*"]}]}}},
        {"policyName": "tv.de", "mediaEncryption": {"enabled": true, "secret": "101112131415161718191a1b1c1d1e1f",
          "speke": {"path": "/tv", "requesters": [
            {"name": "lab", "token": "23456789abcdef01", "contentIds": ["*"]}]}}},
        {"policyName": "plain", "tokenAuth": {"enabled": false}}]}"#;

    type Calls = Rc<RefCell<Vec<Call>>>;

    /// Metrics of the configuration, on a host that numbers metrics in the order of their definition from 0 on; with its
    /// calls.
    fn defined() -> (Metrics, Policies, Calls) {
        let calls: Calls = Rc::default();
        let seen = Rc::clone(&calls);
        install(move |call| {
            let defined = |call: &&Call| call.name == "proxy_define_metric";
            let number = seen.borrow().iter().filter(defined).count() as u64;
            seen.borrow_mut().push(call.clone());
            Answer { number, ..Answer::default() }
        });
        let policies = playlock_config::parse(CONFIG, &|_| None).unwrap().0;
        (Metrics::define(&policies), policies, calls)
    }

    /// Names of the metrics that requesters count, in the order of their definition, with their numbers.
    fn requesters(calls: &Calls) -> Vec<(String, u64)> {
        let calls = calls.borrow();
        let defined = calls.iter().filter(|call| call.name == "proxy_define_metric");
        let names = defined.map(|call| String::from_utf8(call.bytes[0].clone()).unwrap());
        names.zip(0..).filter(|(name, _)| name.contains("speke_requests")).collect()
    }

    fn ended<'a>(policy: Option<PolicyIndex>, verdict: Verdict, requester: Option<&'a str>) -> Ended<'a> {
        Ended {
            policy,
            kind: Kind::Speke,
            verdict,
            reason: None,
            encrypted: 0,
            origin_error: false,
            unservable: None,
            fault: None,
            unauthorized_keys: false,
            requester,
        }
    }

    #[test]
    fn every_requester_has_its_counters_from_the_start() {
        let (_, _, calls) = defined();
        let names: Vec<String> = requesters(&calls).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "playlock.policy.vod.speke_requests.a_b.allowed",
                "playlock.policy.vod.speke_requests.a_b.refused",
                "playlock.policy.vod.speke_requests.lab.allowed",
                "playlock.policy.vod.speke_requests.lab.refused",
                "playlock.policy.tv_de.speke_requests.lab.allowed",
                "playlock.policy.tv_de.speke_requests.lab.refused",
            ]
        );
    }

    /// By policy and name; a request without a requester, and one of an unknown name, count for none.
    #[test]
    fn requests_count_for_their_requester() {
        let (metrics, policies, calls) = defined();
        let counters = requesters(&calls);
        let indices: Vec<PolicyIndex> = policies.iter().map(|(index, _)| index).collect();
        for (policy, verdict, requester, expected) in [
            (Some(indices[0]), Verdict::Allowed, Some("a.b"), Some("vod.speke_requests.a_b.allowed")),
            (Some(indices[0]), Verdict::Refused, Some("lab"), Some("vod.speke_requests.lab.refused")),
            (Some(indices[1]), Verdict::Allowed, Some("lab"), Some("tv_de.speke_requests.lab.allowed")),
            (Some(indices[1]), Verdict::Allowed, Some("a.b"), None),
            (Some(indices[2]), Verdict::Allowed, Some("lab"), None),
            (Some(indices[0]), Verdict::Refused, None, None),
            (None, Verdict::Refused, Some("lab"), None),
        ] {
            calls.borrow_mut().retain(|call| call.name == "proxy_define_metric");
            metrics.count(&ended(policy, verdict, requester));
            let calls = calls.borrow();
            let counted = calls.iter().filter(|call| call.name == "proxy_increment_metric").map(|call| call.numbers[0]);
            let found: Vec<&str> = counted
                .filter_map(|number| counters.iter().find(|(_, other)| *other == number))
                .map(|(name, _)| name.trim_start_matches("playlock.policy."))
                .collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{requester:?}");
        }
    }
}
