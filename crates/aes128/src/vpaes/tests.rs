//! The kernel on the plain-Rust vector: against FIPS 197, and against RustCrypto.

extern crate std;

use core::array::from_fn;
use std::vec;
use std::vec::Vec;

use aes::cipher::{BlockCipherEncrypt, KeyInit};

use super::*;
use crate::BLOCK;

fn block(hex: u128) -> [u8; BLOCK] {
    hex.to_be_bytes()
}

/// The S-box by its definition (FIPS 197, section 5.1.1), sharing nothing with the code under test: the inverse by
/// trying every byte, the affine map bit by bit.
fn fips_197_sbox(x: u8) -> u8 {
    let product = |a: u8, b: u8| {
        let carryless = (0..8).filter(|i| b >> i & 1 == 1).fold(0u16, |sum, i| sum ^ u16::from(a) << i);
        let reduced =
            (8..15).rev().fold(carryless, |sum, i| if sum >> i & 1 == 1 { sum ^ 0x11B << (i - 8) } else { sum });
        u8::try_from(reduced).unwrap()
    };
    let b = (1..=255).find(|&y| product(x, y) == 1).unwrap_or(0);
    let bit = |i: u32| b >> (i % 8) & 1;
    (0..8).fold(0, |out, i| out | (bit(i) ^ bit(i + 4) ^ bit(i + 5) ^ bit(i + 6) ^ bit(i + 7) ^ 0x63 >> i & 1) << i)
}

#[test]
fn the_sbox_is_the_standards_for_every_byte() {
    // The worked example of section 5.1.1, and the corners of figure 7: the reference itself must be right.
    assert_eq!([0x53, 0x00, 0x0F, 0xF0, 0xFF].map(fips_197_sbox), [0xED, 0x63, 0x76, 0x8C, 0x16]);

    // The plain-Rust lookup panics on an index that relaxed swizzle would leave to the machine.
    let kernel = Kernel::load(&TABLES);
    for x in 0..=255 {
        let mut out = [0; BLOCK];
        kernel.substitute_plain(Vector::load(&[x; BLOCK])).store(&mut out);
        assert_eq!(out.map(|byte| byte ^ 0x63), [fips_197_sbox(x); BLOCK], "{x:#04x}");
    }
}

/// Encrypts in CBC mode with the kernel.
fn encrypt_lanes<const N: usize>(keys: &[[u8; BLOCK]; N], ivs: &[[u8; BLOCK]; N], lanes: &mut [Vec<[u8; BLOCK]>; N]) {
    let schedules = keys.each_ref().map(Schedule::new);
    let mut lanes = lanes.iter_mut();
    encrypt::<N>(from_fn(|i| Run { schedule: &schedules[i], chain: &ivs[i], blocks: lanes.next().unwrap() }));
}

/// FIPS 197, appendices B and C.1.
#[test]
fn a_block_is_the_standards() {
    for (key, plaintext, ciphertext) in [
        (
            0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c,
            0x3243_f6a8_885a_308d_3131_98a2_e037_0734,
            0x3925_841d_02dc_09fb_dc11_8597_196a_0b32,
        ),
        (
            0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f,
            0x0011_2233_4455_6677_8899_aabb_ccdd_eeff,
            0x69c4_e0d8_6a7b_0430_d8cd_b780_70b4_c55a,
        ),
    ] {
        let mut lanes = [vec![block(plaintext)]];
        encrypt_lanes(&[block(key)], &[[0; BLOCK]], &mut lanes);
        assert_eq!(lanes, [[block(ciphertext)]]);
    }
}

