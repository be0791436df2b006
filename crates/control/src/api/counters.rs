//! Counters of requests, for `GET /metrics`.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Answers by the first digit of their status.
#[derive(Debug, Default)]
pub struct Counters {
    answers: [AtomicU64; 6],
}

impl Counters {
    /// Counts an answer.
    pub fn count(&self, status: u16) {
        if let Some(counter) = self.answers.get(usize::from(status / 100)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counters in Prometheus' text format.
    pub fn text(&self) -> String {
        let mut text = String::from("# TYPE playlock_control_requests_total counter\n");
        for (class, counter) in self.answers.iter().enumerate().skip(2) {
            let count = counter.load(Ordering::Relaxed);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "playlock_control_requests_total{{status=\"{class}xx\"}} {count}");
        }
        text
    }
}
