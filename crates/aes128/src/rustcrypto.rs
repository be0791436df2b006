//! The back-end wherever there is no wasm kernel: RustCrypto's `aes`, which uses the machine's AES instructions.

use aes::cipher::{BlockCipherEncrypt, KeyInit};

use crate::BLOCK;
use crate::cbc::Run;
use crate::message::Message;

/// An expanded key. It zeroizes itself (the `zeroize` feature of `aes`).
pub(crate) struct Schedule(aes::Aes128);

impl Schedule {
    pub(crate) fn new(key: &[u8; BLOCK]) -> Self {
        Self(aes::Aes128::new(&(*key).into()))
    }
}

/// Encrypts each block by itself.
pub(crate) fn encrypt_apart<const N: usize>(schedule: &Schedule, blocks: &mut [[u8; BLOCK]]) {
    for block in blocks.as_chunks_mut::<N>().0.as_flattened_mut() {
        schedule.0.encrypt_block(block.into());
    }
}

/// Encrypts the lanes' messages and all that follow, one after another.
pub(crate) fn encrypt_queue<'a, const N: usize>(
    schedule: &Schedule,
    lanes: &mut [Message<'a>; N],
    next: &mut dyn FnMut() -> Option<Message<'a>>,
) {
    for lane in lanes {
        encrypt([Run { schedule, chain: &lane.chain, blocks: core::mem::take(&mut lane.blocks) }]);
    }
    while let Some(message) = next() {
        encrypt([Run { schedule, chain: &message.chain, blocks: message.blocks }]);
    }
}

/// Encrypts the runs, one after another.
pub(crate) fn encrypt<const N: usize>(runs: [Run<'_, Schedule>; N]) {
    for run in runs {
        let mut chain = run.chain;
        for block in run.blocks {
            // As one number: byte by byte, the cipher's load would wait until sixteen stores are done.
            *block = (u128::from_ne_bytes(*block) ^ u128::from_ne_bytes(*chain)).to_ne_bytes();
            run.schedule.0.encrypt_block(block.into());
            chain = block;
        }
    }
}
