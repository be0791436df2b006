//! RSA's public operation (RFC 8017, section 5): a message to the power of e modulo n. Paddings are the caller's.
//!
//! The power is computed by Montgomery's multiplication: libraries of big integers bring fifty kilobytes into the module.
//! The same operation verifies a signature, where all is public, and encrypts, where the message is secret. So no branch
//! and no address depends on the message, and copies of it are zeroed. Modulus and exponent are public.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod montgomery;

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use montgomery::Modulus;

/// Sizes of the modulus in bits. More makes an operation cost more than a request may.
pub const BITS: core::ops::RangeInclusive<u32> = 2048..=4096;

/// A value that is no part of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// The modulus is even, or it has fewer than 2048 or more than 4096 bits, or leading zero bytes.
    Modulus,
    /// The public exponent is neither 3 nor an odd number from 65537 to 2^32 - 1, or it has leading zero bytes.
    Exponent,
}

/// A public key.
#[derive(Clone)]
pub struct PublicKey {
    modulus: Modulus,
    exponent: u32,
    /// Length of the modulus in bytes.
    size: usize,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bytes, e = {})", self.size, self.exponent)
    }
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
        let exponent = read_exponent(exponent).ok_or(KeyFault::Exponent)?;
        let modulus_limbs = Modulus::new(limbs(modulus)).ok_or(KeyFault::Modulus)?;
        Ok(Self { modulus: modulus_limbs, exponent, size: modulus.len() })
    }

    /// The length of the modulus, and so of every result, in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// `message` to the power of e modulo n (RSAEP and RSAVP1), both big-endian and [`size`](Self::size) bytes long.
    /// `None` for a message of another length, or one that is not less than n.
    pub fn power(&self, message: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if message.len() != self.size {
            return None;
        }
        let message = Zeroizing::new(limbs(message));
        let power = self.modulus.power(&message, self.exponent)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.size.saturating_add(3)));
        power.iter().rev().for_each(|limb| bytes.extend_from_slice(&limb.to_be_bytes()));
        // The modulus may have fewer bytes than its limbs; those that are cut are zero.
        let excess = bytes.len().saturating_sub(self.size);
        bytes.drain(..excess);
        Some(bytes)
    }
}

fn read_exponent(bytes: &[u8]) -> Option<u32> {
    if bytes.len() > 4 || bytes.first() == Some(&0) {
        return None;
    }
    let exponent = bytes.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    (exponent == 3 || exponent >= 65_537 && exponent % 2 == 1).then_some(exponent)
}

/// The limbs of a big-endian number, the lowest first.
fn limbs(bytes: &[u8]) -> Vec<u32> {
    let limb = |bytes: &[u8]| bytes.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    bytes.rchunks(4).map(limb).collect()
}
