//! The published vectors: FIPS 197, SP 800-38A, and NIST's CAVP files, natively and in wasm.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[macro_use]
mod common;

use common::{Block, Subject, hex, unhex};

everywhere!(known_answers, known_answers_in_pieces, monte_carlo);

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
