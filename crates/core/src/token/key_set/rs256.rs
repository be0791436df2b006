//! RSASSA-PKCS1-v1_5 with SHA-256: verification only (RFC 8017, section 8.2.2). All values are public, so nothing here
//! needs constant time.
//!
//! The one power modulo n is computed here, by Montgomery's multiplication: libraries of big integers bring fifty
//! kilobytes into the module.

use alloc::vec::Vec;

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
    modulus: Modulus,
    exponent: u32,
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
        Ok(Self {
            modulus: Modulus::new(limbs(modulus)).ok_or(KeyFault::Modulus)?,
            exponent: read_exponent(exponent).ok_or(KeyFault::Exponent)?,
            length: modulus.len(),
        })
    }

    /// Verifies a signature. The encoded message is built and compared as a whole, so that nothing in it is parsed.
    pub fn verifies(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        let signature_limbs = limbs(signature);
        signature.len() == self.length
            && is_less(&signature_limbs, &self.modulus.limbs)
            && self.modulus.power(&signature_limbs, self.exponent) == limbs(&self.encode(message))
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

/// Whether `a` is less than `b`, which has as many limbs.
fn is_less(a: &[u32], b: &[u32]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// The low half of a sum; the high half is the carry.
fn low(sum: u64) -> u32 {
    let [a, b, c, d, ..] = sum.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Subtracts `b`, which has as many limbs; a borrow from beyond the highest limb is dropped.
fn subtract(a: &mut [u32], b: &[u32]) {
    let mut borrow = false;
    for (a, b) in a.iter_mut().zip(b) {
        let (difference, first) = a.overflowing_sub(*b);
        let (difference, second) = difference.overflowing_sub(u32::from(borrow));
        (*a, borrow) = (difference, first || second);
    }
}

/// An odd modulus n, with the constants of Montgomery's multiplication. R is 2^32 to the power of the number of limbs.
#[derive(Clone)]
struct Modulus {
    limbs: Vec<u32>,
    /// -1/n modulo 2^32.
    inverse: u32,
    /// R² modulo n.
    square: Vec<u32>,
}

impl Modulus {
    /// Takes an odd number with a highest limb other than zero; `None` of others.
    fn new(limbs: Vec<u32>) -> Option<Self> {
        let lowest = *limbs.first()?;
        if lowest % 2 == 0 || limbs.last() == Some(&0) {
            return None;
        }
        // Newton's iteration doubles the number of correct bits, which is 3 for an odd number itself.
        let inverse =
            (0..4).fold(lowest, |inverse, _| inverse.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(inverse))));
        let mut square = alloc::vec![0; limbs.len()];
        *square.first_mut()? = 1;
        for _ in 0..limbs.len().saturating_mul(64) {
            double(&mut square, &limbs);
        }
        Some(Self { limbs, inverse: inverse.wrapping_neg(), square })
    }

    /// `base` to the power of `exponent`, which is not 0, modulo n. `base` is less than n.
    fn power(&self, base: &[u32], exponent: u32) -> Vec<u32> {
        let base = self.multiply(base, &self.square);
        let mut power = base.clone();
        for bit in (0..exponent.ilog2()).rev() {
            power = self.multiply(&power, &power);
            if exponent >> bit & 1 == 1 {
                power = self.multiply(&power, &base);
            }
        }
        let mut one = alloc::vec![0; self.limbs.len()];
        one.iter_mut().take(1).for_each(|limb| *limb = 1);
        self.multiply(&power, &one)
    }

    /// a · b / R modulo n, for a and b less than n, with as many limbs.
    fn multiply(&self, a: &[u32], b: &[u32]) -> Vec<u32> {
        let mut sum: Vec<u32> = alloc::vec![0; self.limbs.len()];
        // What is beyond the limbs of the sum, which is less than 2n at the end of each round.
        let mut beyond = 0_u64;
        for limb in b {
            beyond += add_product(&mut sum, a, *limb);
            let factor = sum.first().copied().unwrap_or_default().wrapping_mul(self.inverse);
            beyond += add_product(&mut sum, &self.limbs, factor);
            // The lowest limb is zero now: a division by 2^32.
            sum.rotate_left(1);
            sum.iter_mut().next_back().into_iter().for_each(|highest| *highest = low(beyond));
            beyond >>= 32;
        }
        if beyond > 0 || !is_less(&sum, &self.limbs) {
            subtract(&mut sum, &self.limbs);
        }
        sum
    }
}

/// Adds `a` · `factor` to `sum`, which has as many limbs as `a`, and returns the carry.
fn add_product(sum: &mut [u32], a: &[u32], factor: u32) -> u64 {
    let mut carry = 0_u64;
    for (sum, a) in sum.iter_mut().zip(a) {
        // At most 2^64 - 1.
        let product = u64::from(*a) * u64::from(factor) + u64::from(*sum) + carry;
        (*sum, carry) = (low(product), product >> 32);
    }
    carry
}

/// Doubles a number that is less than `modulus`, modulo `modulus`.
fn double(number: &mut [u32], modulus: &[u32]) {
    let mut carry = 0;
    for limb in number.iter_mut() {
        (*limb, carry) = (*limb << 1 | carry, *limb >> 31);
    }
    if carry == 1 || !is_less(number, modulus) {
        subtract(number, modulus);
    }
}
