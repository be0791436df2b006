//! Reference cipher: AES-128-CBC with PKCS#7 by RustCrypto's `aes` and `cbc`.

use aes::Aes128;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

/// A key and its IV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// 16 bytes.
    pub key: [u8; 16],
    /// 16 bytes.
    pub iv: [u8; 16],
}

impl Key {
    /// The plaintext; `None` if the padding is not right.
    pub fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        let decryptor = cbc::Decryptor::<Aes128>::new(&self.key.into(), &self.iv.into());
        decryptor.decrypt_padded_vec::<Pkcs7>(ciphertext).ok()
    }

    /// The ciphertext.
    pub fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        cbc::Encryptor::<Aes128>::new(&self.key.into(), &self.iv.into()).encrypt_padded_vec::<Pkcs7>(plaintext)
    }
}
