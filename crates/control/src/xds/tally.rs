//! Numbers in the metrics of an Envoy: the revision in force, and refusals by policy and reason. Everything else is left.

use std::collections::BTreeMap;

use envoy_types::pb::io::prometheus::client::{Metric, MetricFamily};
use playlock_core::http::reply::Reason;

use super::resource::Resource;
use crate::control::RefusalCount;

/// Requests that one Envoy can refuse between two messages: beyond it, a number is not believed.
const MOST: f64 = 1e9;

/// Largest revision that a gauge holds exactly.
const LARGEST_REVISION: f64 = 9_007_199_254_740_992.0;

/// Numbers of one Envoy since they were last taken. At most one for each policy of the network and reason.
#[derive(Debug, Default)]
pub struct Tally {
    revision: Option<i64>,
    refusals: BTreeMap<(String, &'static str), i64>,
}

impl Tally {
    /// Adds the metrics of a message. Policies are those of `resource`; refusals under other names, and without a policy,
    /// are counted under the empty name.
    pub fn add(&mut self, families: &[MetricFamily], resource: Option<&Resource>) {
        for family in families {
            let name = family.name();
            let Some(name) = name.strip_prefix("wasmcustom.").unwrap_or(name).strip_prefix("playlock.") else {
                continue;
            };
            for metric in &family.metric {
                if name == "revision" {
                    self.revision = metric.gauge.and_then(|gauge| revision(gauge.value())).or(self.revision);
                } else if let Some((label, reason)) = refused(name, metric) {
                    let policy = label.and_then(|label| resource?.policy(label)).unwrap_or_default();
                    let count = metric.counter.as_ref().map_or(0, |counter| count(counter.value()));
                    if count > 0 {
                        let sum = self.refusals.entry((policy.to_owned(), reason.word())).or_default();
                        *sum = sum.saturating_add(count);
                    }
                }
            }
        }
    }

    /// The revision in force, if a message had one.
    pub fn revision(&self) -> Option<i64> {
        self.revision
    }

    /// Takes the refusals.
    pub fn refusals(&mut self) -> Vec<RefusalCount> {
        let counted = std::mem::take(&mut self.refusals).into_iter();
        counted.map(|((policy, reason), count)| RefusalCount { policy, reason: reason.to_owned(), count }).collect()
    }
}

/// The policy's label and the reason of a counter, by its labels (`emit_tags_as_labels` with the stats tags of
/// docs/operating.md) or in its name: `[policy.POLICY.]refused[.REASON]`.
fn refused<'a>(name: &'a str, metric: &'a Metric) -> Option<(Option<&'a str>, Reason)> {
    let label = |name: &str| metric.label.iter().find(|label| label.name() == name).map(|label| label.value());
    let (policy, rest) = match name.strip_prefix("policy.").and_then(|rest| rest.split_once('.')) {
        Some((policy, rest)) => (Some(policy), rest),
        None => (label("playlock_policy"), name),
    };
    let word = match rest.strip_prefix("refused")? {
        "" => label("playlock_reason")?,
        rest => rest.strip_prefix('.')?,
    };
    Some((policy, *Reason::ALL.iter().find(|reason| reason.word() == word)?))
}

/// A gauge's value as a revision.
fn revision(value: f64) -> Option<i64> {
    whole(value, LARGEST_REVISION)
}

/// A counter's increase, 0 if it is not a plausible number.
fn count(value: f64) -> i64 {
    whole(value, MOST).unwrap_or_default()
}

