//! Sets of numbers (addresses, points in time) as sorted ranges: a look-up is one binary search.

use alloc::vec::Vec;

/// A set of numbers.
#[derive(Debug)]
pub struct Ranges<T>(Vec<(T, T)>);

impl<T> Default for Ranges<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Ord + Copy> Ranges<T> {
    /// The set of what lies in any of `ranges`, given by the first and the last number of each.
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

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `number` is in it.
    pub fn contains(&self, number: T) -> bool {
        let behind = self.0.partition_point(|(first, _)| *first <= number);
        behind.checked_sub(1).and_then(|index| self.0.get(index)).is_some_and(|(_, last)| number <= *last)
    }

    /// How many ranges it is made of.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
