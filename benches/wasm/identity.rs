//! A cipher back-end that does not encrypt, to measure the filter's cost without the cipher. tools/bench.sh replaces
//! crates/aes128/src/vpaes with it in a copy of the sources. No other build uses it.

use crate::BLOCK;
use crate::cbc::Run;

/// No key at all.
pub(crate) struct Schedule;

impl Schedule {
    pub(crate) fn new(_key: &[u8; BLOCK]) -> Self {
        Self
    }
}

/// Leaves every block as it is. Called as the kernel is.
#[inline(never)]
pub(crate) fn encrypt<const N: usize>(runs: [Run<'_, Schedule>; N]) {
    core::hint::black_box(runs.each_ref().map(|run| (run.schedule, run.chain, run.blocks.len())));
}
