//! Assignments to one path over time, compiled into spans that do not overlap. A lookup is one binary search.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::index::PolicyIndex;

/// Period of an assignment.
#[derive(Debug, Clone, Copy)]
pub struct Term {
    /// First second, since the epoch; 0 if the assignment has no start.
    pub start: u64,
    /// First second after the period.
    pub end: u64,
    /// Index of the policy.
    pub policy: PolicyIndex,
    /// Position of the assignment in the document.
    pub assignment: usize,
}

/// Assignments to one path. [`Timeline::compile`] must run before any lookup.
#[derive(Debug, Default)]
pub struct Timeline {
    added: Vec<Term>,
    /// All assignments added.
    assignments: Vec<usize>,
    spans: Vec<Span>,
}

/// Lasts until the next span starts.
#[derive(Debug)]
struct Span {
    start: u64,
    /// The policy and the position of its assignment.
    holds: Option<(PolicyIndex, usize)>,
}

impl Timeline {
    /// Adds a period; takes effect with [`Timeline::compile`].
    pub fn add(&mut self, window: Term) {
        self.assignments.push(window.assignment);
        self.added.push(window);
    }

    /// Compiles the periods. Where they overlap, the one with the latest start applies.
    ///
    /// # Errors
    /// The assignment of a period with the same start as another.
    pub fn compile(&mut self) -> Result<(), usize> {
        let windows = core::mem::take(&mut self.added);
        let mut by_start: Vec<(u64, usize)> = windows.iter().map(|window| window.start).zip(0..).collect();
        by_start.sort_unstable();
        if let Some([_, (_, twice)]) = by_start.array_windows().find(|[first, second]| first.0 == second.0) {
            return Err(windows.get(*twice).map_or(0, |window| window.assignment));
        }
        let mut times: Vec<(u64, usize)> =
            windows.iter().flat_map(|window| [window.start, window.end]).map(|time| (time, 0)).collect();
        times.sort_unstable();
        times.dedup();
        let mut coming = by_start.iter().filter_map(|(_, index)| windows.get(*index)).peekable();
        // Periods that have started, the latest on top. Those that have ended are removed once they reach the top.
        let mut begun: Vec<&Term> = Vec::new();
        for (time, _) in times {
            while let Some(window) = coming.next_if(|window| window.start <= time) {
                begun.push(window);
            }
            while begun.pop_if(|window| window.end <= time).is_some() {}
            let holds = begun.last().map(|window| (window.policy, window.assignment));
            if self.spans.last().is_none_or(|span| span.holds != holds) {
                self.spans.push(Span { start: time, holds });
            }
        }
        self.spans.shrink_to_fit();
        Ok(())
    }

    /// Policy at `now`.
    pub fn at(&self, now: u64) -> Option<PolicyIndex> {
        self.holding(now).map(|(policy, _)| policy)
    }

    /// Policy and assignment at `now`.
    pub fn holding(&self, now: u64) -> Option<(PolicyIndex, usize)> {
        let begun = self.spans.partition_point(|span| span.start <= now);
        self.spans.get(begun.checked_sub(1)?)?.holds
    }

    /// All assignments to this path, whether or not they ever apply.
    pub fn assignments(&self) -> impl Iterator<Item = usize> {
        self.assignments.iter().copied()
    }

    /// Policies that apply at some time; may repeat.
    pub fn policies(&self) -> impl Iterator<Item = PolicyIndex> {
        self.spans.iter().filter_map(|span| span.holds).map(|(policy, _)| policy)
    }

    /// Adds the assignments that apply at `now` or later.
    pub fn add_holding(&self, now: u64, to: &mut BTreeSet<usize>) {
        let begun = self.spans.partition_point(|span| span.start <= now);
        let spans = self.spans.iter().skip(begun.saturating_sub(1));
        to.extend(spans.filter_map(|span| span.holds).map(|(_, assignment)| assignment));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window((index, (start, end)): (usize, &(u64, u64))) -> Term {
        Term { start: *start, end: *end, policy: PolicyIndex::new(index), assignment: index }
    }

    fn compiled(windows: &[(u64, u64)]) -> Result<Timeline, usize> {
        let mut timeline = Timeline::default();
        windows.iter().enumerate().map(window).for_each(|window| timeline.add(window));
        timeline.compile().map(|()| timeline)
    }

    /// Compares with the definition, at every second, for every pair and triple of periods within a short time.
    #[test]
    fn of_the_open_windows_the_last_to_begin_holds() {
        let all: Vec<_> = (0..6).flat_map(|start| (start + 1..=6).map(move |end| (start, end))).collect();
        let mut compared = 0;
        for first in &all {
            for second in all.iter().filter(|it| it.0 != first.0) {
                for third in all.iter().filter(|it| it.0 != first.0 && it.0 != second.0) {
                    let windows = [*first, *second, *third];
                    let timeline = compiled(&windows).unwrap();
                    for now in 0..8 {
                        let open = windows.iter().enumerate().filter(|(_, (start, end))| (*start..*end).contains(&now));
                        let expected = open.max_by_key(|(_, (start, _))| *start).map(|(index, _)| index);
                        assert_eq!(timeline.at(now), expected.map(PolicyIndex::new), "{windows:?} at {now}");
                        compared += 1;
                    }
                    let mut holding = BTreeSet::new();
                    timeline.add_holding(2, &mut holding);
                    let expected = (2..8).filter_map(|now| timeline.at(now)).map(PolicyIndex::get).collect();
                    assert_eq!(holding, expected, "{windows:?}");
                }
            }
        }
        assert!(compared > 10_000, "{compared}");
    }

    #[test]
    fn two_windows_that_begin_together_are_one_too_many() {
        let windows = [(5, 9), (0, 4), (5, 6)];
        assert_eq!(compiled(&windows).err(), Some(2));
    }

    /// Nested periods, all open at once, and one that covers them all.
    #[test]
    fn a_hundred_thousand_windows_compile() {
        let count = 100_000;
        let windows: Vec<_> = (0..count).map(|index| (index, 3 * count - index)).collect();
        let timeline = compiled(&windows).unwrap();
        assert_eq!(timeline.at(2 * count), Some(PolicyIndex::new(99_999)));
        assert_eq!(timeline.at(2 * count + 1), Some(PolicyIndex::new(99_998)));
        assert_eq!(timeline.at(3 * count - 1), Some(PolicyIndex::new(0)));
        assert_eq!(timeline.at(3 * count), None);
    }
}
