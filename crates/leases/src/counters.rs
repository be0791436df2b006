//! Counters of a service, in Prometheus's text format.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::answer::Answer;
use crate::session::Counts;

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The store decided.
    Answered(Answer),
    /// The question could not be read.
    Malformed,
    /// The store did not answer in time.
    Unavailable,
}

/// The outcomes since the start.
#[derive(Debug, Default)]
pub struct Counters {
    counts: [AtomicU64; 6],
    /// The second in which trouble of each kind was last reported.
    reported: [AtomicU64; 2],
}

impl Outcome {
    const ALL: [Self; 6] = [
        Self::Answered(Answer::Granted),
        Self::Answered(Answer::Limit),
        Self::Answered(Answer::Ended),
        Self::Answered(Answer::Ahead),
        Self::Malformed,
        Self::Unavailable,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Answered(answer) => answer.word(),
            Self::Malformed => "malformed",
            Self::Unavailable => "unavailable",
        }
    }
}

impl Counters {
    /// Counts an outcome. Returns whether it is trouble of a kind that was not reported in this second.
    pub fn count(&self, outcome: Outcome) -> bool {
        let at = Outcome::ALL.iter().position(|known| *known == outcome);
        if let Some(count) = at.and_then(|at| self.counts.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let last = match outcome {
            Outcome::Answered(_) => return false,
            Outcome::Malformed => self.reported.first(),
            Outcome::Unavailable => self.reported.last(),
        };
        let second = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        last.is_some_and(|last| last.swap(second, Ordering::Relaxed) != second)
    }

    /// The metrics: these counters, and the numbers of leases, if the store has answered.
    pub fn text(&self, counts: Option<&Counts>) -> String {
        let mut text = String::from("# TYPE playlock_leases_questions_total counter\n");
        for (outcome, count) in Outcome::ALL.iter().zip(&self.counts) {
            let count = count.load(Ordering::Relaxed);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "playlock_leases_questions_total{{answer=\"{}\"}} {count}", outcome.word());
        }
        if let Some(counts) = counts {
            text.push_str("# TYPE playlock_leases_live gauge\n");
            for of in &counts.policies {
                let (realm, policy) = (of.realm.word(), label(&of.policy));
                let _ = writeln!(text, "playlock_leases_live{{realm=\"{realm}\",policy=\"{policy}\"}} {}", of.sessions);
            }
            let _ = writeln!(text, "# TYPE playlock_leases_viewers gauge\nplaylock_leases_viewers {}", counts.viewers);
        }
        text
    }
}

/// A label's value, escaped.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question::Realm;
    use crate::session::OfPolicy;

    #[test]
    fn outcomes_and_leases_are_metrics() {
        let counters = Counters::default();
        assert!(!counters.count(Outcome::Answered(Answer::Ended)));
        counters.count(Outcome::Malformed);
        let policies = vec![OfPolicy { realm: Realm::Staging, policy: "a\"b\\".into(), sessions: 3 }];
        let text = counters.text(Some(&Counts { viewers: 2, sessions: 3, policies }));
        for line in [
            "playlock_leases_questions_total{answer=\"ended\"} 1",
            "playlock_leases_questions_total{answer=\"malformed\"} 1",
            "playlock_leases_questions_total{answer=\"granted\"} 0",
            "playlock_leases_live{realm=\"staging\",policy=\"a\\\"b\\\\\"} 3",
            "playlock_leases_viewers 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }
}
