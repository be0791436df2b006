//! What is assigned to one path, over time: windows compiled into spans that do not overlap, so that a look-up is one
//! binary search, however many windows there are.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// An assignment's time.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Seconds since the epoch; 0: always.
    pub start: u64,
    /// The first second after it.
    pub end: u64,
    /// The policy's number.
    pub policy: usize,
    /// The assignment's own.
    pub assignment: usize,
}

/// Which window holds when.
#[derive(Debug, Default)]
pub struct Timeline(Vec<Span>);

/// From a second to the next span's.
#[derive(Debug)]
struct Span {
    start: u64,
    /// Policy and assignment.
    holds: Option<(usize, usize)>,
}

impl Timeline {
    /// Compiles windows: of those that are open, the one that began last holds.
    ///
    /// # Errors
    /// The assignment of a window that begins when another does.
    pub fn build(mut windows: Vec<Window>) -> Result<Self, usize> {
        windows.sort_unstable_by_key(|window| (window.start, window.assignment));
        if let Some([_, second]) = windows.array_windows().find(|[first, second]| first.start == second.start) {
            return Err(second.assignment);
        }
        let mut times: Vec<u64> = windows.iter().flat_map(|window| [window.start, window.end]).collect();
        times.sort_unstable();
        times.dedup();
        let mut spans: Vec<Span> = Vec::with_capacity(times.len());
        let mut coming = windows.into_iter().peekable();
        // Those that have begun, the last on top; those that have ended go once they come up.
        let mut begun: Vec<Window> = Vec::new();
        for time in times {
            while let Some(window) = coming.next_if(|window| window.start <= time) {
                begun.push(window);
            }
            while begun.pop_if(|window| window.end <= time).is_some() {}
            let holds = begun.last().map(|window| (window.policy, window.assignment));
            if spans.last().is_none_or(|span| span.holds != holds) {
                spans.push(Span { start: time, holds });
            }
        }
        spans.shrink_to_fit();
        Ok(Self(spans))
    }

    /// The policy that holds at `now`.
    pub fn at(&self, now: u64) -> Option<usize> {
        let begun = self.0.partition_point(|span| span.start <= now);
        let (policy, _) = self.0.get(begun.checked_sub(1)?)?.holds?;
        Some(policy)
    }

    /// Adds the assignments that hold at `now` or at some time after it.
    pub fn add_holding(&self, now: u64, to: &mut BTreeSet<usize>) {
        let begun = self.0.partition_point(|span| span.start <= now);
        let spans = self.0.iter().skip(begun.saturating_sub(1));
        to.extend(spans.filter_map(|span| span.holds).map(|(_, assignment)| assignment));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window((index, (start, end)): (usize, &(u64, u64))) -> Window {
        Window { start: *start, end: *end, policy: index, assignment: index }
    }

    /// Against the definition, at every second, for every pair and triple of windows in a short time.
    #[test]
    fn of_the_open_windows_the_last_to_begin_holds() {
        let all: Vec<_> = (0..6).flat_map(|start| (start + 1..=6).map(move |end| (start, end))).collect();
        let mut compared = 0;
        for first in &all {
            for second in all.iter().filter(|it| it.0 != first.0) {
                for third in all.iter().filter(|it| it.0 != first.0 && it.0 != second.0) {
                    let windows = [*first, *second, *third];
                    let timeline = Timeline::build(windows.iter().enumerate().map(window).collect()).unwrap();
                    for now in 0..8 {
                        let open = windows.iter().enumerate().filter(|(_, (start, end))| (*start..*end).contains(&now));
                        let expected = open.max_by_key(|(_, (start, _))| *start).map(|(index, _)| index);
                        assert_eq!(timeline.at(now), expected, "{windows:?} at {now}");
                        compared += 1;
                    }
                    let mut holding = BTreeSet::new();
                    timeline.add_holding(2, &mut holding);
                    let expected = (2..8).filter_map(|now| timeline.at(now)).collect();
                    assert_eq!(holding, expected, "{windows:?}");
                }
            }
        }
        assert!(compared > 10_000, "{compared}");
    }

    #[test]
    fn two_windows_that_begin_together_are_one_too_many() {
        let windows = [(5, 9), (0, 4), (5, 6)];
        assert_eq!(Timeline::build(windows.iter().enumerate().map(window).collect()).err(), Some(2));
    }

    /// Nested, so that all of them are open at once; and one that is open throughout.
    #[test]
    fn a_hundred_thousand_windows_compile() {
        let count = 100_000;
        let windows: Vec<_> = (0..count).map(|index| (index, 3 * count - index)).collect();
        let timeline = Timeline::build(windows.iter().enumerate().map(window).collect()).unwrap();
        assert_eq!(timeline.at(2 * count), Some(99_999));
        assert_eq!(timeline.at(2 * count + 1), Some(99_998));
        assert_eq!(timeline.at(3 * count - 1), Some(0));
        assert_eq!(timeline.at(3 * count), None);
    }
}
