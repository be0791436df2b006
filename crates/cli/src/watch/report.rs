//! The report of `playlock watch`: counts, latencies and problems, as text and as JSON.

use std::fmt;
use std::time::Duration;

use playlock_core::http::reply::Reason;
use serde_json::{Value, json};

use crate::terminal::{Colours, shown};

/// Maximum number of problems listed in the text.
const MAX_LISTED: usize = 10;

/// The kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A playlist.
    Playlist,
    /// A key.
    Key,
    /// An init section.
    Init,
    /// A segment.
    Segment,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Playlist, Self::Key, Self::Init, Self::Segment];

    fn word(self) -> &'static str {
        match self {
            Self::Playlist => "playlist",
            Self::Key => "key",
            Self::Init => "init",
            Self::Segment => "segment",
        }
    }
}

/// A problem with one resource.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The kind of the resource.
    pub kind: Kind,
    /// The path, without the query.
    pub path: String,
    /// The reason, if the filter refused the request.
    pub reason: Option<Reason>,
    /// The message.
    pub text: String,
    /// There was no response.
    pub unreachable: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.reason.map(|reason| format!("{}: ", reason.word())).unwrap_or_default();
        write!(f, "{word}{} {}: {}", self.kind.word(), shown(&self.path), shown(&self.text))
    }
}

/// The report.
#[derive(Debug, Default)]
pub struct Report {
    /// Kind, bytes and duration of each successful response.
    pub responses: Vec<(Kind, u64, Duration)>,
    /// The problems, in order.
    pub problems: Vec<Problem>,
    /// The number of segments played.
    pub segments: usize,
    /// The number of those that were encrypted.
    pub encrypted: usize,
    /// The duration of the segments in seconds.
    pub seconds: f64,
    /// The number of media playlists played.
    pub tracks: usize,
    /// Whether all of them were played to the end.
    pub ended: bool,
    /// The time that it took.
    pub took: Duration,
}

/// The totals of one kind.
struct Row {
    kind: Kind,
    requests: usize,
    bytes: u64,
    errors: usize,
    /// The 50th, 90th and 99th percentile in milliseconds.
    latency: [f64; 3],
}

impl Report {
    fn rows(&self) -> Vec<Row> {
        let row = |kind: Kind| {
            let of_kind = || self.responses.iter().filter(move |(found, ..)| *found == kind);
            let mut took: Vec<Duration> = of_kind().map(|(_, _, took)| *took).collect();
            took.sort_unstable();
            let errors = self.problems.iter().filter(|problem| problem.kind == kind).count();
            Row {
                kind,
                requests: took.len(),
                bytes: of_kind().map(|(_, bytes, _)| bytes).sum(),
                errors,
                latency: [50, 90, 99].map(|percent| percentile(&took, percent)),
            }
        };
        Kind::ALL.into_iter().map(row).filter(|row| row.requests + row.errors > 0).collect()
    }

    fn is_good(&self) -> bool {
        self.problems.is_empty() && self.segments > 0
    }

    /// The report as JSON, for monitoring.
    pub fn as_json(&self) -> Value {
        let kinds = self.rows().into_iter().map(|row| {
            let [p50, p90, p99] = row.latency;
            let value = json!({"answers": row.requests, "bytes": row.bytes, "errors": row.errors,
                "latencyMs": {"p50": p50, "p90": p90, "p99": p99}});
            (row.kind.word().to_owned(), value)
        });
        let problems: Vec<Value> = self
            .problems
            .iter()
            .map(|it| {
                let reason = it.reason.map(|reason| reason.word());
                json!({"kind": it.kind.word(), "path": it.path, "reason": reason, "text": it.text})
            })
            .collect();
        json!({
            "verdict": if self.is_good() { "good" } else { "bad" },
            "segments": self.segments,
            "encrypted": self.encrypted,
            "seconds": rounded(self.seconds),
            "tracks": self.tracks,
            "ended": self.ended,
            "tookSeconds": rounded(self.took.as_secs_f64()),
            "requests": serde_json::Map::from_iter(kinds),
            "problems": problems,
        })
    }

    /// The report as text, for people.
    pub fn as_text(&self, colours: Colours) -> String {
        let header = format!(
            "{:<10}{:>9}{:>13}{:>8}{:>10}{:>10}{:>10}",
            "", "answers", "bytes", "errors", "p50 ms", "p90 ms", "p99 ms"
        );
        let mut text = format!("{}\n", colours.dim(&header));
        for row in self.rows() {
            let [p50, p90, p99] = row.latency;
            let errors = format!("{:>8}", row.errors);
            let errors = if row.errors > 0 { colours.bad(&errors) } else { errors };
            text.push_str(&format!(
                "{:<10}{:>9}{:>13}{errors}{p50:>10.1}{p90:>10.1}{p99:>10.1}\n",
                row.kind.word(),
                row.requests,
                row.bytes
            ));
        }
        text.push('\n');
        for problem in self.problems.iter().take(MAX_LISTED) {
            text.push_str(&format!("{}\n", colours.bad(&problem.to_string())));
        }
        if let Some(more) = self.problems.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
            text.push_str(&format!("and {more} more\n"));
        }
        let end = if self.ended { ", to the end" } else { "" };
        let summary = format!(
            "{} segments ({} encrypted), {:.1} s of {} playlists{end}, in {:.1} s",
            self.segments,
            self.encrypted,
            self.seconds,
            self.tracks,
            self.took.as_secs_f64()
        );
        text.push_str(&if self.is_good() {
            colours.good(&format!("good: {summary}"))
        } else {
            colours.bad(&format!("bad: {summary}"))
        });
        text.push('\n');
        text
    }
}

/// A percentile by nearest rank, in milliseconds; 0 without values.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).map_or(0.0, |took| rounded(took.as_secs_f64() * 1000.0))
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let took: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!([50, 90, 99].map(|percent| percentile(&took, percent)), [100.0, 180.0, 198.0]);
        assert_eq!(percentile(&took[..1], 99), 1.0);
        assert_eq!(percentile(&[], 50), 0.0);
    }

    #[test]
    fn nothing_played_is_not_good() {
        let report = Report::default();
        assert_eq!(report.as_json()["verdict"], "bad");
        assert!(report.as_text(Colours::NONE).contains("bad: 0 segments"));
    }
}
