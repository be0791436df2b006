//! The back-end wherever there is no wasm kernel: RustCrypto's `aes`, which uses the machine's AES instructions.

use aes::cipher::{BlockCipherEncrypt, KeyInit};

use crate::BLOCK;
use crate::cbc::Run;

/// An expanded key. It zeroizes itself (the `zeroize` feature of `aes`).
pub(crate) struct Schedule(aes::Aes128);

impl Schedule {
    pub(crate) fn new(key: &[u8; BLOCK]) -> Self {
        Self(aes::Aes128::new(&(*key).into()))
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
