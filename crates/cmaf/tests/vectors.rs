//! Real streams: samples as a second implementation encrypts them, decrypted as players do, in any cut.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use common::*;
use playlock_cmaf::{Coverage, common_pssh};
use sha2::{Digest, Sha256};

/// Every line of `vectors/expected.txt`.
#[test]
fn samples_as_a_second_implementation_encrypts_them() {
    let mut seen = 0;
    for line in include_str!("vectors/expected.txt").lines() {
        let [name, scheme, count, expected] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let scheme = SCHEMES.iter().find(|known| known.0 == scheme).unwrap().1;
        let samples = read(&encrypt(stream(name), scheme).unwrap(), iv_size(scheme));
        assert_eq!(samples.len().to_string(), count, "{line}");
        let mut digest = Sha256::new();
        samples.iter().for_each(|sample| digest.update(&sample.data));
        assert_eq!(base16ct::lower::encode_string(&digest.finalize()), expected, "{line}");
        seen += 1;
    }
    assert_eq!(seen, STREAMS.len() * SCHEMES.len());
}

#[test]
fn a_player_decrypts_every_sample() {
    for (name, plain, nal) in STREAMS {
        let text = ["wvtt", "stpp"].contains(&name);
        let before = read(plain, 0);
        for (scheme_name, scheme) in SCHEMES {
            let after = read(&encrypt(plain, scheme).unwrap(), iv_size(scheme));
            assert_eq!(before.len(), after.len());
            for (before, after) in before.iter().zip(&after) {
                assert_eq!(decrypt(after, scheme, text), before.data, "{name} {scheme_name}");
                assert_eq!(after.time, before.time, "{name} {scheme_name}");
                assert_eq!(after.ranges.is_some(), nal);
                assert!(text || after.data.len() < 64 || after.data != before.data, "{name} {scheme_name}");
            }
        }
    }
}

/// One block in so many of each NAL unit under cbcs, by the share that is asked for.
const PATTERNS: [(u8, u8); 7] = [(1, 10), (10, 10), (25, 4), (30, 3), (50, 2), (51, 1), (100, 1)];

/// The init segment's signalling decrypts the media segments, at every share, and other streams do not change with it.
#[test]
fn every_share_is_decrypted_by_what_the_init_segment_says() {
    for (name, plain, nal) in STREAMS {
        let text = ["wvtt", "stpp"].contains(&name);
        let before = read(plain, 0);
        for (scheme_name, scheme) in SCHEMES {
            for (share, every) in PATTERNS {
                let covered = || settings(scheme).with_coverage(Coverage::percent(share).unwrap());
                let out = encrypt_in(plain, 1000, covered()).unwrap();
                if !nal {
                    assert_eq!(out, encrypt(plain, scheme).unwrap(), "{name} {scheme_name} {share}");
                    continue;
                }
                if scheme_name == "cbcs" {
                    let tenc = out.windows(4).position(|kind| kind == b"tenc").unwrap();
                    assert_eq!(out[tenc + 9], 1 << 4 | (every - 1), "{name} {share}");
                }
                for (before, after) in before.iter().zip(read(&out, iv_size(scheme))) {
                    let decrypted = decrypt_by(&after, scheme, text, every.into());
                    assert_eq!(decrypted, before.data, "{name} {scheme_name} {share}");
                }
            }
        }
    }
}

#[test]
fn any_cut_gives_the_same_bytes() {
    let mut random = Random(1);
    for (name, plain, _) in STREAMS {
        for (scheme_name, scheme) in SCHEMES {
            let whole = encrypt(plain, scheme).unwrap();
            for size in [1, 2, 3, 7, 15, 16, 17, 61, 1000, 4096] {
                assert_eq!(encrypt_in(plain, size, settings(scheme)).unwrap(), whole, "{name} {scheme_name} {size}");
            }
            for _ in 0..20 {
                let mut encryptor = playlock_cmaf::Encryptor::new(settings(scheme));
                let (mut rest, mut out) = (plain, Vec::new());
                while !rest.is_empty() {
                    let size = random.below(300) * random.below(4);
                    let (chunk, behind) = rest.split_at(size.min(rest.len()));
                    out.extend(encryptor.push(chunk.to_vec()).unwrap().into_vec());
                    rest = behind;
                }
                out.extend(encryptor.finish().unwrap().into_vec());
                assert_eq!(out, whole, "{name} {scheme_name}");
            }
        }
    }
}

