//! Encryption of a segment: AES-128-CBC with PKCS#7 padding (RFC 8216 section 4.3.2.4), chunk by chunk.

use alloc::vec::Vec;

use playlock_aes128::{BLOCK, CbcEncryptor, Lane};
use zeroize::Zeroize;

use crate::bytes::bug;
use crate::bytes::output::Output;
use crate::token::derive::ContentKey;

/// The length of the ciphertext of `plaintext` bytes, always with padding. `None` beyond `u64`.
pub fn ciphertext_len(plaintext: u64) -> Option<u64> {
    (plaintext / 16).checked_add(1)?.checked_mul(16)
}

/// The encryption of one segment. Holds back fewer than 16 bytes, regardless of the sizes of the chunks.
#[derive(Debug)]
pub struct SegmentEncryptor {
    cbc: CbcEncryptor,
    carry: Vec<u8>,
}

impl SegmentEncryptor {
    /// Starts a segment.
    pub fn new(key: &ContentKey) -> Self {
        Self { cbc: CbcEncryptor::new(&key.key, &key.iv), carry: Vec::with_capacity(BLOCK) }
    }

    /// Encrypts the next chunk in place and returns the ciphertext that is ready.
    pub fn push(&mut self, chunk: Vec<u8>) -> Output {
        let mut out = self.begin(chunk);
        let lane = self.lane(&mut out);
        lane.message.encrypt_blocks(lane.blocks);
        out
    }

    /// The first half of [`SegmentEncryptor::push`]: completes the block that was held back, and encrypts it. The
    /// middle of the output is plaintext until it is encrypted as this segment's [`SegmentEncryptor::lane`].
    pub(crate) fn begin(&mut self, chunk: Vec<u8>) -> Output {
        let missing = (BLOCK - self.carry.len()) % BLOCK;
        let Some((first, rest)) = chunk.split_at_checked(missing) else {
            self.carry.extend_from_slice(&chunk);
            return Output::default();
        };
        self.carry.extend_from_slice(first);
        let head = self.carried_block();
        let end = chunk.len() - rest.len() % BLOCK;
        self.carry.extend_from_slice(bug::look(&chunk, end..));
        Output::new(head, chunk, missing..end)
    }

    /// The part of an output from [`SegmentEncryptor::begin`] that is not yet encrypted.
    pub(crate) fn lane<'a>(&'a mut self, out: &'a mut Output) -> Lane<'a> {
        Lane { message: &mut self.cbc, blocks: out.middle_mut().as_chunks_mut().0 }
    }

    /// Appends the last block with its padding. No chunk may follow.
    pub fn finish(&mut self, out: &mut Output) {
        let padding = BLOCK - self.carry.len() % BLOCK;
        // Of at most 16 bytes, each of them how many they are.
        self.carry.resize(BLOCK, u8::try_from(padding).unwrap_or_else(|_| bug::instead(16)));
        let last = self.carried_block();
        if last.is_none() {
            bug::found();
        }
        out.close(last);
    }

    /// Encrypts the bytes held back if they are a block, and clears them.
    fn carried_block(&mut self) -> Option<[u8; BLOCK]> {
        let mut block = <[u8; BLOCK]>::try_from(self.carry.as_slice()).ok()?;
        self.carry.clear();
        self.cbc.encrypt_blocks(core::slice::from_mut(&mut block));
        Some(block)
    }
}

impl Drop for SegmentEncryptor {
    fn drop(&mut self) {
        self.carry.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunking_does_not_matter_and_lengths_are_exact() {
        let key = || ContentKey { key: [7; 16], iv: [9; 16] };
        let plain: Vec<u8> = (0..100u8).collect();
        for length in [0, 1, 15, 16, 17, 31, 32, 33, 100] {
            let mut encryptor = SegmentEncryptor::new(&key());
            let mut whole = encryptor.push(plain[..length].to_vec());
            encryptor.finish(&mut whole);
            let whole = whole.into_vec();
            assert_eq!(Some(whole.len() as u64), ciphertext_len(length as u64));
            for size in 1..=length {
                let mut out = Vec::new();
                let mut encryptor = SegmentEncryptor::new(&key());
                for chunk in plain[..length].chunks(size) {
                    out.extend(encryptor.push(chunk.to_vec()).into_vec());
                }
                let mut last = Output::default();
                encryptor.finish(&mut last);
                out.extend(last.into_vec());
                assert_eq!(out, whole, "{length} bytes in chunks of {size}");
            }
        }
        assert_eq!(ciphertext_len(u64::MAX), None);
    }
}
