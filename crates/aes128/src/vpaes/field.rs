//! The arithmetic that the tables are computed from: GF(2⁸) as FIPS 197 writes it, and the same field seen as
//! pairs of elements of GF(2⁴). Everything here is evaluated at compile time.
#![expect(clippy::indexing_slicing, reason = "const evaluation: out of bounds would be a compile error")]

/// The product in GF(2⁸) modulo x⁸ + x⁴ + x³ + x + 1 (FIPS 197, section 4.2).
pub(super) const fn mul(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 != 0 {
            product ^= a;
        }
        a = (a << 1) ^ if a & 0x80 != 0 { 0x1B } else { 0 };
        b >>= 1;
    }
    product
}

/// `a` to the power of `n`.
const fn pow(a: u8, n: u8) -> u8 {
    let mut power = 1;
    let mut i = 0;
    while i < n {
        power = mul(power, a);
        i += 1;
    }
    power
}

/// The inverse, and 0 for 0: a²⁵⁵ = a for every a.
pub(super) const fn inverse(a: u8) -> u8 {
    pow(a, 254)
}

/// The S-box after the inversion, without its constant 0x63: b ⊕ b⋘1 ⊕ b⋘2 ⊕ b⋘3 ⊕ b⋘4 (FIPS 197, 5.1.1).
pub(super) const fn affine(b: u8) -> u8 {
    b ^ b.rotate_left(1) ^ b.rotate_left(2) ^ b.rotate_left(3) ^ b.rotate_left(4)
}

/// ω, a root of x⁴ + x + 1. Its sixteen polynomials of degree below 4 are the subfield GF(2⁴).
const OMEGA: u8 = {
    let mut x = 2;
    while pow(x, 4) != x ^ 1 {
        x += 1;
    }
    x
};

/// ζ, an element outside the subfield whose conjugate ζ¹⁶ is ζ + 1.
pub(super) const ZETA: u8 = {
    let mut x = 2;
    while pow(x, 16) != x ^ 1 {
        x += 1;
    }
    x
};

/// The conjugate of ζ.
pub(super) const ZETA_BAR: u8 = ZETA ^ 1;

/// a = 1 / (ζ·ζ̄), an element of the subfield.
pub(super) const A: u8 = inverse(mul(ZETA, ZETA_BAR));

/// The subfield element whose coordinates over 1, ω, ω², ω³ are the bits of `nibble`.
pub(super) const fn embed(nibble: u8) -> u8 {
    let mut element = 0;
    let mut bit = 0;
    while bit < 4 {
        if nibble >> bit & 1 != 0 {
            element ^= pow(OMEGA, bit);
        }
        bit += 1;
    }
    element
}

/// The field element of a tower byte `i·16 + k`, which is i + k·ζ̄.
const fn from_tower(byte: u8) -> u8 {
    embed(byte >> 4) ^ mul(embed(byte & 15), ZETA_BAR)
}

const TO_TOWER: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0u8;
    loop {
        table[from_tower(byte) as usize] = byte;
        if byte == 255 {
            break table;
        }
        byte += 1;
    }
};

/// The tower byte of a field element.
pub(super) const fn to_tower(element: u8) -> u8 {
    TO_TOWER[element as usize]
}

/// The nibble of a subfield element.
pub(super) const fn nibble(element: u8) -> u8 {
    to_tower(element) >> 4
}