/// An init segment and its media segments are requested apart.
#[test]
fn a_media_segment_needs_no_init_segment() {
    for (name, plain, _) in STREAMS {
        for (scheme_name, scheme) in SCHEMES {
            let (init, media) = plain.split_at(init_end(plain));
            // The index at the end of a file holds positions, which the file's own `moov` shifts.
            let media = &media[..media.windows(4).position(|kind| kind == b"mfra").map_or(media.len(), |at| at - 4)];
            let whole = encrypt(&[init, media].concat(), scheme).unwrap();
            let apart = [encrypt(init, scheme).unwrap(), encrypt(media, scheme).unwrap()].concat();
            assert_eq!(apart, whole, "{name} {scheme_name}");
        }
    }
}

/// `encv` and `enca` around what the entry was, and nothing else changes but sizes.
#[test]
fn an_init_segment_changes_in_its_sample_entry_only() {
    for (name, plain, nal) in STREAMS {
        let init = &plain[..init_end(plain)];
        for (scheme_name, scheme) in SCHEMES {
            let out = encrypt(init, scheme).unwrap();
            if ["wvtt", "stpp"].contains(&name) {
                assert_eq!(out, init, "{name}");
                continue;
            }
            let at = out.windows(4).position(|kind| kind == b"sinf").unwrap() - 4;
            let size = u32::from_be_bytes(out[at..at + 4].try_into().unwrap()) as usize;
            let sinf = &out[at..at + size];
            let mut restored = [&out[..at], &out[at + size..]].concat();
            // The sizes of `moov`, `trak`, `mdia`, `minf`, `stbl`, `stsd` and of the entry, and its type.
            let entry = restored.windows(4).position(|kind| kind == b"encv" || kind == b"enca").unwrap();
            let format = &sinf[16..20];
            restored[entry..entry + 4].copy_from_slice(format);
            let mut at = 0;
            for kind in [&b"moov"[..], b"trak", b"mdia", b"minf", b"stbl", b"stsd", format] {
                at += restored[at + 4..].windows(4).position(|found| found == kind).unwrap();
                let old = u32::from_be_bytes(restored[at..at + 4].try_into().unwrap()) as usize - size;
                restored[at..at + 4].copy_from_slice(&u32::try_from(old).unwrap().to_be_bytes());
            }
            assert_eq!(restored, init, "{name} {scheme_name}");
            let tenc = match scheme_name {
                "cbcs" => {
                    let pattern = if nal { 0x19 } else { 0 };
                    [&[1, 0, 0, 0, 0, pattern, 1, 0], &KID[..], &[16], &IV].concat()
                }
                _ => [&[0, 0, 0, 0, 0, 0, 1, 16], &KID[..]].concat(),
            };
            assert!(sinf.ends_with(&tenc), "{name} {scheme_name}");
        }
    }
}

/// W3C's example box but for the key ID.
#[test]
fn a_common_pssh_at_the_end_of_the_moov() {
    let init = &stream("avc")[..init_end(stream("avc"))];
    let pssh = common_pssh(&[KID]);
    assert_eq!(
        base16ct::lower::encode_string(&pssh),
        "00000034707373680100000\
         01077efecc0b24d02ace33c1e52e2fb4b\
         0000000100112233445566778899aabbccddeeff00000000"
    );
    let plain = encrypt(init, CBCS).unwrap();
    let out = encrypt_in(init, 100, settings(CBCS).with_pssh(&pssh)).unwrap();
    assert!(out.ends_with(&pssh));
    assert_eq!(out.len(), plain.len() + pssh.len());
    assert_eq!(out[init_end(&out) - pssh.len()..], pssh);
    // A text track gets none.
    let text = &stream("wvtt")[..init_end(stream("wvtt"))];
    assert_eq!(encrypt_in(text, 100, settings(CBCS).with_pssh(&pssh)).unwrap(), text);
}
