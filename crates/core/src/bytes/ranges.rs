//! Sets of numbers (addresses, points in time) as sorted ranges: a look-up is one binary search.

use alloc::vec::Vec;

/// A set of numbers, as sorted ranges that do not overlap.
#[derive(Debug)]
pub struct Ranges<T>(Vec<(T, T)>);

impl<T> Default for Ranges<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Ord + Copy> Ranges<T> {
    /// The union of `ranges`, each given by its first and last number.
    pub fn build(mut ranges: Vec<(T, T)>) -> Self {
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let overlap = next.0 <= kept.1;
            if overlap {
                kept.1 = kept.1.max(next.1);
            }
            overlap
        });
        ranges.shrink_to_fit();
        Self(ranges)
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `number` is in the set.
    pub fn contains(&self, number: T) -> bool {
        let behind = self.0.partition_point(|(first, _)| *first <= number);
        behind.checked_sub(1).and_then(|index| self.0.get(index)).is_some_and(|(_, last)| number <= *last)
    }

    /// The number of ranges.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
