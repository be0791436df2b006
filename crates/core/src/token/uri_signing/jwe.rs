//! Claims that are encrypted because they are personal data: JSON Web Encryption with a shared key (`dir`) and AES-128-GCM
//! (RFC 7518 sections 4.5 and 5.3). RFC 9246 uses no other algorithm, and the filter has the cipher already.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use playlock_aes128::CbcEncryptor;
use zeroize::Zeroizing;

use crate::token::gcm::{self, BLOCK, NONCE};
use crate::token::jws::{self, Header};

/// A key that decrypts claims.
#[derive(Clone)]
pub struct DecryptionKey {
    kid: Option<String>,
    key: Zeroizing<[u8; BLOCK]>,
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptionKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl DecryptionKey {
    /// Takes a key of 16 bytes; `None` for another length.
    pub fn new(kid: Option<String>, key: &[u8]) -> Option<Self> {
        key.try_into().ok().map(|key| Self { kid, key: Zeroizing::new(key) })
    }

    /// Decrypts and authenticates; `None` if the tag is wrong. `associated` is only authenticated.
    fn open(&self, nonce: [u8; NONCE], associated: &[u8], text: Vec<u8>, tag: [u8; BLOCK]) -> Option<Vec<u8>> {
        let mut cipher = Blocks::new(&self.key);
        gcm::open(&mut |block| cipher.encrypt(block), nonce, associated, text, tag)
    }
}

/// The block cipher, made of CBC: what goes in is combined with the last block that came out, once more.
struct Blocks {
    cbc: CbcEncryptor,
    last: [u8; BLOCK],
}

impl Blocks {
    fn new(key: &[u8; BLOCK]) -> Self {
        let last = [0; BLOCK];
        Self { cbc: CbcEncryptor::new(key, &last), last }
    }

    fn encrypt(&mut self, mut block: [u8; BLOCK]) -> [u8; BLOCK] {
        block.iter_mut().zip(self.last).for_each(|(byte, last)| *byte ^= last);
        self.cbc.encrypt_blocks(core::slice::from_mut(&mut block));
        self.last = block;
        block
    }
}

/// Decrypts a claim, a JWE in compact serialisation, with the first of `keys` that authenticates it. If the claim names a key,
/// only keys of that name are tried, and those without one. `None` if it is malformed, uses another algorithm, or no key fits.
pub fn decrypt(keys: &[DecryptionKey], jwe: &str) -> Option<String> {
    let mut parts = jwe.split('.');
    let (protected, encrypted_key) = (parts.next()?, parts.next()?);
    let (nonce, text, tag) = (jws::decode(parts.next()?)?, jws::decode(parts.next()?)?, jws::decode(parts.next()?)?);
    let (nonce, tag) = (nonce.try_into().ok()?, tag.try_into().ok()?);
    let header = Header::decode(protected)?;
    let is = |name: &str, expected: &str| header.text(name).as_deref() == Some(expected);
    if parts.next().is_some() || !encrypted_key.is_empty() || !is("alg", "dir") || !is("enc", "A128GCM") {
        return None;
    }
    let named = |key: &&DecryptionKey| key.kid.is_none() || header.kid.is_none() || key.kid == header.kid;
    let mut fitting = keys.iter().filter(named);
    let text = fitting.find_map(|key| key.open(nonce, protected.as_bytes(), text.clone(), tag))?;
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
        for at in 0..ADDRESS.len() {
            let (before, after) = ADDRESS.split_at(at);
            let other = if after.starts_with('A') { "B" } else { "A" };
            let forged: String = before.chars().chain(other.chars()).chain(after.chars().skip(1)).collect();
            assert_eq!(decrypt(&keys, &forged), None, "{at}");
            assert_eq!(decrypt(&keys, before), None, "{at}");
        }
        assert!(DecryptionKey::new(None, &[0; 32]).is_none() && DecryptionKey::new(None, &[]).is_none());
    }

    /// Test cases 1, 2 and 4 of the GCM specification (McGrew and Viega, appendix B).
    #[test]
    fn the_test_cases_of_gcm() {
        let hex = |text: &str| base16ct::mixed::decode_vec(text).unwrap();
        for (key, nonce, associated, plain, cipher, tag) in [
            (
                "00000000000000000000000000000000",
                "000000000000000000000000",
                "",
                "",
                "",
                "58e2fccefa7e3061367f1d57a4e7455a",
            ),
            (
                "00000000000000000000000000000000",
                "000000000000000000000000",
                "",
                "00000000000000000000000000000000",
                "0388dace60b6a392f328c2b971b2fe78",
                "ab6e47d42cec13bdf53a67b21257bddf",
            ),
            (
                "feffe9928665731c6d6a8f9467308308",
                "cafebabefacedbaddecaf888",
                "feedfacedeadbeeffeedfacedeadbeefabaddad2",
                "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
                "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
                "5bc94fbc3221a5db94fae95ae7121a47",
            ),
        ] {
            let key = DecryptionKey::new(None, &hex(key)).unwrap();
            let (nonce, tag): ([u8; 12], [u8; 16]) = (hex(nonce).try_into().unwrap(), hex(tag).try_into().unwrap());
            let open = |tag| key.open(nonce, &hex(associated), hex(cipher), tag);
            assert_eq!(open(tag), Some(hex(plain)));
            for at in 0..16 {
                let mut forged = tag;
                forged[at] ^= 1;
                assert_eq!(open(forged), None);
            }
        }
    }
}
