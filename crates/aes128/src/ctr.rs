//! Counter mode, as ISO/IEC 23001-7 uses it.

use core::fmt;

use zeroize::Zeroize;

use crate::{BLOCK, Key};

/// Blocks of keystream that are made at once.
const AHEAD: usize = 16;

/// A message in counter mode: the next counter block, and keystream that is left of the last one.
///
/// Of the counter block only the last 8 bytes count, modulo 2⁶⁴ (ISO/IEC 23001-7 section 9.5). Messages below 2⁶⁴ blocks
/// after their first counter are the same as in NIST SP 800-38A section 6.5.
pub struct Counter {
    nonce: [u8; 8],
    next: u64,
    keystream: [u8; BLOCK],
    /// Bytes of `keystream` that are used up.
    used: usize,
}

impl Counter {
    /// Starts a message at this counter block. No counter block may be used twice with a key.
    pub fn new(first: &[u8; BLOCK]) -> Self {
        let first = u128::from_be_bytes(*first).to_be_bytes();
        let (nonce, next) = first.split_at(BLOCK / 2);
        let half = |bytes: &[u8]| bytes.try_into().unwrap_or_default();
        Self { nonce: half(nonce), next: u64::from_be_bytes(half(next)), keystream: [0; BLOCK], used: BLOCK }
    }

    /// Encrypts the message's next bytes in place.
    pub fn encrypt(&mut self, key: &Key, bytes: &mut [u8]) {
        let left = self.keystream.get(self.used..).unwrap_or_default();
        let (begun, rest) = bytes.split_at_mut(left.len().min(bytes.len()));
        xor(begun, left);
        self.used = self.used.saturating_add(begun.len());
        for bytes in rest.chunks_mut(AHEAD * BLOCK) {
            let mut blocks = [[0; BLOCK]; AHEAD];
            let blocks = blocks.split_at_mut(bytes.len().div_ceil(BLOCK).min(AHEAD)).0;
            for block in blocks.iter_mut() {
                let (nonce, counter) = block.split_at_mut(BLOCK / 2);
                nonce.copy_from_slice(&self.nonce);
                counter.copy_from_slice(&self.next.to_be_bytes());
                self.next = self.next.wrapping_add(1);
            }
            key.encrypt_blocks(blocks);
            xor(bytes, blocks.as_flattened());
            let last = bytes.len() % BLOCK;
            if let (1.., Some(block)) = (last, blocks.last()) {
                (self.keystream, self.used) = (*block, last);
            }
            blocks.as_flattened_mut().zeroize();
        }
    }
}

fn xor(bytes: &mut [u8], keystream: &[u8]) {
    let (blocks, rest) = bytes.as_chunks_mut::<BLOCK>();
    let (keys, last) = keystream.as_chunks::<BLOCK>();
    for (block, key) in blocks.iter_mut().zip(keys) {
        *block = (u128::from_ne_bytes(*block) ^ u128::from_ne_bytes(*key)).to_ne_bytes();
    }
    // Behind the blocks, the keystream may have more than the rest.
    let last = keys.get(blocks.len()..).and_then(<[_]>::first).map_or(last, <[u8; BLOCK]>::as_slice);
    for (byte, key) in rest.iter_mut().zip(last) {
        *byte ^= key;
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.keystream.zeroize();
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counter([redacted])")
    }
}
