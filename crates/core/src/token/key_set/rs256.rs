//! RSASSA-PKCS1-v1_5 with SHA-256: verification only (RFC 8017, section 8.2.2).

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::KeyFault;

/// The DER of a DigestInfo for SHA-256, up to the digest (RFC 8017, section 9.2, note 1).
const DIGEST_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// A public key.
#[derive(Clone)]
pub struct PublicKey(playlock_rsa::PublicKey);

impl PublicKey {
    /// Reads a big-endian modulus and a big-endian exponent.
    ///
    /// # Errors
    /// [`KeyFault::Modulus`], [`KeyFault::Exponent`].
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyFault> {
        playlock_rsa::PublicKey::new(modulus, exponent).map(Self).map_err(|fault| match fault {
            playlock_rsa::KeyFault::Modulus => KeyFault::Modulus,
            playlock_rsa::KeyFault::Exponent => KeyFault::Exponent,
        })
    }

    /// Verifies a signature. The encoded message is built and compared as a whole, so that nothing in it is parsed.
    pub fn verifies(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        self.0.power(signature).is_some_and(|found| *found == self.encode(message))
    }

    /// EMSA-PKCS1-v1_5 (RFC 8017, section 9.2) of a message given in pieces.
    fn encode(&self, message: &[&[u8]]) -> Vec<u8> {
        let mut hash = Sha256::new();
        message.iter().for_each(|piece| hash.update(piece));
        let tail = DIGEST_INFO.len().saturating_add(32);
        let mut encoded = alloc::vec![0, 1];
        encoded.resize(self.0.size().saturating_sub(tail).saturating_sub(1), 0xff);
        encoded.push(0);
        encoded.extend_from_slice(&DIGEST_INFO);
        encoded.extend_from_slice(&hash.finalize());
        encoded
    }
}
