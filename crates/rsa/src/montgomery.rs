//! Arithmetic modulo an odd number, by Montgomery's multiplication (P. L. Montgomery, "Modular Multiplication Without
//! Trial Division", 1985), with limbs of 32 bits, the lowest first.

use alloc::vec::Vec;

use subtle::{Choice, ConditionallySelectable};
use zeroize::Zeroizing;

/// A number that may be secret: as many limbs as the modulus, zeroed when dropped.
type Number = Zeroizing<Vec<u32>>;

/// An odd modulus n, with the constants of the multiplication. R is 2^32 to the power of the number of limbs.
#[derive(Clone)]
pub struct Modulus {
    limbs: Vec<u32>,
    /// -1/n modulo 2^32.
    inverse: u32,
    /// R² modulo n.
    square: Vec<u32>,
}

impl Modulus {
    /// Takes an odd number with a highest limb other than zero; `None` of others.
    pub fn new(limbs: Vec<u32>) -> Option<Self> {
        let lowest = *limbs.first()?;
        let highest = *limbs.last()?;
        if lowest % 2 == 0 || highest == 0 {
            return None;
        }
        // Newton's iteration doubles the number of correct bits, which is 3 for an odd number itself.
        let inverse =
            (0..4).fold(lowest, |inverse, _| inverse.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(inverse))));
        let mut modulus = Self { limbs, inverse: inverse.wrapping_neg(), square: Vec::new() };
        modulus.square = modulus.square_of_r(highest)?;
        Some(modulus)
    }

    /// R² modulo n. With L limbs, doublings lead from the highest power of two below n to R·2^L, and each of five
    /// squarings (which divide by R) then doubles the exponent of R·2^x, up to x = 32·L.
    fn square_of_r(&self, highest: u32) -> Option<Vec<u32>> {
        let mut number: Number = Zeroizing::new(alloc::vec![0; self.limbs.len()]);
        *number.last_mut()? = 1 << highest.ilog2();
        let to_r = 32_u32.saturating_sub(highest.ilog2());
        let count = self.limbs.len().saturating_add(usize::try_from(to_r).ok()?);
        for _ in 0..count {
            self.double(&mut number);
        }
        for _ in 0..5 {
            number = self.multiply(&number, &number);
        }
        Some(number.to_vec())
    }

    /// `base` to the power of `exponent`, which is public and not 0, modulo n. `None` if `base` is not less than n.
    pub fn power(&self, base: &[u32], exponent: u32) -> Option<Number> {
        let (_, is_less) = difference(base, &self.limbs);
        if base.len() != self.limbs.len() || !bool::from(is_less) {
            return None;
        }
        let base = self.multiply(base, &self.square);
        let mut power = base.clone();
        for bit in (0..exponent.checked_ilog2()?).rev() {
            power = self.multiply(&power, &power);
            if exponent >> bit & 1 == 1 {
                power = self.multiply(&power, &base);
            }
        }
        let mut one = alloc::vec![0; self.limbs.len()];
        *one.first_mut()? = 1;
        Some(self.multiply(&power, &one))
    }

    /// a · b / R modulo n, for a and b less than n, with as many limbs.
    fn multiply(&self, a: &[u32], b: &[u32]) -> Number {
        let mut sum: Number = Zeroizing::new(alloc::vec![0; self.limbs.len()]);
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
        self.reduce(&mut sum, low(beyond));
        sum
    }

    /// Doubles a number that is less than n, modulo n.
    fn double(&self, number: &mut [u32]) {
        let mut carry = 0;
        for limb in number.iter_mut() {
            (*limb, carry) = (*limb << 1 | carry, *limb >> 31);
        }
        self.reduce(number, carry);
    }

    /// Takes a number less than 2n modulo n, without a branch. `carry` is its limb beyond the highest, 0 or 1.
    fn reduce(&self, number: &mut [u32], carry: u32) {
        let (reduced, is_less) = difference(number, &self.limbs);
        let is_reduced = Choice::from(u8::from(carry & 1 == 1)) | !is_less;
        for (limb, reduced) in number.iter_mut().zip(reduced.iter()) {
            limb.conditional_assign(reduced, is_reduced);
        }
    }
}

/// `a` - `b`, with as many limbs, modulo the power of two beyond them, and whether `a` is less than `b`.
fn difference(a: &[u32], b: &[u32]) -> (Number, Choice) {
    let mut result = Zeroizing::new(Vec::with_capacity(a.len()));
    let mut borrow = 0_u64;
    for (a, b) in a.iter().zip(b) {
        let difference = u64::from(*a).wrapping_sub(u64::from(*b)).wrapping_sub(borrow);
        result.push(low(difference));
        borrow = difference >> 63;
    }
    (result, Choice::from(u8::from(borrow == 1)))
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

/// The low half of a sum; the high half is the carry.
fn low(sum: u64) -> u32 {
    let [a, b, c, d, ..] = sum.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
