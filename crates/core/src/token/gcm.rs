//! Galois/Counter Mode (NIST SP 800-38D) of any cipher with blocks of 16 bytes, with nonces of 12 bytes and whole tags.

use alloc::vec::Vec;

use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of a block, and of a tag.
pub const BLOCK: usize = 16;

/// Bytes of a nonce.
pub const NONCE: usize = 12;

/// Encryption of one block. A trait object, so that this code exists once for all ciphers.
pub type Cipher<'a> = dyn FnMut([u8; BLOCK]) -> [u8; BLOCK] + 'a;

/// Encrypts `text` and returns it with its tag (section 7.1). `associated` is only authenticated. A nonce must not be used
/// twice with a key.
pub fn seal(
    cipher: &mut Cipher<'_>,
    nonce: [u8; NONCE],
    associated: &[u8],
    mut text: Vec<u8>,
) -> (Vec<u8>, [u8; BLOCK]) {
    apply_stream(cipher, nonce, &mut text);
    let tag = tag(cipher, nonce, associated, &text);
    (text, tag)
}

/// Authenticates and decrypts `text` (section 7.2); `None` if the tag is wrong. `associated` is only authenticated.
pub fn open(
    cipher: &mut Cipher<'_>,
    nonce: [u8; NONCE],
    associated: &[u8],
    mut text: Vec<u8>,
    found: [u8; BLOCK],
) -> Option<Vec<u8>> {
    if !bool::from(tag(cipher, nonce, associated, &text).ct_eq(&found)) {
        return None;
    }
    apply_stream(cipher, nonce, &mut text);
    Some(text)
}

fn tag(cipher: &mut Cipher<'_>, nonce: [u8; NONCE], associated: &[u8], text: &[u8]) -> [u8; BLOCK] {
    let hash_key = Zeroizing::new(cipher([0; BLOCK]));
    let mut hash = GHash::new(&(*hash_key).into());
    hash.update_padded(associated);
    hash.update_padded(text);
    let mut lengths = [0; BLOCK];
    let bits = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_mul(8).to_be_bytes();
    for (place, byte) in lengths.iter_mut().zip(bits(associated).into_iter().chain(bits(text))) {
        *place = byte;
    }
    hash.update(&[lengths.into()]);
    let mut tag = cipher(counter(nonce, 1));
    tag.iter_mut().zip(hash.finalize()).for_each(|(byte, hashed)| *byte ^= hashed);
    tag
}

fn apply_stream(cipher: &mut Cipher<'_>, nonce: [u8; NONCE], text: &mut [u8]) {
    for (block, number) in text.chunks_mut(BLOCK).zip(2_u32..) {
        let stream = cipher(counter(nonce, number));
        block.iter_mut().zip(stream).for_each(|(byte, key)| *byte ^= key);
    }
}

/// A counter block.
fn counter(nonce: [u8; NONCE], number: u32) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    for (place, byte) in block.iter_mut().zip(nonce.into_iter().chain(number.to_be_bytes())) {
        *place = byte;
    }
    block
}
