//! The rounds, on vectors that hold a state each: the tables in registers, the S-box, a middle round, the last.

use super::schedule::Schedule;
use super::tables::{Table, Tables};
use super::vector::Vector;

/// A table for each of the two quotients of an inversion.
#[derive(Clone, Copy)]
struct Pair {
    io: Vector,
    jo: Vector,
}

/// The constants of every round.
pub(super) struct Kernel {
    low_nibble: Vector,
    tower: Pair,
    inverse: Vector,
    a_over: Vector,
    sbox: Pair,
    sbox_doubled: Pair,
    sbox_plain: Pair,
    last_rows: Vector,
}

impl Kernel {
    /// Call it with the address of the tables behind a `black_box`: constants that the compiler sees would be
    /// built anew wherever they are used, while these stay in the engine's registers.
    #[inline(always)]
    pub(super) fn load(tables: &Tables) -> Self {
        Self {
            low_nibble: Vector::load(&tables.low_nibble),
            tower: Pair::load(&tables.tower),
            inverse: Vector::load(&tables.inverse),
            a_over: Vector::load(&tables.a_over),
            sbox: Pair::load(&tables.sbox),
            sbox_doubled: Pair::load(&tables.sbox_doubled),
            sbox_plain: Pair::load(&tables.sbox_plain),
            last_rows: Vector::load(&tables.last_rows),
        }
    }

    /// The low and the high nibble of each byte.
    #[inline(always)]
    fn split(&self, bytes: Vector) -> (Vector, Vector) {
        (bytes.and(self.low_nibble), bytes.shift_nibble().and(self.low_nibble))
    }

    /// The bytes in tower coordinates.
    #[inline(always)]
    pub(super) fn to_tower(&self, bytes: Vector) -> Vector {
        let (low, high) = self.split(bytes);
        self.tower.io.lookup(low).xor(self.tower.jo.lookup(high))
    }

    /// The quotients io = 1/(1/i + a/k) + j and jo = 1/(1/j + a/k) + i, from which a [`Pair`] makes 1/x.
    #[inline(always)]
    fn invert(&self, state: Vector) -> (Vector, Vector) {
        let (k, i) = self.split(state);
        let j = i.xor(k);
        let a_over_k = self.a_over.lookup(k);
        let io = self.inverse.lookup(self.inverse.lookup(i).xor(a_over_k)).xor(j);
        let jo = self.inverse.lookup(self.inverse.lookup(j).xor(a_over_k)).xor(i);
        (io, jo)
    }

    /// The S-box of plain bytes, without its constant.
    #[inline(always)]
    pub(super) fn substitute_plain(&self, bytes: Vector) -> Vector {
        self.sbox_plain.apply(self.invert(self.to_tower(bytes)))
    }

    /// A middle round: S-box, MixColumns and the round key. ShiftRows is in `turns` and in the order of the key's bytes.
    #[inline(always)]
    pub(super) fn middle_round(&self, state: Vector, key: &Table, turns: &[Table; 2]) -> Vector {
        // The key and the turns come first so that the compiler leaves their loads and the key's XOR off the path
        // from one state to the next.
        let key = Vector::load(key);
        let [by_one, by_three] = turns;
        let (by_one, by_three) = (Vector::load(by_one), Vector::load(by_three));

        // 2s + ↻¹(3s) + ↻²s + ↻³s = u + ↻³s + ↻¹u where u = 2s + ↻¹s.
        let quotients = self.invert(state);
        let s = self.sbox.apply(quotients);
        let u = self.sbox_doubled.apply(quotients).xor(s.lookup(by_one));
        key.xor(s.lookup(by_three)).xor(u).xor(u.lookup(by_one))
    }

    /// The last round: the next chaining value, in the tower and without the last round key, and the ciphertext.
    #[inline(always)]
    pub(super) fn last_round(&self, state: Vector, schedule: &Schedule) -> (Vector, Vector) {
        let quotients = self.invert(state);
        let chain = self.sbox.apply(quotients).lookup(self.last_rows);
        let ciphertext = self.sbox_plain.apply(quotients).lookup(self.last_rows);
        (chain, ciphertext.xor(Vector::load(&schedule.last)))
    }
}

impl Pair {
    #[inline(always)]
    fn load([io, jo]: &[Table; 2]) -> Self {
        Self { io: Vector::load(io), jo: Vector::load(jo) }
    }

    #[inline(always)]
    fn apply(self, (io, jo): (Vector, Vector)) -> Vector {
        self.io.lookup(io).xor(self.jo.lookup(jo))
    }
}
