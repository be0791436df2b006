//! AES-128-CBC encryption for the hot loop: the key schedule once, then whole blocks in place with the
//! chaining value kept between calls.
//!
//! Source: FIPS 197 (the cipher), NIST SP 800-38A section 6.2 (CBC). Padding is the caller's.
#![no_std]
#![forbid(unsafe_code)]

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::Zeroize;

/// Bytes in a block, a key and an IV.
pub const BLOCK: usize = 16;

/// One CBC message being encrypted: an expanded key and the last ciphertext block.
pub struct CbcEncryptor {
    cipher: aes::Aes128,
    chain: [u8; BLOCK],
}

impl CbcEncryptor {
    /// Expands `key` and starts a message with `iv` (16 bytes each).
    pub fn new(key: &[u8; BLOCK], iv: &[u8; BLOCK]) -> Self {
        Self { cipher: aes::Aes128::new(&(*key).into()), chain: *iv }
    }

    /// Encrypts the message's next blocks in place.
    pub fn encrypt_blocks(&mut self, blocks: &mut [[u8; BLOCK]]) {
        for block in blocks {
            for (byte, chained) in block.iter_mut().zip(self.chain) {
                *byte ^= chained;
            }
            self.cipher.encrypt_block(block.into());
            self.chain = *block;
        }
    }
}

impl Drop for CbcEncryptor {
    fn drop(&mut self) {
        // The expanded key zeroizes itself (the `zeroize` feature of `aes`).
        self.chain.zeroize();
    }
}

impl core::fmt::Debug for CbcEncryptor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CbcEncryptor([redacted])")
    }
}
