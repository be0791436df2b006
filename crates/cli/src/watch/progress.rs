//! The line on a terminal that shows how far the player has come.

use std::io::{self, Write};

use super::player::{Player, Track};

impl Player {
    /// Writes the progress over the previous line: of `of` segments, all of them known if the stream has `ended`.
    pub(super) fn progress(&self, track: &Track, of: usize, ended: bool) {
        if !self.shows_progress {
            return;
        }
        let bytes: u64 = self.report.responses.iter().map(|(_, bytes, _)| bytes).sum();
        let bar = if ended {
            let of = of.max(1);
            let full = (track.played * 30 / of).min(30);
            format!("[{}{}] {}/{of}", "=".repeat(full), " ".repeat(30 - full), track.played)
        } else {
            format!("live, segment {}", track.next.map_or(track.played as u64, |next| next.saturating_sub(1)))
        };
        let line = format!("\r\x1b[K{bar}  {:.1} MB  {} problems", bytes as f64 / 1e6, self.report.problems.len());
        // Without standard error, there is no progress to show.
        let _ = io::stderr().write_all(line.as_bytes());
    }

    /// Removes the line with the progress.
    pub fn clear_progress(&self) {
        if self.shows_progress {
            let _ = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}
