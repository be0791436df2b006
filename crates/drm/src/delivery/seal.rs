//! The symmetric half: AES-256-CBC and HMAC-SHA512.

use alloc::vec::Vec;

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use sha2::Sha512;
use zeroize::Zeroizing;

/// Encrypts a content key: the IV, a block of the key, and a block of PKCS#7 padding, as XML Encryption (1.1, section
/// 5.2) and CPIX have it.
pub fn encrypt(document_key: &[u8; 32], iv: &[u8; 16], key: &[u8; 16]) -> Vec<u8> {
    let cipher = Aes256::new(document_key.into());
    let mut bytes = Vec::with_capacity(48);
    bytes.extend_from_slice(iv);
    let mut chain = *iv;
    for plain in [key, &[16; 16]] {
        chain.iter_mut().zip(plain).for_each(|(chain, plain)| *chain ^= plain);
        let mut block = chain.into();
        cipher.encrypt_block(&mut block);
        chain = block.into();
        bytes.extend_from_slice(&chain);
    }
    bytes
}

/// HMAC-SHA512 (RFC 2104) with a key of up to 64 bytes.
pub fn mac<const N: usize>(key: &[u8; N], message: &[u8]) -> [u8; 64] {
    const { assert!(N <= 64, "longer keys are hashed from 128 bytes on, which this does not do") };
    // A short key is followed by zeros up to the block of the hash.
    let mut block = Zeroizing::new([0; 128]);
    block.iter_mut().zip(key).for_each(|(block, key)| *block = *key);
    let mut mac = <Hmac<Sha512> as KeyInit>::new((&*block).into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}
