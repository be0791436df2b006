//! EdDSA over Ed25519 (RFC 8032; RFC 8037, section 3.1).

use alloc::vec::Vec;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::KeyFault;

/// A public key, and perhaps its private key, which is zeroed when dropped.
#[derive(Clone)]
pub struct Pair {
    public: VerifyingKey,
    private: Option<SigningKey>,
}

impl Pair {
    /// Reads a public and a private key.
    ///
    /// # Errors
    /// [`KeyFault::Point`] (also of points of small order, whose signatures fit any message), [`KeyFault::Pair`].
    pub fn new(public: &[u8; 32], private: Option<&[u8; 32]>) -> Result<Self, KeyFault> {
        let public = VerifyingKey::from_bytes(public).ok().filter(|public| !public.is_weak()).ok_or(KeyFault::Point)?;
        let private = private.map(SigningKey::from_bytes);
        if private.as_ref().is_some_and(|private| private.verifying_key() != public) {
            return Err(KeyFault::Pair);
        }
        Ok(Self { public, private })
    }

    /// Whether the private key is there.
    pub fn can_sign(&self) -> bool {
        self.private.is_some()
    }

    /// Signs a message given in pieces: 64 bytes.
    pub fn sign(&self, message: &[&[u8]]) -> Option<Vec<u8>> {
        let signature = self.private.as_ref()?.try_sign(&message.concat()).ok()?;
        Some(signature.to_bytes().to_vec())
    }

    /// Verifies a signature strictly: no point of small order, and no s that is not reduced.
    pub fn verifies(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else { return false };
        self.public.verify_strict(&message.concat(), &signature).is_ok()
    }
}
