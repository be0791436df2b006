//! Property of segment encryption: for any chunk boundaries, the output is one CBC message that another implementation
//! decrypts to the input; messages encrypted together equal the same messages encrypted alone.

use playlock_aes128::{CbcEncryptor, Lane, encrypt_lanes};
use playlock_core::media::segment::{SegmentEncryptor, ciphertext_len};
use playlock_core::token::derive::ContentKey;

use crate::cipher::Key;
use crate::origin;
use crate::source::{Source, pieces};

/// Input: 16 bytes of key, 16 of IV, a size, how many lanes, and then how each chunk is cut.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let key = Key { key: core::array::from_fn(|_| source.byte()), iv: core::array::from_fn(|_| source.byte()) };
    let plain = origin::body(source.size());
    let lanes = source.below(7);
    in_chunks(&key, &plain, &mut source);
    side_by_side(&key, &plain, lanes, &mut source);
}

fn in_chunks(key: &Key, plain: &[u8], source: &mut Source<'_>) {
    let mut encryptor = SegmentEncryptor::new(&ContentKey { key: key.key, iv: key.iv });
    let mut out = Vec::new();
    let mut taken = 0;
    let chunks = pieces(plain, source);
    let (last, chunks) = chunks.split_last().expect("at least one");
    for chunk in chunks {
        out.extend(encryptor.push(chunk.to_vec()).into_vec());
        taken += chunk.len();
        assert_eq!(out.len(), taken / 16 * 16, "every block that is whole goes out, and nothing else");
    }
    let mut end = encryptor.push(last.to_vec());
    encryptor.finish(&mut end);
    out.extend(end.into_vec());

    assert_eq!(Some(out.len() as u64), ciphertext_len(plain.len() as u64));
    assert_eq!(origin::leak(&out), None);
    assert_eq!(key.decrypt(&out).as_deref(), Some(plain));
}

/// Messages of different keys and lengths in one call, and a second one that goes on.
fn side_by_side(key: &Key, plain: &[u8], lanes: usize, source: &mut Source<'_>) {
    let keys: Vec<Key> = (0..lanes)
        .map(|lane| {
            let mut key = *key;
            key.key[15] ^= lane as u8;
            key.iv[0] ^= source.byte();
            key
        })
        .collect();
    let mut messages: Vec<CbcEncryptor> = keys.iter().map(|key| CbcEncryptor::new(&key.key, &key.iv)).collect();
    let blocks = plain.as_chunks::<16>().0;
    let mut bodies: Vec<Vec<[u8; 16]>> =
        keys.iter().map(|_| blocks[..blocks.len().min(source.number() % (blocks.len() + 1))].to_vec()).collect();
    let cuts: Vec<usize> = bodies.iter().map(|body| source.number() % (body.len() + 1)).collect();
    for half in [0, 1] {
        let parts = bodies.iter_mut().zip(&cuts).map(|(body, cut)| {
            let (first, second) = body.split_at_mut(*cut);
            if half == 0 { first } else { second }
        });
        let mut lanes: Vec<Lane<'_>> =
            messages.iter_mut().zip(parts).map(|(message, blocks)| Lane { message, blocks }).collect();
        encrypt_lanes(&mut lanes);
    }
    for (key, body) in keys.iter().zip(&bodies) {
        let expected = key.encrypt(plain.get(..body.len() * 16).unwrap_or_default());
        assert_eq!(body.as_flattened(), &expected[..body.len() * 16]);
    }
}
