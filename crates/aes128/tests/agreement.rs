//! Random messages, against RustCrypto's `cbc` and the openssl command line, natively and in wasm.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[macro_use]
mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use common::{Block, Random, Subject, hex};

everywhere!(one_message_as_rustcrypto, lanes_as_rustcrypto, patterns_as_rustcrypto, one_message_as_openssl);

fn rustcrypto(key: &Block, iv: &Block, blocks: &mut [Block]) {
    let mut cbc = cbc::Encryptor::<aes::Aes128>::new(&(*key).into(), &(*iv).into());
    for block in blocks {
        cbc.encrypt_block(block.into());
    }
}

fn one_message_as_rustcrypto(subject: &mut dyn Subject) {
    let mut random = Random(1);
    for length in (0..40).chain([4096]) {
        let (key, iv, mut ours) = (random.block(), random.block(), random.blocks(length));
        let mut theirs = ours.clone();
        subject.start(0, &key, &iv);
        subject.encrypt(0, &mut ours);
        rustcrypto(&key, &iv, &mut theirs);
        assert_eq!(ours, theirs);
    }
}

/// Lanes in any number and of any lengths, with several calls for the same messages.
fn lanes_as_rustcrypto(subject: &mut dyn Subject) {
    let mut random = Random(2);
    for count in (0..=8).chain([4; 20]) {
        let keys = random.blocks(count);
        let ivs = random.blocks(count);
        let mut whole = vec![Vec::new(); count];
        let mut ours = vec![Vec::new(); count];
        for (lane, (key, iv)) in keys.iter().zip(&ivs).enumerate() {
            subject.start(lane, key, iv);
        }
        for _ in 0..4 {
            // A quarter of the lanes has nothing to encrypt this time.
            let length = |random: &mut Random| if random.word().is_multiple_of(4) { 0 } else { random.word() % 24 };
            let mut pieces: Vec<_> = (0..count)
                .map(|_| {
                    let length = length(&mut random);
                    random.blocks(length.try_into().unwrap())
                })
                .collect();
            for (whole, piece) in whole.iter_mut().zip(&pieces) {
                whole.extend_from_slice(piece);
            }
            subject.encrypt_lanes(&mut pieces);
            for (ours, piece) in ours.iter_mut().zip(&pieces) {
                ours.extend_from_slice(piece);
            }
        }
        for ((key, iv), whole) in keys.iter().zip(&ivs).zip(&mut whole) {
            rustcrypto(key, iv, whole);
        }
        assert_eq!(ours, whole);
    }
}

/// Up to eight messages under one key, of any lengths, with the pattern of cbcs, others, and none.
fn patterns_as_rustcrypto(subject: &mut dyn Subject) {
    let mut random = Random(5);
    for count in (0..=8).chain([8; 20]) {
        for skip in [0, 1, 9] {
            let (key, iv) = (random.block(), random.block());
            let mut ours: Vec<_> = (0..count)
                .map(|_| {
                    let length = random.word() % if random.word().is_multiple_of(4) { 700 } else { 24 };
                    random.blocks(length.try_into().unwrap())
                })
                .collect();
            let mut theirs = ours.clone();
            subject.start(0, &key, &iv);
            subject.encrypt_messages(skip, &mut ours);
            for message in &mut theirs {
                let mut chosen: Vec<_> = message.iter().copied().step_by(skip + 1).collect();
                rustcrypto(&key, &iv, &mut chosen);
                message.iter_mut().step_by(skip + 1).zip(chosen).for_each(|(block, chosen)| *block = chosen);
            }
            assert_eq!(ours, theirs);
        }
    }
}

fn one_message_as_openssl(subject: &mut dyn Subject) {
    let mut random = Random(3);
    for length in [1, 2, 3, 100, 1000] {
        let (key, iv, mut blocks) = (random.block(), random.block(), random.blocks(length));
        let mut openssl = Command::new("openssl")
            .args(["enc", "-aes-128-cbc", "-nopad", "-K", &hex(&key), "-iv", &hex(&iv)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the openssl command line is needed: install the package `openssl`");
        // 16 kB fit into the pipe: openssl need not be read while it is written to.
        openssl.stdin.take().unwrap().write_all(blocks.as_flattened()).unwrap();
        let theirs = openssl.wait_with_output().unwrap();
        assert!(theirs.status.success());

        subject.start(0, &key, &iv);
        subject.encrypt(0, &mut blocks);
        assert_eq!(blocks.as_flattened(), theirs.stdout);
    }
}