/// The value if it is a whole number from 0 to `most`.
fn whole(value: f64, most: f64) -> Option<i64> {
    // The text of a whole number has no fraction, and every i64 below 2^53 has the same text.
    (value >= 0.0 && value <= most && value.fract() == 0.0).then(|| format!("{value:.0}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use envoy_types::pb::io::prometheus::client::{Counter, Gauge, LabelPair};

    use super::*;
    use crate::control::Candidate;
    use crate::network::Network;
    use crate::xds::resource::Filter;

    fn resource() -> Resource {
        let candidate = Candidate {
            network: Network::Production,
            revision: 7,
            document: r#"{"policies": [{"policyName": "vod"}, {"policyName": "live tv"}]}"#.into(),
            variables: Vec::new(),
            hold_headers: false,
        };
        Resource::new(&candidate, &Filter::new("playlock", "/playlock.wasm").unwrap(), &"".into())
    }

    fn counter(name: &str, labels: &[(&str, &str)], value: f64) -> MetricFamily {
        let label =
            labels.iter().map(|(name, value)| LabelPair { name: Some((*name).into()), value: Some((*value).into()) });
        let counter = Counter { value: Some(value), ..Counter::default() };
        let metric = Metric { label: label.collect(), counter: Some(counter), ..Metric::default() };
        MetricFamily { name: Some(name.into()), metric: vec![metric], ..MetricFamily::default() }
    }

    fn gauge(name: &str, value: f64) -> MetricFamily {
        let metric = Metric { gauge: Some(Gauge { value: Some(value) }), ..Metric::default() };
        MetricFamily { name: Some(name.into()), metric: vec![metric], ..MetricFamily::default() }
    }

    fn counted(families: &[MetricFamily]) -> Vec<(String, String, i64)> {
        let mut tally = Tally::default();
        tally.add(families, Some(&resource()));
        tally.refusals().into_iter().map(|it| (it.policy, it.reason, it.count)).collect()
    }

    #[test]
    fn refusals_are_counted_by_labels_and_by_names() {
        let tags = |policy| [("playlock_policy", policy), ("playlock_reason", "signature")];
        let by = |policy: &str, reason: &str, count| (policy.to_owned(), reason.to_owned(), count);
        assert_eq!(
            counted(&[
                counter("wasmcustom.playlock.refused", &tags("vod"), 2.0),
                counter("wasmcustom.playlock.policy.vod.refused.signature", &[], 3.0),
                counter("wasmcustom.playlock.policy.live_tv.refused.expired", &[], 1.0),
                counter("wasmcustom.playlock.refused.unassigned", &[], 4.0),
                counter("wasmcustom.playlock.refused", &[("playlock_reason", "unassigned")], 1.0),
                counter("wasmcustom.playlock.requests.key.refused", &[], 9.0),
                counter("cluster.origin.refused", &tags("vod"), 9.0),
            ]),
            [by("", "unassigned", 5), by("live tv", "expired", 1), by("vod", "signature", 5)]
        );
    }

    #[test]
    fn an_envoy_cannot_add_names_or_absurd_numbers() {
        let families: Vec<_> = (0..1000)
            .flat_map(|number| {
                let policy = format!("wasmcustom.playlock.policy.p{number}.refused.signature");
                let reason = format!("wasmcustom.playlock.policy.vod.refused.r{number}");
                [counter(&policy, &[], 1.0), counter(&reason, &[], 1.0)]
            })
            .collect();
        assert_eq!(counted(&families), [(String::new(), "signature".to_owned(), 1000)]);
        for absurd in [-1.0, 0.0, 0.5, 2e9, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(counted(&[counter("wasmcustom.playlock.policy.vod.refused.signature", &[], absurd)]), []);
        }
    }

    #[test]
    fn the_gauge_is_a_revision_or_nothing() {
        let of = |families: &[MetricFamily]| {
            let mut tally = Tally::default();
            tally.add(families, None);
            tally.revision()
        };
        let name = "wasmcustom.playlock.revision";
        assert_eq!(of(&[gauge(name, 12.0)]), Some(12));
        assert_eq!(of(&[gauge(name, 0.0)]), Some(0));
        assert_eq!(of(&[gauge(name, 9_007_199_254_740_992.0)]), Some(9_007_199_254_740_992));
        assert_eq!(of(&[counter(name, &[], 12.0)]), None);
        assert_eq!(of(&[gauge("wasmcustom.other.revision", 12.0)]), None);
        for wrong in [-1.0, 1.5, f64::NAN, f64::INFINITY, 1e17] {
            assert_eq!(of(&[gauge(name, wrong)]), None);
        }
    }
}
