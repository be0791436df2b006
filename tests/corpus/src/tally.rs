//! Counts over the whole corpus.

use std::collections::BTreeMap;

/// Counts of events, and the lengths of playlists.
#[derive(Debug, Default)]
pub struct Tally {
    counts: BTreeMap<String, usize>,
    grown: BTreeMap<&'static str, Vec<f64>>,
}

impl Tally {
    /// Counts an event.
    pub fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    /// Records the length of a playlist in bytes, before and after.
    pub fn grew(&mut self, what: &'static str, before: usize, after: usize) {
        let length = |bytes| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.grown.entry(what).or_default().push(length(after) / length(before.max(1)));
    }

    /// The lines of a report.
    pub fn lines(&self) -> Vec<String> {
        let counted = self.counts.iter().map(|(what, count)| format!("{count:>8} {what}"));
        let grown = self.grown.iter().map(|(what, ratios)| {
            let mut sorted = ratios.clone();
            sorted.sort_by(f64::total_cmp);
            let at = |percent: usize| sorted.get((sorted.len() - 1) * percent / 100).copied().unwrap_or_default();
            format!("{:>8} × as long in the median, {:.2} × in 90 of 100: {what}", format!("{:.2}", at(50)), at(90))
        });
        counted.chain(grown).collect()
    }
}
