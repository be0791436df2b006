//! Claims that are encrypted because they are personal data: JSON Web Encryption with a shared key (`dir`) and AES-GCM (RFC
//! 7518 sections 4.5 and 5.3).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce, Tag};
use aes_gcm::{Aes128Gcm, Aes256Gcm};

use super::jws::{self, Header};

/// A key that decrypts claims.
#[derive(Clone)]
pub struct DecryptionKey {
    kid: Option<String>,
    cipher: Cipher,
}

#[derive(Clone)]
enum Cipher {
    A128(Aes128Gcm),
    A256(Aes256Gcm),
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptionKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl DecryptionKey {
    /// Creates a key of 16 bytes (`A128GCM`) or 32 bytes (`A256GCM`); `None` for another length.
    pub fn new(kid: Option<String>, key: &[u8]) -> Option<Self> {
        let cipher = match key.len() {
            16 => Cipher::A128(Aes128Gcm::new_from_slice(key).ok()?),
            _ => Cipher::A256(Aes256Gcm::new_from_slice(key).ok()?),
        };
        Some(Self { kid, cipher })
    }

    /// Decrypts a JWE in compact serialisation; `None` if it is malformed, uses another algorithm, or does not authenticate.
    fn decrypt(&self, header: &Header, jwe: &str) -> Option<Vec<u8>> {
        let mut parts = jwe.split('.');
        let (protected, key, nonce) = (parts.next()?, parts.next()?, jws::decode(parts.next()?)?);
        let (mut text, tag) = (jws::decode(parts.next()?)?, jws::decode(parts.next()?)?);
        let fits =
            |name: &str| header.text("alg").as_deref() == Some("dir") && header.text("enc").as_deref() == Some(name);
        if parts.next().is_some() || !key.is_empty() {
            return None;
        }
        let protected = protected.as_bytes();
        match &self.cipher {
            Cipher::A128(cipher) if fits("A128GCM") => open(cipher, &nonce, protected, &mut text, &tag)?,
            Cipher::A256(cipher) if fits("A256GCM") => open(cipher, &nonce, protected, &mut text, &tag)?,
            _ => return None,
        }
        Some(text)
    }
}

fn open<C: AeadInOut>(cipher: &C, nonce: &[u8], protected: &[u8], text: &mut [u8], tag: &[u8]) -> Option<()> {
    let (nonce, tag) = (<&Nonce<C>>::try_from(nonce).ok()?, <&Tag<C>>::try_from(tag).ok()?);
    cipher.decrypt_inout_detached(nonce, protected, text.into(), tag).ok()
}

/// Decrypts a claim with the first fitting of `keys`; `None` if none fits. If the claim names a key, only keys of that name
/// are tried, and those without one.
pub fn decrypt(keys: &[DecryptionKey], jwe: &str) -> Option<String> {
    let header = Header::decode(jwe.split('.').next()?)?;
    let named = |key: &&DecryptionKey| key.kid.is_none() || header.kid.is_none() || key.kid == header.kid;
    let text = keys.iter().filter(named).find_map(|key| key.decrypt(&header, jwe))?;
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9246 appendix A.2.
    const ADDRESS: &str = "eyJlbmMiOiJBMTI4R0NNIiwiYWxnIjoiZGlyIiwia2lkIjoiZi1XYmp4QkMzZFB1STNkMjRrUDJoZnZvczdRejY4OFVUaTZhQjBoTjk5OCJ9..aUDDFEQBIc3nWjOb.bGXWTHPkntmPCKn0pPPNEQ.iyTttnFybO2YBLqwl_YSjA";
    const KEY: &str = "4uFxxV7fhNmrtiah2d1fFg";

    fn key(kid: Option<&str>, key: &str) -> DecryptionKey {
        DecryptionKey::new(kid.map(Into::into), &jws::decode(key).unwrap()).unwrap()
    }

    #[test]
    fn the_address_of_the_rfc_decrypts() {
        let kid = "f-WbjxBC3dPuI3d24kP2hfvos7Qz688UTi6aB0hN998";
        for keys in
            [&[key(Some(kid), KEY)][..], &[key(None, KEY)], &[key(None, "AAAAAAAAAAAAAAAAAAAAAA"), key(Some(kid), KEY)]]
        {
            assert_eq!(decrypt(keys, ADDRESS).as_deref(), Some("[2001:db8::1/32]"));
        }
        for keys in [&[][..], &[key(Some("other"), KEY)], &[key(None, "AAAAAAAAAAAAAAAAAAAAAA")]] {
            assert_eq!(decrypt(keys, ADDRESS), None);
        }
        let keys = [key(None, KEY)];
        for (at, _) in ADDRESS.char_indices() {
            let mut forged = String::from(&ADDRESS[..at]);
            forged.push(if ADDRESS[at..].starts_with('A') { 'B' } else { 'A' });
            forged.push_str(&ADDRESS[at + 1..]);
            assert_eq!(decrypt(&keys, &forged), None, "{at}");
            assert_eq!(decrypt(&keys, &ADDRESS[..at]), None, "{at}");
        }
        assert!(DecryptionKey::new(None, &[0; 24]).is_none() && DecryptionKey::new(None, &[]).is_none());
    }
}
