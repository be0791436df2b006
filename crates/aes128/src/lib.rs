//! AES-128-CBC encryption for the hot loop: the key schedule once, then whole blocks in place with the chaining
//! value kept between calls, one message at a time or several side by side. Padding is the caller's. For sample
//! encryption: many short messages under one [`Key`], with a pattern of blocks that stay clear, and counter mode.
//!
//! Source: FIPS 197 (the cipher), NIST SP 800-38A sections 6.2 (CBC) and 6.5 (CTR), ISO/IEC 23001-7 section 9
//! (patterns, counters).
//!
//! Natively this is RustCrypto's `aes`, which uses the machine's AES instructions. WebAssembly has none. There, with
//! the target feature `simd128`, the crate has a kernel of its own, after M. Hamburg, "Accelerating AES with Vector
//! Permute Instructions", CHES 2009. It needs one instruction that is not plain logic, the byte shuffle
//! (`i8x16.swizzle`), which looks up sixteen nibbles in a table of sixteen bytes that is held in a register. The rest
//! of this page explains that kernel.
//!
//! # The arithmetic
//!
//! ## An inverse from tables of sixteen
//!
//! The S-box is an inversion in GF(2⁸) followed by an affine map. A shuffle has tables of sixteen entries, so bytes
//! are seen as pairs of elements of the subfield GF(2⁴). Take ζ in GF(2⁸) with the conjugate ζ̄ = ζ¹⁶ = ζ + 1. Then
//! every x is uniquely
//!
//! > x = i·ζ + j·ζ̄ = i + k·ζ̄, where k = i + j, and i, j, k are in GF(2⁴).
//!
//! The state is kept as the bytes `i·16 + k`, its *tower* form. Going there from FIPS 197's form is linear, hence two
//! lookups, one for each nibble, and one XOR. With a = 1/(ζ·ζ̄), which is in GF(2⁴), and ζ² + ζ̄² = 1, the norm of x is
//!
//! > N = x·x̄ = i·j + k²/a, and 1/x = x̄/N = (i·ζ̄ + j·ζ)/N.
//!
//! What is left is a product of two unknowns over a third, which no table of one nibble can give. Hamburg's way
//! around it is a nested fraction of inverses and sums:
//!
//! > io = 1/(1/i + a/k) + j = (k² + a·i·j)/(k + a·i) = a·N/(k + a·i)<br>
//! > jo = 1/(1/j + a/k) + i = (k² + a·i·j)/(k + a·j) = a·N/(k + a·j)
//!
//! and so 1/io and 1/jo have the norm below and something linear above; together they give
//!
//! > ζ̄²/io + ζ²/jo = (k·(ζ̄² + ζ²) + a·(i·ζ̄² + j·ζ²))/(a·N) = x̄/N = 1/x,
//!
//! since ζ̄² = ζ̄ + 1/a and ζ² = ζ + 1/a make a·(i·ζ̄² + j·ζ²) = a·x̄ + k. Five lookups (1/i, 1/j, a/k and the two
//! outer inverses) and five XORs give io and jo for sixteen bytes at once.
//!
//! Division by zero works out by itself: 1/0 is 0x80 in the tables, and a shuffle reads 0 for an index with the
//! highest bit set, so that 1/∞ is 0 and whatever was added to ∞ is still ∞. The one sum of two infinities is that of
//! x = 0, where 0x80 ⊕ 0x80 = 0 stands for 1/0 once more and both quotients come out as ∞: the inverse 0, as the
//! standard wants. Indices are therefore below 16 or above 127, never between, where *relaxed* swizzle would leave
//! the result to the machine: it may be used, and gives the same everywhere.
//!
//! ## Everything linear is folded into the last lookup
//!
//! io and jo are only ever indices. What is looked up is not ζ̄²/io and ζ²/jo but any linear function of them: the
//! S-box's affine map (less its constant 0x63, which goes into the round keys), then times 1 or 2 for MixColumns,
//! then back to the tower for the next round, or to FIPS 197's form for the ciphertext. So a round costs four such
//! lookups, and the change of basis between rounds costs nothing. The chaining value is looked up in the tower
//! form too, beside the ciphertext: the way from one block to the next leaves the tower nowhere, and the plaintext's
//! way into it is off that path. Round key 10 is not on it either: it is added to the *next* block's first key.
//!
//! MixColumns makes 2·s + ↻¹(3·s) + ↻²s + ↻³s of each column s, where ↻ⁿ turns the column by n bytes (a shuffle with
//! a constant index). With u = 2·s + ↻¹s that is u + ↻¹u + ↻³s: three shuffles.
//!
//! ## ShiftRows is deferred
//!
//! ShiftRows would be one more shuffle in the chain of dependent instructions. But the S-box does not care where a
//! byte lies, and the other steps can be told. So the bytes stay, and the turns of MixColumns and the bytes of the
//! round key are those for a state with 1, 2, 3, … ShiftRows pending. After four they are back in place. The ten of
//! a block are made up for by one shuffle at its end.
//!
//! ## What bounds it
//!
//! Twenty-six vector instructions make a round; thirteen of them depend on each other. One message waits for those;
//! the others are the room for more messages, which [`encrypt_lanes`] fills with up to four; without relaxed SIMD, where
//! lookups need more registers, with up to two. Measured and not taken:
//! a table for 3·s (twelve dependent, twenty-nine in all), and a second quotient of i and k alone (twelve, but also
//! twenty-nine): both are slower for one message and for four.
//!
//! The tables are computed from the definitions above at compile time; no constant is copied from another
//! implementation.
//!
//! # Secrets
//!
//! No branch and no address depends on a key, an IV or a plaintext. How that was checked:
//!
//! - By construction: the kernel's vector type can only be loaded, combined and stored. There is no way from it to
//!   an integer, a `bool` or an index, in the key schedule either. The only `unsafe` in the crate are its load and
//!   its store.
//! - In the compiled modules (`tests/constant_time.rs`): no function that holds a kernel has an instruction that
//!   turns a vector into a number, so that no branch could test and no load could use one; and keys, IVs and
//!   plaintexts of all kinds take exactly the same number of instructions under wasmtime's fuel.
//! - In the machine code that V8 makes of it (read, on x86-64): shuffles, logic, shifts, and moves to and from
//!   memory at addresses that come from the loop's counter and from the tables' address.
//!
//! Expanded keys and chaining values are zeroized when dropped. What an engine spills to its stack, and copies left
//! behind by moving a [`CbcEncryptor`], are not.
//!
//! # Checked against
//!
//! FIPS 197 and SP 800-38A examples, NIST's CAVP files (known answers, multi-block, Monte Carlo), random messages
//! against RustCrypto's `cbc` and the openssl command line: natively, and in wasm with strict and with relaxed SIMD
//! (`examples/probe.rs` under wasmtime). The kernel's arithmetic is tested natively as well, on a vector in plain
//! Rust: its S-box for every byte against the definition in FIPS 197, and one to four lanes against RustCrypto.
#![no_std]
#![deny(unsafe_code)]

mod cbc;
mod ctr;
mod message;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod rustcrypto;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use rustcrypto as backend;

#[cfg(any(test, all(target_arch = "wasm32", target_feature = "simd128")))]
mod vpaes;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use vpaes as backend;

pub use cbc::{CbcEncryptor, Lane, encrypt_lanes};
pub use ctr::Counter;
pub use message::{Key, Message};

/// Bytes in a block, a key and an IV.
pub const BLOCK: usize = 16;
