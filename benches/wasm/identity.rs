//! A cipher back-end that does not encrypt, to measure the filter's cost without the cipher. tools/bench.sh replaces
//! crates/aes128/src/vpaes with it in a copy of the sources. No other build uses it.

use crate::BLOCK;
use crate::cbc::Run;
use crate::message::Message;

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

/// Takes all messages, and leaves their blocks as they are. Called as the kernel is.
#[inline(never)]
pub(crate) fn encrypt_queue<'a, const N: usize>(
    schedule: &Schedule,
    lanes: &mut [Message<'a>; N],
    next: &mut dyn FnMut() -> Option<Message<'a>>,
) {
    core::hint::black_box(schedule);
    while let Some(message) = next() {
        core::hint::black_box((message.chain, message.blocks.len()));
    }
    for lane in lanes {
        lane.blocks = &mut [];
    }
}

/// Leaves every block as it is. Called as the kernel is.
#[inline(never)]
pub(crate) fn encrypt_apart<const N: usize>(schedule: &Schedule, blocks: &mut [[u8; BLOCK]]) {
    core::hint::black_box((schedule, blocks.len()));
}
