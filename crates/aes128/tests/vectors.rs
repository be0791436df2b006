//! The published vectors: FIPS 197, SP 800-38A, and NIST's CAVP files, natively and in wasm.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[macro_use]
mod common;

use common::{Block, Subject, hex, unhex};

everywhere!(known_answers, known_answers_in_pieces, monte_carlo, counter_mode, counter_of_64_bits);

const KNOWN_ANSWERS: [(&str, usize); 6] = [
    (include_str!("vectors/standards.rsp"), 3),
    (include_str!("vectors/CBCGFSbox128.rsp"), 7),
    (include_str!("vectors/CBCKeySbox128.rsp"), 21),
    (include_str!("vectors/CBCVarKey128.rsp"), 128),
    (include_str!("vectors/CBCVarTxt128.rsp"), 128),
    (include_str!("vectors/CBCMMT128.rsp"), 10),
];

struct Vector {
    key: Block,
    iv: Block,
    plaintext: Vec<Block>,
    ciphertext: Vec<Block>,
}

fn vectors(file: &'static str) -> impl Iterator<Item = Vector> {
    let mut fields = file.lines().filter_map(|line| line.split_once(" = ")).filter(|(name, _)| *name != "COUNT");
    std::iter::from_fn(move || {
        let first = fields.next()?;
        let expect = |wanted, (name, value)| {
            assert_eq!(name, wanted);
            unhex(value)
        };
        Some(Vector {
            key: expect("KEY", first)[0],
            iv: expect("IV", fields.next()?)[0],
            plaintext: expect("PLAINTEXT", fields.next()?),
            ciphertext: expect("CIPHERTEXT", fields.next()?),
        })
    })
}

fn known_answers(subject: &mut dyn Subject) {
    for (file, count) in KNOWN_ANSWERS {
        let mut seen = 0;
        for Vector { key, iv, plaintext, ciphertext } in vectors(file) {
            let mut blocks = plaintext;
            subject.start(0, &key, &iv);
            subject.encrypt(0, &mut blocks);
            assert_eq!(hex(blocks.as_flattened()), hex(ciphertext.as_flattened()));
            seen += 1;
        }
        assert_eq!(seen, count);
    }
}

/// The same vectors a few blocks at a time, which requires that the chaining value is kept.
fn known_answers_in_pieces(subject: &mut dyn Subject) {
    for (file, _) in KNOWN_ANSWERS {
        for Vector { key, iv, plaintext, ciphertext } in vectors(file) {
            let mut blocks = plaintext;
            subject.start(0, &key, &iv);
            for piece in blocks.chunks_mut(3) {
                subject.encrypt(0, &mut []);
                subject.encrypt(0, piece);
            }
            assert_eq!(hex(blocks.as_flattened()), hex(ciphertext.as_flattened()));
        }
    }
}

/// AESAVS, section 6.4.2: a hundred rounds of a thousand blocks, each derived from previous ones.
fn monte_carlo(subject: &mut dyn Subject) {
    let xor = |a: Block, b: Block| std::array::from_fn(|i| a[i] ^ b[i]);
    let mut state: Option<(Block, Block, Block)> = None;
    let mut seen = 0;
    for vector in vectors(include_str!("vectors/CBCMCT128.rsp")) {
        let (key, iv, plaintext) = state.unwrap_or((vector.key, vector.iv, vector.plaintext[0]));
        assert_eq!((key, iv, plaintext), (vector.key, vector.iv, vector.plaintext[0]));

        subject.start(0, &key, &iv);
        let (mut before, mut next) = (iv, plaintext);
        for _ in 0..1000 {
            let mut block = [next];
            subject.encrypt(0, &mut block);
            (next, before) = (before, block[0]);
        }
        assert_eq!(before, vector.ciphertext[0]);
        state = Some((xor(key, before), before, next));
        seen += 1;
    }
    assert_eq!(seen, 100);
}

/// SP 800-38A, F.5.1, in pieces of any size.
fn counter_mode(subject: &mut dyn Subject) {
    for piece in 1..=64 {
        let mut blocks = unhex(concat!(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
            "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
        ));
        let key = unhex("2b7e151628aed2a6abf7158809cf4f3cf0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
        subject.start(0, &key[0], &key[1]);
        subject.encrypt_counter(piece, &mut blocks);
        assert_eq!(
            hex(blocks.as_flattened()),
            concat!(
                "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff",
                "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"
            )
        );
    }
}

/// ISO/IEC 23001-7, section 9.5: after 2⁶⁴ − 1 comes 0, and the first eight bytes stay. The blocks of the keystream are CBC
/// messages of one block of zeros, with the counter as IV.
fn counter_of_64_bits(subject: &mut dyn Subject) {
    let key = unhex("2b7e151628aed2a6abf7158809cf4f3c")[0];
    let counters = unhex("00000000000000ffffffffffffffffff00000000000000ff0000000000000000");
    let expected = counters.iter().map(|counter| {
        let mut block = [[0; 16]];
        subject.start(0, &key, counter);
        subject.encrypt(0, &mut block);
        block[0]
    });
    let expected: Vec<_> = expected.collect();
    let mut blocks = vec![[0; 16]; 2];
    subject.start(0, &key, &counters[0]);
    subject.encrypt_counter(7, &mut blocks);
    assert_eq!(blocks, expected);
}
