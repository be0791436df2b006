//! ECDSA over P-256 with SHA-256 (FIPS 186-5; RFC 7518, section 3.4).

use alloc::vec::Vec;

use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::KeyFault;

/// A public key, and perhaps its private key, which is zeroed when dropped.
#[derive(Clone)]
pub struct Pair {
    public: VerifyingKey,
    private: Option<SigningKey>,
}

impl Pair {
    /// Reads big-endian coordinates and a big-endian private key.
    ///
    /// # Errors
    /// [`KeyFault::Point`], [`KeyFault::Private`], [`KeyFault::Pair`].
    pub fn new(x: &[u8; 32], y: &[u8; 32], private: Option<&[u8; 32]>) -> Result<Self, KeyFault> {
        // An uncompressed point (SEC 1, section 2.3.3).
        let mut point = Vec::with_capacity(65);
        point.push(4);
        point.extend_from_slice(x);
        point.extend_from_slice(y);
        let public = VerifyingKey::from_sec1_bytes(&point).map_err(|_| KeyFault::Point)?;
        let private =
            private.map(|private| SigningKey::from_slice(private)).transpose().map_err(|_| KeyFault::Private)?;
        if private.as_ref().is_some_and(|private| *private.verifying_key() != public) {
            return Err(KeyFault::Pair);
        }
        Ok(Self { public, private })
    }

    /// Whether the private key is there.
    pub fn can_sign(&self) -> bool {
        self.private.is_some()
    }

    /// Signs a message given in pieces: r and s, 32 bytes each, with the deterministic nonce of RFC 6979.
    pub fn sign(&self, message: &[&[u8]]) -> Option<Vec<u8>> {
        let signature: Signature = self.private.as_ref()?.sign_prehash(&digest(message)).ok()?;
        Some(signature.to_bytes().to_vec())
    }

    /// Verifies r and s. Any s in range is valid: issuers do not choose the lower one, and no signature is compared.
    pub fn verifies(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else { return false };
        self.public.verify_prehash(&digest(message), &signature).is_ok()
    }
}

fn digest(message: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    message.iter().for_each(|piece| hash.update(piece));
    hash.finalize().into()
}
