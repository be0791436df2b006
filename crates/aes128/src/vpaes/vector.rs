//! The sixteen-byte vector that the kernel computes with. Nothing leaves it but through `store`: there is no way
//! to branch on a vector or to make an address of one, which is what makes the kernel constant-time.

pub(super) use backend::Vector;

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "core::arch has no safe load and store of a vector")]
mod backend {
    #[cfg(target_feature = "relaxed-simd")]
    use core::arch::wasm32::i8x16_relaxed_swizzle as swizzle;
    #[cfg(not(target_feature = "relaxed-simd"))]
    use core::arch::wasm32::i8x16_swizzle as swizzle;
    use core::arch::wasm32::{u32x4_shr, v128, v128_and, v128_load, v128_store, v128_xor};

    use crate::BLOCK;

    /// Sixteen bytes in a register.
    #[derive(Clone, Copy)]
    pub(crate) struct Vector(v128);

    impl Vector {
        #[inline(always)]
        pub(crate) fn load(bytes: &[u8; BLOCK]) -> Self {
            // SAFETY: the reference covers the sixteen bytes that are read; no alignment is asked for.
            Self(unsafe { v128_load(bytes.as_ptr().cast()) })
        }

        #[inline(always)]
        pub(crate) fn store(self, bytes: &mut [u8; BLOCK]) {
            // SAFETY: the exclusive reference covers the sixteen bytes that are written; no alignment is asked for.
            unsafe { v128_store(bytes.as_mut_ptr().cast(), self.0) }
        }

        #[inline(always)]
        pub(crate) fn xor(self, other: Self) -> Self {
            Self(v128_xor(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn and(self, other: Self) -> Self {
            Self(v128_and(self.0, other.0))
        }

        /// Four bits to the right, within groups of four bytes: the high nibble of each byte lands in its low one,
        /// and a neighbour's in its high one.
        #[inline(always)]
        pub(crate) fn shift_nibble(self) -> Self {
            Self(u32x4_shr(self.0, 4))
        }

        /// `self[index]` for each byte of `index`, which is below 16, or 0x80 and above for a zero.
        #[inline(always)]
        pub(crate) fn lookup(self, index: Self) -> Self {
            Self(swizzle(self.0, index.0))
        }
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod backend {
    //! The same in plain Rust, for the unit tests.
    use core::array::from_fn;

    use crate::BLOCK;

    #[derive(Clone, Copy)]
    pub(crate) struct Vector([u8; BLOCK]);

    impl Vector {
        pub(crate) fn load(bytes: &[u8; BLOCK]) -> Self {
            Self(*bytes)
        }

        pub(crate) fn store(self, bytes: &mut [u8; BLOCK]) {
            *bytes = self.0;
        }

        pub(crate) fn xor(self, other: Self) -> Self {
            Self(from_fn(|i| self.0[i] ^ other.0[i]))
        }

        pub(crate) fn and(self, other: Self) -> Self {
            Self(from_fn(|i| self.0[i] & other.0[i]))
        }

        pub(crate) fn shift_nibble(self) -> Self {
            let word = |i| u32::from_le_bytes(from_fn(|byte| self.0[i / 4 * 4 + byte])) >> 4;
            Self(from_fn(|i| word(i).to_le_bytes()[i % 4]))
        }

        pub(crate) fn lookup(self, index: Self) -> Self {
            Self(index.0.map(|i| match i {
                0..16 => self.0[usize::from(i)],
                128.. => 0,
                _ => panic!("relaxed swizzle leaves the index {i} to the machine"),
            }))
        }
    }
}
