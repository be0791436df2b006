//! The IVs of samples under cenc: a function of everything that they encrypt, so that no two plaintexts meet under one
//! counter block, whatever an origin serves under a name.
//!
//! Of a group of samples, the protected bytes and their lengths are hashed, and the hash is encrypted. The first 12 bytes of
//! that begin the counter blocks of all its samples; the last 4 count the blocks from the first sample to the last:
//!
//! > IV of a sample = AES(Poly1305(for each sample: its protected bytes, filled up to blocks with zeros; their length in 16
//! > bytes, little-endian))[0..12] ‖ number of blocks before it in the group (4 bytes, big-endian)
//!
//! The lengths make the hashed text unambiguous: read from its end, each says where its sample begins. Two groups with one
//! hash therefore have the same text under the keystream, or are a collision. Of two given texts of up to n blocks, Poly1305
//! collides with a probability of n / 2¹⁰³ (16 MB: 2⁻⁸³) for a key that nobody knows, and 96 bits of a permutation's
//! output do so with one of 2⁻⁹⁶. Among 2³⁰ groups under one key no two collide but with 2⁻²⁴ if each has the 16 MB of the
//! largest sample, and with 2⁻³¹ if each has 64 KB.
//!
//! That is deterministic: the same samples under the same key are the same bytes, on every node and for every request. An
//! observer sees that two groups are equal, and nothing else.
//!
//! Sources: RFC 8439 section 2.5 (Poly1305), RFC 5297 (synthetic IVs).

use playlock_aes128::Key;
use poly1305::Poly1305;
use poly1305::universal_hash::{KeyInit, UniversalHash};
use zeroize::Zeroizing;

use crate::Error;
use crate::settings::BLOCK;

/// Bytes of the secret from which IVs are made: a key of Poly1305, and one of AES.
pub const IV_SECRET: usize = POLY1305 + BLOCK;

const POLY1305: usize = 32;

/// Bytes of an IV that the hash gives.
const HASHED: usize = 12;

/// The maker of IVs under a secret.
pub(crate) struct SyntheticIvs {
    hash: Zeroizing<[u8; POLY1305]>,
    cipher: Key,
}

/// The hash of a group of samples, one after another.
pub(crate) struct Text(Poly1305);

/// The beginning of the IVs of a group.
#[derive(Clone, Copy)]
pub(crate) struct GroupIv([u8; HASHED]);

impl SyntheticIvs {
    pub(crate) fn new(secret: &[u8; IV_SECRET]) -> Self {
        let mut hash = Zeroizing::new([0; POLY1305]);
        let mut cipher = Zeroizing::new([0; BLOCK]);
        for (to, from) in hash.iter_mut().chain(cipher.iter_mut()).zip(secret) {
            *to = *from;
        }
        Self { hash, cipher: Key::new(&cipher) }
    }

    pub(crate) fn begin(&self) -> Text {
        Text(Poly1305::new((&*self.hash).into()))
    }

    pub(crate) fn finish(&self, text: Text) -> Result<GroupIv, Error> {
        let mut block = <[u8; BLOCK]>::from(text.0.finalize());
        self.cipher.encrypt_blocks(core::slice::from_mut(&mut block));
        block.first_chunk().copied().map(GroupIv).ok_or_else(Error::bug)
    }
}

impl Text {
    /// Adds protected bytes of a sample. Only the last ones may end within a block.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update_padded(bytes);
    }

    /// Ends a sample of so many protected bytes.
    pub(crate) fn end_of_sample(&mut self, length: u64) {
        self.0.update(&[u128::from(length).to_le_bytes().into()]);
    }
}

impl GroupIv {
    /// The IV of the sample before which the group has so many protected blocks.
    pub(crate) fn of_sample(self, blocks: u32) -> [u8; BLOCK] {
        let mut iv = [0; BLOCK];
        for (to, from) in iv.iter_mut().zip(self.0.into_iter().chain(blocks.to_be_bytes())) {
            *to = from;
        }
        iv
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iv(secret: &[u8; IV_SECRET], samples: &[&[u8]]) -> [u8; BLOCK] {
        let ivs = SyntheticIvs::new(secret);
        let mut text = ivs.begin();
        for sample in samples {
            text.add(sample);
            text.end_of_sample(sample.len() as u64);
        }
        ivs.finish(text).unwrap().of_sample(7)
    }

    /// RFC 8439 section 2.5.2 with the length's block behind the text, from a second implementation (Python's integers and
    /// pycryptodome's AES).
    #[test]
    fn the_iv_is_the_encrypted_hash() {
        let mut secret = [9; IV_SECRET];
        let key = 0x85d6be78_57556d33_7f4452fe_42d506a8_u128.to_be_bytes();
        let pad = 0x0103808a_fb0db2fd_4abff6af_4149f51b_u128.to_be_bytes();
        secret[..16].copy_from_slice(&key);
        secret[16..32].copy_from_slice(&pad);
        let found = iv(&secret, &[b"Cryptographic Forum Research Group"]);
        assert_eq!(base16ct::lower::encode_string(&found), "8432190d04ffb716525d011a00000007");
    }

    /// Texts that are alike but for where a sample ends, or for zeros.
    #[test]
    fn texts_that_differ_in_their_lengths_alone_have_other_ivs() {
        let block = [5; 16];
        let texts: [&[&[u8]]; 10] = [
            &[],
            &[b""],
            &[b"", b""],
            &[b"\0"],
            &[&[0; 16]],
            &[&[0; 16], b""],
            &[b"", &[0; 16]],
            &[&block, &block],
            &[&[block, block].concat()],
            &[&[&block[..], &[16], &[0; 15], &block].concat()],
        ];
        let mut ivs: alloc::vec::Vec<_> = texts.iter().map(|text| iv(&[3; IV_SECRET], text)).collect();
        ivs.sort_unstable();
        ivs.dedup();
        assert_eq!(ivs.len(), texts.len());
    }
}
