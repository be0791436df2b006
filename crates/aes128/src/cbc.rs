//! CBC messages: one at a time, or several side by side.

use core::fmt;
use core::mem::take;

use zeroize::Zeroize;

use crate::BLOCK;
use crate::backend::{self, Schedule};

/// One CBC message being encrypted: an expanded key and the last ciphertext block.
pub struct CbcEncryptor {
    schedule: Schedule,
    chain: [u8; BLOCK],
}

impl CbcEncryptor {
    /// Expands `key` and starts a message with `iv` (16 bytes each).
    pub fn new(key: &[u8; BLOCK], iv: &[u8; BLOCK]) -> Self {
        Self { schedule: Schedule::new(key), chain: *iv }
    }

    /// Encrypts the message's next blocks in place.
    pub fn encrypt_blocks(&mut self, blocks: &mut [[u8; BLOCK]]) {
        side_by_side([(self, blocks)]);
    }
}

impl Drop for CbcEncryptor {
    fn drop(&mut self) {
        // The expanded key zeroizes itself.
        self.chain.zeroize();
    }
}

impl fmt::Debug for CbcEncryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CbcEncryptor([redacted])")
    }
}

/// The next blocks of one message among several.
#[derive(Debug)]
pub struct Lane<'a> {
    /// The message.
    pub message: &'a mut CbcEncryptor,
    /// Its next blocks.
    pub blocks: &'a mut [[u8; BLOCK]],
}

/// How many messages go through the kernel together at most. Without relaxed SIMD a lookup needs a register more, and on
/// processors with sixteen vector registers four messages are slower than two: 229 against 304 MB/s in Envoy on an AMD
/// EPYC. With AVX-512's thirty-two registers they are faster, 483 against 326: two is the better worst case.
pub(crate) const WIDTH: usize =
    if cfg!(all(target_arch = "wasm32", not(target_feature = "relaxed-simd"))) { 2 } else { 4 };

/// Encrypts every lane's blocks in place, as [`CbcEncryptor::encrypt_blocks`] would one lane after another, and
/// leaves every lane without blocks.
///
/// A CBC message is one long chain of dependent operations that leaves most of the machine idle, so the kernel
/// processes up to four messages together (two without relaxed SIMD). Lanes may be of any number and lengths: when one
/// ends, the next takes its place.
pub fn encrypt_lanes(lanes: &mut [Lane<'_>]) {
    loop {
        let mut live = lanes.iter_mut().filter(|lane| !lane.blocks.is_empty());
        match [live.next(), live.next(), live.next(), live.next()] {
            [Some(a), Some(b), Some(c), Some(d)] if WIDTH == 4 => advance([a, b, c, d]),
            [Some(a), Some(b), Some(c), None] if WIDTH == 4 => advance([a, b, c]),
            [Some(a), Some(b), ..] => advance([a, b]),
            [Some(a), None, ..] => advance([a]),
            [None, ..] => return,
        }
    }
}

/// Takes from each lane as many blocks as the shortest has, and encrypts them.
fn advance<const N: usize>(lanes: [&mut Lane<'_>; N]) {
    let length = lanes.iter().map(|lane| lane.blocks.len()).min().unwrap_or(0);
    side_by_side(lanes.map(|lane| {
        let blocks = take(&mut lane.blocks);
        let (now, later) = blocks.split_at_mut(length.min(blocks.len()));
        lane.blocks = later;
        (&mut *lane.message, now)
    }));
}

/// Encrypts equally many blocks of each message.
fn side_by_side<const N: usize>(mut messages: [(&mut CbcEncryptor, &mut [[u8; BLOCK]]); N]) {
    backend::encrypt(messages.each_mut().map(|(message, blocks)| Run {
        schedule: &message.schedule,
        chain: &message.chain,
        blocks,
    }));
    for (message, blocks) in messages {
        if let Some(last) = blocks.last() {
            message.chain = *last;
        }
    }
}

/// The input of a back-end: blocks of a message to encrypt in place after `chain`. All runs of one call have the
/// same length.
pub(crate) struct Run<'a, Schedule> {
    pub(crate) schedule: &'a Schedule,
    pub(crate) chain: &'a [u8; BLOCK],
    pub(crate) blocks: &'a mut [[u8; BLOCK]],
}
