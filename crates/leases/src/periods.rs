//! The key periods that a session has keys of.

use std::ops::RangeInclusive;

/// Key periods, as sorted ranges that neither touch nor overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Periods(Vec<RangeInclusive<u64>>);

impl Periods {
    /// How many ranges are kept: a viewer who seeks leaves a range at each place.
    pub const KEPT: usize = 16;

    /// Whether the period is among them.
    pub fn contains(&self, period: u64) -> bool {
        self.0.iter().any(|range| range.contains(&period))
    }

    /// Adds a period. With more than [`Self::KEPT`] ranges the lowest is forgotten.
    pub fn insert(&mut self, period: u64) {
        if self.contains(period) {
            return;
        }
        let begins = |range: &RangeInclusive<u64>| period.checked_add(1) == Some(*range.start());
        let ends = |range: &RangeInclusive<u64>| range.end().checked_add(1) == Some(period);
        let before = self.0.iter().find(|range| ends(range)).map(|range| *range.start());
        let after = self.0.iter().find(|range| begins(range)).map(|range| *range.end());
        self.0.retain(|range| !begins(range) && !ends(range));
        let merged = before.unwrap_or(period)..=after.unwrap_or(period);
        let at = self.0.partition_point(|range| range.start() < merged.start());
        self.0.insert(at, merged);
        if self.0.len() > Self::KEPT {
            self.0.remove(0);
        }
    }

    /// The ranges, in ascending order.
    #[cfg(test)]
    fn ranges(&self) -> &[RangeInclusive<u64>] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playing_makes_one_range_and_seeking_more() {
        let mut periods = Periods::default();
        for period in [5, 7, 6, 8, 5, 100, u64::MAX, u64::MAX - 1, 0] {
            periods.insert(period);
            assert!(periods.contains(period));
        }
        assert_eq!(periods.ranges(), [0..=0, 5..=8, 100..=100, u64::MAX - 1..=u64::MAX]);
    }

    #[test]
    fn the_lowest_of_too_many_ranges_is_forgotten() {
        let mut periods = Periods::default();
        for place in 0..=16 {
            periods.insert(place * 10);
        }
        assert_eq!(periods.ranges().len(), Periods::KEPT);
        assert!(!periods.contains(0) && periods.contains(10));
    }
}
