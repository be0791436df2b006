//! The ways to run a case.

use std::fmt;

use crate::driver::Driver;

/// One way to run a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// The filter.
    pub driver: Driver,
    /// Held headers.
    pub hold: bool,
    /// The size of the origin's chunks in bytes; 0: one chunk.
    pub chunk: usize,
    /// `end_of_stream` comes with a separate empty chunk.
    pub empty_end: bool,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let driver = self.driver;
        let hold = if self.hold { "hold" } else { "no-hold" };
        let end = if self.empty_end { "empty end" } else { "data+end" };
        match self.chunk {
            0 => write!(f, "{driver}, {hold}, whole, {end}"),
            size => write!(f, "{driver}, {hold}, chunks of {size}, {end}"),
        }
    }
}

/// Every way through these drivers, those that differ by the driver alone side by side.
pub fn ways(drivers: &[Driver]) -> impl Iterator<Item = Vec<Way>> {
    let holds = [false, true].into_iter();
    let cuts = [(0, false), (0, true), (1, false), (1, true), (7, false), (7, true), (16, false), (16, true)];
    holds.flat_map(move |hold| {
        cuts.into_iter().map(move |(chunk, empty_end)| {
            drivers.iter().map(|driver| Way { driver: *driver, hold, chunk, empty_end }).collect()
        })
    })
}
