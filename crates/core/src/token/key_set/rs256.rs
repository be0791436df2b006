//! RSASSA-PKCS1-v1_5 with SHA-256: verification only (RFC 8017, section 8.2.2). All values are public, so nothing here
//! needs constant time.

use alloc::vec::Vec;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd, Resize};
use sha2::{Digest, Sha256};

use super::KeyFault;

/// Sizes of the modulus in bits. More makes a verification cost more than a request may.
const BITS: core::ops::RangeInclusive<u32> = 2048..=4096;

/// The DER of a DigestInfo for SHA-256, up to the digest (RFC 8017, section 9.2, note 1).
const DIGEST_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// A public key.
#[derive(Clone)]
pub struct PublicKey {
    modulus: BoxedUint,
    params: BoxedMontyParams,
    exponent: BoxedUint,
    /// Length of modulus and signatures in bytes.
    length: usize,
}

impl PublicKey {
    /// Reads a big-endian modulus and a big-endian exponent.
    ///
    /// # Errors
    /// [`KeyFault::Modulus`], [`KeyFault::Exponent`].
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyFault> {
        let leading = *modulus.first().ok_or(KeyFault::Modulus)?;
        let bytes = u32::try_from(modulus.len()).map_err(|_| KeyFault::Modulus)?;
        let bits = bytes.saturating_mul(8).saturating_sub(leading.leading_zeros());
        if leading == 0 || !BITS.contains(&bits) {
            return Err(KeyFault::Modulus);
        }
        let value = BoxedUint::from_be_slice_vartime(modulus);
        let odd = Option::from(Odd::new(value.clone())).ok_or(KeyFault::Modulus)?;
        Ok(Self {
            modulus: value,
            params: BoxedMontyParams::new_vartime(odd),
            exponent: read_exponent(exponent).ok_or(KeyFault::Exponent)?,
            length: modulus.len(),
        })
    }

    /// Verifies a signature. The encoded message is built and compared as a whole, so that nothing in it is parsed.
    pub fn verifies(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        if signature.len() != self.length {
            return false;
        }
        let signature = BoxedUint::from_be_slice_vartime(signature);
        if signature >= self.modulus {
            return false;
        }
        let signature = signature.resize(self.modulus.bits_precision());
        let opened = BoxedMontyForm::new(signature, &self.params).pow(&self.exponent).retrieve();
        opened == BoxedUint::from_be_slice_vartime(&self.encode(message))
    }

    /// EMSA-PKCS1-v1_5 (RFC 8017, section 9.2) of a message given in pieces.
    fn encode(&self, message: &[&[u8]]) -> Vec<u8> {
        let mut hash = Sha256::new();
        message.iter().for_each(|piece| hash.update(piece));
        let tail = DIGEST_INFO.len().saturating_add(32);
        let mut encoded = alloc::vec![0, 1];
        encoded.resize(self.length.saturating_sub(tail).saturating_sub(1), 0xff);
        encoded.push(0);
        encoded.extend_from_slice(&DIGEST_INFO);
        encoded.extend_from_slice(&hash.finalize());
        encoded
    }
}

/// The exponent, in as many bits as it needs: the power costs a multiplication for each of them.
fn read_exponent(bytes: &[u8]) -> Option<BoxedUint> {
    if bytes.len() > 4 || bytes.first() == Some(&0) {
        return None;
    }
    let exponent = bytes.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    let fits = exponent == 3 || exponent >= 65_537 && exponent % 2 == 1;
    fits.then(|| BoxedUint::from_be_slice_vartime(bytes))
}
