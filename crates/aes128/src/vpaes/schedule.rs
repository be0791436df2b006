//! The key schedule: the eleven round keys of FIPS 197, each in the form in which the kernel adds it. It goes
//! through the same S-box as the rounds, so that no address depends on the key here either.

use core::hint::black_box;

use zeroize::Zeroize;

use super::kernel::Kernel;
use super::tables::{MIDDLE_ROUNDS, TABLES, Table, invert, shift_rows};
use super::vector::Vector;
use crate::BLOCK;

/// An expanded key. As bytes: a vector would require every owner of a key to be aligned to sixteen bytes.
pub(crate) struct Schedule {
    /// Round keys 1 to 9 with the S-box's constant, in the tower, their bytes where the kernel keeps the state's.
    pub(super) middle: [[u8; BLOCK]; MIDDLE_ROUNDS],
    /// Round key 10 with the S-box's constant, as FIPS 197 writes it.
    pub(super) last: [u8; BLOCK],
    /// The same in the tower.
    pub(super) last_in_tower: [u8; BLOCK],
    /// Round key 0 plus `last`, in the tower: the first key of a block whose chaining value lacks `last`.
    pub(super) first: [u8; BLOCK],
}

/// The S-box's constant, which the tables leave out. MixColumns maps a column of it to itself.
const AFFINE: u8 = 0x63;

/// RotWord of the last word, for all four columns.
const LAST_WORD: Table = [13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12];
const ONE_COLUMN_ON: Table = [128, 128, 128, 128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const TWO_COLUMNS_ON: Table = [128, 128, 128, 128, 128, 128, 128, 128, 0, 1, 2, 3, 4, 5, 6, 7];

/// Rcon and the S-box's constant of each round.
const ROUND_CONSTANTS: [Table; MIDDLE_ROUNDS + 1] = [
    round_constant(0x01),
    round_constant(0x02),
    round_constant(0x04),
    round_constant(0x08),
    round_constant(0x10),
    round_constant(0x20),
    round_constant(0x40),
    round_constant(0x80),
    round_constant(0x1B),
    round_constant(0x36),
];

const fn round_constant(rcon: u8) -> Table {
    let first = rcon ^ AFFINE;
    [
        first, AFFINE, AFFINE, AFFINE, first, AFFINE, AFFINE, AFFINE, first, AFFINE, AFFINE, AFFINE, first, AFFINE,
        AFFINE, AFFINE,
    ]
}

/// The permutation of the key bytes of each middle round: the inverse of its permutation of the state.
static PLACES: [Table; MIDDLE_ROUNDS] = [
    invert(shift_rows(1)),
    invert(shift_rows(2)),
    invert(shift_rows(3)),
    invert(shift_rows(4)),
    invert(shift_rows(5)),
    invert(shift_rows(6)),
    invert(shift_rows(7)),
    invert(shift_rows(8)),
    invert(shift_rows(9)),
];

impl Schedule {
    #[inline(never)]
    pub(crate) fn new(key: &[u8; BLOCK]) -> Self {
        let kernel = Kernel::load(black_box(&TABLES));
        let affine = Vector::load(&[AFFINE; BLOCK]);
        let [middle_constants @ .., last_constant] = &ROUND_CONSTANTS;
        let mut schedule = Self {
            middle: [[0; BLOCK]; MIDDLE_ROUNDS],
            last: [0; BLOCK],
            last_in_tower: [0; BLOCK],
            first: [0; BLOCK],
        };

        let mut round_key = Vector::load(key);
        let first = kernel.to_tower(round_key);
        for ((stored, constant), place) in schedule.middle.iter_mut().zip(middle_constants).zip(&PLACES) {
            round_key = next(&kernel, round_key, constant);
            kernel.to_tower(round_key.xor(affine)).lookup(Vector::load(place)).store(stored);
        }
        let last = next(&kernel, round_key, last_constant).xor(affine);
        let last_in_tower = kernel.to_tower(last);
        last.store(&mut schedule.last);
        last_in_tower.store(&mut schedule.last_in_tower);
        first.xor(last_in_tower).store(&mut schedule.first);
        schedule
    }
}

/// The next round key: SubWord(RotWord(last word)) ⊕ Rcon, added to the running XOR of the columns.
#[inline(always)]
fn next(kernel: &Kernel, round_key: Vector, constant: &Table) -> Vector {
    let last_word = round_key.lookup(Vector::load(&LAST_WORD));
    let word = kernel.substitute_plain(last_word).xor(Vector::load(constant));
    let pairs = round_key.xor(round_key.lookup(Vector::load(&ONE_COLUMN_ON)));
    let columns = pairs.xor(pairs.lookup(Vector::load(&TWO_COLUMNS_ON)));
    columns.xor(word)
}

impl Drop for Schedule {
    fn drop(&mut self) {
        self.middle.zeroize();
        self.last.zeroize();
        self.last_in_tower.zeroize();
        self.first.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 197, appendix A.1: w40 to w43 of its key.
    #[test]
    fn the_last_round_key_is_the_standards() {
        let key = 0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes();
        let last = Schedule::new(&key).last.map(|byte| byte ^ AFFINE);
        assert_eq!(last, 0xd014_f9a8_c9ee_2589_e13f_0cc8_b663_0ca6_u128.to_be_bytes());
    }
}