#[test]
fn one_to_four_lanes_agree_with_rustcrypto() {
    fn check<const N: usize>(random: &mut impl FnMut() -> [u8; BLOCK], length: usize) {
        let keys: [_; N] = from_fn(|_| random());
        let ivs: [_; N] = from_fn(|_| random());
        let plain: [Vec<_>; N] = from_fn(|_| (0..length).map(|_| random()).collect());

        let mut ours = plain.clone();
        encrypt_lanes(&keys, &ivs, &mut ours);

        let theirs: [Vec<_>; N] = from_fn(|lane| by_rustcrypto(&keys[lane], ivs[lane], &plain[lane]));
        assert_eq!(ours, theirs);
    }

    let mut random = random();
    for length in 0..20 {
        check::<1>(&mut random, length);
        check::<2>(&mut random, length);
        check::<3>(&mut random, length);
        check::<4>(&mut random, length);
    }
}

/// Messages of all lengths, in any order, with an IV each, and what is left when no message is left.
#[test]
fn a_queue_agrees_with_rustcrypto() {
    fn check<const N: usize>(random: &mut impl FnMut() -> [u8; BLOCK], lengths: &[usize]) {
        let key = random();
        let ivs: Vec<_> = lengths.iter().map(|_| random()).collect();
        let plain: Vec<Vec<_>> = lengths.iter().map(|length| (0..*length).map(|_| random()).collect()).collect();
        let mut ours = plain.clone();
        let mut queue = ours.iter_mut().zip(&ivs).map(|(blocks, iv)| Message { chain: *iv, blocks });
        let mut lanes: [_; N] = from_fn(|_| queue.next().unwrap());
        let schedule = Schedule::new(&key);
        encrypt_queue(&schedule, &mut lanes, &mut || queue.next());
        assert!(queue.next().is_none());
        // One of them is done, and the others go on where they are.
        assert!(lanes.iter().any(|lane| lane.blocks.is_empty()));
        for Message { chain, blocks } in lanes {
            encrypt([Run { schedule: &schedule, chain: &chain, blocks }]);
        }
        for ((ours, plain), iv) in ours.iter().zip(&plain).zip(ivs) {
            assert_eq!(*ours, by_rustcrypto(&key, iv, plain));
        }
    }

    let mut random = random();
    for round in 0..40 {
        let count = 4 + round % 9;
        let lengths: Vec<_> = (0..count).map(|_| usize::from(random()[0] % 24)).collect();
        check::<1>(&mut random, &lengths);
        check::<2>(&mut random, &lengths);
        check::<4>(&mut random, &lengths);
    }
    check::<4>(&mut random, &[0; 9]);
    check::<4>(&mut random, &[7; 4]);
}

#[test]
fn blocks_apart_agree_with_rustcrypto() {
    let mut random = random();
    for count in 0..14 {
        let key = random();
        let plain: Vec<_> = (0..count).map(|_| random()).collect();
        let mut ours = plain.clone();
        encrypt_apart::<4>(&Schedule::new(&key), &mut ours);
        let whole = count / 4 * 4;
        for (ours, plain) in ours.iter().zip(&plain).take(whole) {
            assert_eq!([*ours].as_slice(), by_rustcrypto(&key, [0; BLOCK], &[*plain]));
        }
        assert_eq!(ours[whole..], plain[whole..]);
    }
}

fn by_rustcrypto(key: &[u8; BLOCK], iv: [u8; BLOCK], plain: &[[u8; BLOCK]]) -> Vec<[u8; BLOCK]> {
    let cipher = aes::Aes128::new(&(*key).into());
    let chained = |chain: &mut [u8; BLOCK], block: &[u8; BLOCK]| {
        *chain = from_fn(|i| chain[i] ^ block[i]);
        cipher.encrypt_block(chain.into());
        Some(*chain)
    };
    plain.iter().scan(iv, chained).collect()
}

/// SplitMix64, so that a failure comes back.
fn random() -> impl FnMut() -> [u8; BLOCK] {
    let mut seed = 0u64;
    let mut word = move || {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (seed ^ seed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    };
    move || (u128::from(word()) << 64 | u128::from(word())).to_be_bytes()
}
