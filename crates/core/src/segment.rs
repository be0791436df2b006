//! A segment's encryption: AES-128-CBC with PKCS#7 padding (RFC 8216 section 4.3.2.4), chunk by chunk.

use alloc::vec::Vec;

use playlock_aes128::{BLOCK, CbcEncryptor};

use crate::derive::ContentKey;

/// Bytes of the ciphertext of `plaintext` bytes: whole blocks, always with padding. `None` beyond `u64`.
pub fn ciphertext_len(plaintext: u64) -> Option<u64> {
    (plaintext / 16).checked_add(1)?.checked_mul(16)
}

/// One segment being encrypted. Holds back fewer than 16 bytes, whatever the sizes of the chunks.
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

    /// Takes the next chunk of plaintext and turns it, in place, into the ciphertext that is ready.
    pub fn push(&mut self, chunk: &mut Vec<u8>) {
        if !self.carry.is_empty() {
            chunk.splice(..0, self.carry.drain(..));
        }
        let (blocks, rest) = chunk.as_chunks_mut::<BLOCK>();
        self.carry.extend_from_slice(rest);
        self.cbc.encrypt_blocks(blocks);
        chunk.truncate(chunk.len() - self.carry.len());
    }

    /// Appends the last block, with its padding.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        let padding = BLOCK - self.carry.len() % BLOCK;
        let mut last = [u8::try_from(padding).unwrap_or(16); BLOCK];
        for (byte, carried) in last.iter_mut().zip(&self.carry) {
            *byte = *carried;
        }
        let mut last = [last];
        self.cbc.encrypt_blocks(&mut last);
        out.extend_from_slice(last.as_flattened());
    }
}

impl Drop for SegmentEncryptor {
    fn drop(&mut self) {
        use zeroize::Zeroize;
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
            let mut whole = plain[..length].to_vec();
            let mut encryptor = SegmentEncryptor::new(&key());
            encryptor.push(&mut whole);
            encryptor.finish(&mut whole);
            assert_eq!(Some(whole.len() as u64), ciphertext_len(length as u64));
            for size in 1..=length {
                let mut out = Vec::new();
                let mut encryptor = SegmentEncryptor::new(&key());
                for chunk in plain[..length].chunks(size) {
                    let mut chunk = chunk.to_vec();
                    encryptor.push(&mut chunk);
                    out.extend_from_slice(&chunk);
                }
                encryptor.finish(&mut out);
                assert_eq!(out, whole, "{length} bytes in chunks of {size}");
            }
        }
        assert_eq!(ciphertext_len(u64::MAX), None);
    }
}
