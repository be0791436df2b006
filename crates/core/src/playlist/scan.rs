//! Sixteen bytes of a playlist at a time: which of them are line feeds, and which a simple URI cannot contain. Results
//! have one bit per byte, the lowest for the first.

pub use self::backend::{newlines, slashes_and_dots, special};

/// The number of bytes examined at a time.
pub const BLOCK: usize = 16;

#[cfg(target_arch = "wasm32")]
mod backend {
    use core::arch::wasm32::{i8x16_bitmask, i8x16_eq, i8x16_lt, i8x16_splat, i64x2, v128, v128_or};

    use super::BLOCK;

    fn load(block: &[u8; BLOCK]) -> v128 {
        // Compiles to one instruction, because the halves are adjacent.
        let half = |bytes: Option<&[u8; 8]>| i64::from_le_bytes(bytes.copied().unwrap_or_default());
        i64x2(half(block.first_chunk()), half(block.last_chunk()))
    }

    /// The bits of the bytes that are line feeds.
    pub fn newlines(block: &[u8; BLOCK]) -> u16 {
        i8x16_bitmask(i8x16_eq(load(block), i8x16_splat(b'\n'.cast_signed())))
    }

    /// The bits of the bytes that are not [`crate::http::url::is_plain`].
    pub fn special(block: &[u8; BLOCK]) -> u16 {
        let bytes = load(block);
        let is = |byte: u8| i8x16_eq(bytes, i8x16_splat(byte.cast_signed()));
        // The comparison is signed, so bytes outside ASCII are less than `!`, too.
        let outside = v128_or(i8x16_lt(bytes, i8x16_splat(b'!'.cast_signed())), is(0x7f));
        let path = v128_or(is(b':'), v128_or(is(b'\\'), is(b'%')));
        let query = v128_or(is(b'?'), is(b'#'));
        i8x16_bitmask(v128_or(outside, v128_or(path, query)))
    }

    /// The bits of the bytes that are `/`, and of those that are `.`.
    pub fn slashes_and_dots(block: &[u8; BLOCK]) -> (u16, u16) {
        let bytes = load(block);
        let are = |byte: u8| i8x16_bitmask(i8x16_eq(bytes, i8x16_splat(byte.cast_signed())));
        (are(b'/'), are(b'.'))
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod backend {
    use super::BLOCK;
    use crate::http::url;

    fn bits(block: &[u8; BLOCK], is: impl Fn(u8) -> bool) -> u16 {
        block.iter().rev().fold(0, |bits, byte| bits << 1 | u16::from(is(*byte)))
    }

    /// The bits of the bytes that are line feeds.
    pub fn newlines(block: &[u8; BLOCK]) -> u16 {
        bits(block, |byte| byte == b'\n')
    }

    /// The bits of the bytes that are not [`url::is_plain`].
    pub fn special(block: &[u8; BLOCK]) -> u16 {
        bits(block, |byte| !url::is_plain(byte))
    }

    /// The bits of the bytes that are `/`, and of those that are `.`.
    pub fn slashes_and_dots(block: &[u8; BLOCK]) -> (u16, u16) {
        (bits(block, |byte| byte == b'/'), bits(block, |byte| byte == b'.'))
    }
}
