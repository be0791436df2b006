//! The kernel's constants: sixteen-byte lookup tables and permutations, computed from [`super::field`] at compile
//! time. The crate's documentation derives them.
#![expect(clippy::indexing_slicing, reason = "const evaluation: out of bounds would be a compile error")]

use super::field::{A, ZETA, ZETA_BAR, affine, embed, inverse, mul, nibble, to_tower};
use crate::BLOCK;

/// The table of an expression in the index.
macro_rules! each {
    ($n:ident => $byte:expr) => {{
        let mut table = [0; BLOCK];
        let mut $n = 0u8;
        while $n < 16 {
            table[$n as usize] = $byte;
            $n += 1;
        }
        table
    }};
}

/// Rounds that end in MixColumns.
pub(super) const MIDDLE_ROUNDS: usize = 9;

/// One over zero. As an index it reads a zero, whatever its low bits have been XORed with, and infinity plus
/// infinity is the index 0 of the zero that both came from.
const INFINITY: u8 = 0x80;

/// A table of sixteen bytes.
pub(super) type Table = [u8; BLOCK];

/// The tables of the kernel. In memory, not in the code, so that the engine loads them once (see `Kernel::load`).
#[repr(C, align(16))]
pub(super) struct Tables {
    /// 15 in every byte: selects a nibble.
    pub(super) low_nibble: Table,
    /// The tower byte of a byte's low nibble, and of its high one.
    pub(super) tower: [Table; 2],
    /// 1/x of a nibble.
    pub(super) inverse: Table,
    /// a/x of a nibble.
    pub(super) a_over: Table,
    /// From the two quotients to the S-box's output times 1, in the tower.
    pub(super) sbox: [Table; 2],
    /// The same times 2.
    pub(super) sbox_doubled: [Table; 2],
    /// The same times 1, as FIPS 197 writes a byte.
    pub(super) sbox_plain: [Table; 2],
    /// MixColumns' turns of a column by one and by three, for each middle round's place of the bytes.
    pub(super) turns: [[Table; 2]; MIDDLE_ROUNDS],
    /// The index from which the tenth round takes each byte.
    pub(super) last_rows: Table,
}

/// The one copy of the tables.
pub(super) static TABLES: Tables = Tables {
    low_nibble: [15; BLOCK],
    tower: [each!(n => to_tower(n)), each!(n => to_tower(n << 4))],
    inverse: each!(n => over(1, n)),
    a_over: each!(n => over(A, n)),
    sbox: [each!(n => to_tower(from_io(n))), each!(n => to_tower(from_jo(n)))],
    sbox_doubled: [each!(n => to_tower(mul(2, from_io(n)))), each!(n => to_tower(mul(2, from_jo(n))))],
    sbox_plain: [each!(n => from_io(n)), each!(n => from_jo(n))],
    turns: {
        let mut turns = [[[0; BLOCK]; 2]; MIDDLE_ROUNDS];
        let mut round = 0u8;
        while (round as usize) < MIDDLE_ROUNDS {
            turns[round as usize] = [turn(round + 1, 1), turn(round + 1, 3)];
            round += 1;
        }
        turns
    },
    last_rows: shift_rows(10),
};

/// The position of byte i of the state while `times` ShiftRows are deferred.
pub(super) const fn shift_rows(times: u8) -> Table {
    each!(i => (i / 4 + times * (i % 4)) % 4 * 4 + i % 4)
}

/// The permutation the other way.
pub(super) const fn invert(permutation: Table) -> Table {
    let mut inverted = [0; BLOCK];
    let mut i = 0u8;
    while i < 16 {
        inverted[permutation[i as usize] as usize] = i;
        i += 1;
    }
    inverted
}

/// The shuffle that turns each column by `rows`, in a state with `times` ShiftRows deferred.
const fn turn(times: u8, rows: u8) -> Table {
    let place = shift_rows(times);
    let mut table = [0; BLOCK];
    let mut i = 0u8;
    while i < 16 {
        table[place[i as usize] as usize] = place[(i / 4 * 4 + (i + rows) % 4) as usize];
        i += 1;
    }
    table
}

/// The nibble `c / n`.
const fn over(c: u8, n: u8) -> u8 {
    if n == 0 { INFINITY } else { nibble(mul(c, inverse(embed(n)))) }
}

/// The contribution of the quotient `io` to the S-box's output: the affine map of ζ̄²/io.
const fn from_io(io: u8) -> u8 {
    affine(mul(mul(ZETA_BAR, ZETA_BAR), inverse(embed(io))))
}

/// The contribution of the quotient `jo` to the S-box's output: the affine map of ζ²/jo.
const fn from_jo(jo: u8) -> u8 {
    affine(mul(mul(ZETA, ZETA), inverse(embed(jo))))
}
