//! Decrypts AES-128-CBC with RustCrypto's own mode, and checks every padding byte.

use aes::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};

/// The plaintext of a whole CBC message.
pub fn decrypt(key: &[u8], iv: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, String> {
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(16) {
        return Err(format!("{} bytes are no whole blocks", ciphertext.len()));
    }
    let cipher = cbc::Decryptor::<aes::Aes128>::new_from_slices(key, iv).map_err(|error| error.to_string())?;
    let mut bytes = ciphertext.to_vec();
    let plain = cipher.decrypt_padded::<Pkcs7>(&mut bytes).map_err(|_| "the padding is not PKCS#7".to_owned())?;
    Ok(plain.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge_auth::unhex;

    /// `printf 'playlock' | openssl enc -aes-128-cbc -K 000102030405060708090a0b0c0d0e0f -iv 0f0e0d0c0b0a09080706050403020100`
    #[test]
    fn opens_what_openssl_made() {
        let key = unhex("000102030405060708090a0b0c0d0e0f").unwrap();
        let iv = unhex("0f0e0d0c0b0a09080706050403020100").unwrap();
        let sealed = unhex("dcad4a6b1662b4010048630986c91888").unwrap();
        assert_eq!(decrypt(&key, &iv, &sealed).unwrap(), b"playlock");
        assert!(decrypt(&iv, &iv, &sealed).is_err());
        assert!(decrypt(&key, &iv, &[]).is_err());
        assert!(decrypt(&key, &iv, &sealed[1..]).is_err());
    }
}
