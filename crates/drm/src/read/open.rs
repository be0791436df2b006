//! Encrypted content keys (see [`crate::delivery`]), opened with the keys of the document.

use alloc::vec::Vec;

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, KeyInit};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::delivery::mac;

/// Decrypts the bytes of a `CipherValue` after their `ValueMAC` has been verified: AES-256-CBC, an IV in front, and the
/// padding of XML Encryption (1.1, section 5.2), of which PKCS#7 is a case. Document key and MAC key are those that the
/// recipient's private key gives. `None` if the MAC is that of other bytes, or the padding none.
pub fn open(
    document_key: &[u8; 32],
    mac_key: &[u8; 64],
    cipher: &[u8],
    mac_value: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    if !bool::from(mac(mac_key, cipher).ct_eq(mac_value)) {
        return None;
    }
    let (blocks, rest) = cipher.as_chunks::<16>();
    let (iv, blocks) = blocks.split_first()?;
    if !rest.is_empty() {
        return None;
    }
    let key = Aes256::new(document_key.into());
    let mut plain = Zeroizing::new(Vec::with_capacity(cipher.len()));
    let mut chain = iv;
    for block in blocks {
        let mut decrypted = (*block).into();
        key.decrypt_block(&mut decrypted);
        plain.extend(decrypted.iter().zip(chain).map(|(byte, chain)| byte ^ chain));
        chain = block;
    }
    let padding = usize::from(*plain.last()?);
    let length = plain.len().checked_sub(padding).filter(|_| (1..=16).contains(&padding))?;
    plain.truncate(length);
    Some(plain)
}
