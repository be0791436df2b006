//! Properties of any input: bounded memory, no plaintext but in the clear parts, no panic.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use std::collections::HashSet;

use common::build::*;
use common::*;
use playlock_cmaf::{Coverage, Encryptor, Error, GROUP, Scheme};

/// 6 seconds of 8 Mbit/s at 50 pictures a second: an IDR picture of 300 KB, and others of 5 to 30 KB, of eight slices.
fn six_megabytes(random: &mut Random) -> Vec<Vec<u8>> {
    let sizes = (0..300).map(|number| if number == 0 { 300_000 } else { 5000 + number * 977 % 30_000 });
    sizes.map(|size| (0..8).flat_map(|_| nal(random, size / 8)).collect()).collect()
}

/// The most bytes that are held between chunks of this size.
fn most_held(plain: &[u8], chunk: usize, scheme: Scheme<'_>) -> usize {
    let mut encryptor = Encryptor::new(settings(scheme));
    let mut most = 0;
    for chunk in plain.chunks(chunk) {
        encryptor.push(chunk.to_vec()).unwrap();
        most = most.max(encryptor.held());
    }
    encryptor.finish().unwrap();
    most
}

#[test]
fn a_stream_holds_a_group_or_its_largest_sample() {
    let mut random = Random(1);
    let samples = six_megabytes(&mut random);
    let largest = samples.iter().map(Vec::len).max().unwrap();
    let traf = Traf::new(1, samples.clone());
    let plain = fragment(std::slice::from_ref(&traf));
    assert!(plain.len() > 5_500_000);
    // The `moof`, what is known of it, and the ranges of a group.
    let beside = moof(&[traf], 8).len() + 2048;
    for chunk in [1400, 16_384, 65_536, 1 << 20] {
        for scheme in [CBCS, CENC] {
            let most = most_held(&plain, chunk, scheme);
            assert!(most <= largest.max(GROUP) + beside, "{most}");
            // A chunk that holds the largest sample leaves at once.
            assert!(chunk > largest || most > largest, "{most}");
        }
    }
    // Without a large picture it is a group.
    let plain = fragment(&[Traf::new(1, samples[1..].to_vec())]);
    let most = most_held(&plain, 16_384, CBCS);
    assert!(most > GROUP / 2 && most <= GROUP + beside, "{most}");
}

#[test]
fn samples_that_are_protected_as_a_whole_are_not_held() {
    let mut random = Random(2);
    let samples: Vec<_> = [6_000_000, 100, 300_000, 7].iter().map(|size| sound(&mut random, *size)).collect();
    let plain = fragment(&[Traf::new(1, samples)]);
    for chunk in [1400, 65_536] {
        let most = most_held(&plain, chunk, CBCS);
        assert!(most < 2048, "{most}");
        // Under cenc their IVs follow from them, so that they are held as video is.
        let most = most_held(&plain, chunk, CENC);
        assert!(most > 6_000_000 && most < 6_000_000 + 2048, "{most}");
    }
}

/// A size that lies makes nobody reserve memory.
#[test]
fn a_size_that_lies_costs_nothing() {
    let size = 16_000_000_u32;
    let traf = Traf::new(1, vec![[&size.to_be_bytes()[..], &vec![0x25; size as usize]].concat()]);
    let plain = fragment(std::slice::from_ref(&traf));
    let mut encryptor = Encryptor::new(settings(CBCS));
    encryptor.push(plain[..1000].to_vec()).unwrap();
    assert!(encryptor.held() <= GROUP + 1000);
    let mut encryptor = Encryptor::new(settings(CBCS).with_tracks(&tracks(&stream("avc")[..init_end(stream("avc"))])));
    encryptor.push(plain[..1000].to_vec()).unwrap();
    assert!(encryptor.held() <= GROUP + 1000);
    encryptor.push(plain[1000..200_000].to_vec()).unwrap();
    assert!(encryptor.held() <= 2 * 200_000 + 1000);
    assert_eq!(encryptor.finish().unwrap_err(), Error::Truncated);
}

/// The positions of the blocks of a sample that must not leave in clear with this share in percent.
fn secret_blocks(sample: &[u8], nal: bool, scheme: Scheme<'_>, share: usize) -> Vec<usize> {
    if !nal {
        return (0..sample.len() / 16).map(|block| block * 16).collect();
    }
    let (mut secret, mut at) = (Vec::new(), 0);
    while at < sample.len() {
        let end = at + 4 + u32::from_be_bytes(sample[at..at + 4].try_into().unwrap()) as usize;
        let count = (end - at).saturating_sub(36) / 16;
        if matches!(scheme, Scheme::Cbcs { .. }) {
            // Evenly: at least so many of every hundred, of every run of blocks from the first one on.
            let every = (1..=10).rev().find(|every| 100 >= every * share.max(10)).unwrap_or(1);
            let blocks: Vec<_> = (0..count).step_by(every).map(|block| at + 36 + block * 16).collect();
            assert!(blocks.len() * 100 >= count * share);
            secret.extend(blocks);
        } else {
            let first = end - count * 16;
            secret.extend((0..(count * share).div_ceil(100)).map(|block| first + block * 16));
        }
        at = end;
    }
    secret
}

/// No block of the origin's payload leaves but in the clear parts: not anywhere in the output, at any position.
#[test]
fn no_secret_block_leaves() {
    let mut random = Random(4);
    let video = |random: &mut Random| -> Vec<Vec<u8>> {
        let sample = |random: &mut Random| {
            let count = 1 + random.below(6);
            (0..count)
                .flat_map(|_| {
                    let size = 1 + random.below(9000);
                    nal(random, size)
                })
                .collect()
        };
        (0..30).map(|_| sample(random)).collect()
    };
    let sounds = |random: &mut Random| -> Vec<Vec<u8>> {
        (0..40)
            .map(|_| {
                let size = 9 + random.below(2000);
                sound(random, size)
            })
            .collect()
    };
    for round in 0..4 {
        let trafs = match round {
            0 => vec![(video(&mut random), true)],
            1 => vec![(sounds(&mut random), false)],
            2 => vec![(video(&mut random), true), (sounds(&mut random), false)],
            _ => vec![(sounds(&mut random), false), (video(&mut random), true)],
        };
        let built: Vec<_> =
            trafs.iter().zip(1..).map(|((samples, _), track)| Traf::new(track, samples.clone())).collect();
        let plain = fragment(&built);
        let shares = SCHEMES.iter().flat_map(|scheme| [10_u8, 50, 100].map(|share| (scheme, share)));
        // The tracks do not concern each other.
        let shares = shares.filter(|(_, share)| round == 0 || *share == 100);
        for ((name, scheme), share) in shares {
            let settings = settings(*scheme).with_coverage(Coverage::percent(share).unwrap());
            let out = encrypt_in(&plain, usize::MAX, settings).unwrap();
            let leaves: HashSet<&[u8]> = out.windows(16).collect();
            let mut secrets = 0;
            for (samples, nal) in &trafs {
                for sample in samples {
                    for at in secret_blocks(sample, *nal, *scheme, share.into()) {
                        assert!(!leaves.contains(&sample[at..at + 16]), "{round} {name} {share} {at}");
                        secrets += 1;
                    }
                }
            }
            assert!(secrets > 500, "{secrets}");
        }
    }
}

/// The result of encrypting `bytes`, which is the same in a random cut, with bounded memory.
fn check_cuts(bytes: &[u8], scheme: Scheme<'_>, random: &mut Random) -> Result<Vec<u8>, Error> {
    let whole = encrypt(bytes, scheme);
    let mut encryptor = Encryptor::new(settings(scheme));
    let mut cut = Ok(Vec::new());
    let size = 1 + random.below(300);
    for chunk in bytes.chunks(size) {
        match encryptor.push(chunk.to_vec()) {
            Ok(out) => cut.iter_mut().for_each(|all| all.extend(out.pieces().flatten())),
            Err(error) => {
                cut = Err(error);
                break;
            }
        }
        assert!(encryptor.held() < 300_000);
    }
    let cut = cut.and_then(|mut all| {
        all.extend(encryptor.finish()?.into_vec());
        Ok(all)
    });
    assert_eq!(cut, whole);
    whole
}

/// Fragments of several tracks with random faults in their boxes.
#[test]
fn faults_in_fragments() {
    let mut random = Random(7);
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..if cfg!(debug_assertions) { 500 } else { 20_000 } {
        let mut bytes = Vec::new();
        for _ in 0..=random.below(3) {
            bytes.extend(random_fragment(&mut random));
        }
        for _ in 0..random.below(4) {
            let kinds = [&b"moof"[..], b"traf", b"tfhd", b"tfdt", b"trun", b"sbgp", b"mdat"];
            let begins = bytes.windows(4).enumerate().filter(|(_, kind)| kinds.contains(kind)).map(|(at, _)| at);
            let begins: Vec<_> = begins.collect();
            let Some(begin) = begins.get(random.below(begins.len())) else { break };
            let at = (begin + random.below(40)).saturating_sub(4).min(bytes.len() - 1);
            match random.below(5) {
                0 => bytes[at] = [0, 1, 2, 8, 16, 0x7F, 0x80, 0xFF][random.below(8)],
                1 => bytes[at] ^= 1 << random.below(8),
                2 => drop(bytes.remove(at)),
                3 => bytes.insert(at, 0),
                _ => {
                    let value = u32::try_from(random.below(70_000)).unwrap().to_be_bytes();
                    bytes.iter_mut().skip(at).zip(value).for_each(|(byte, value)| *byte = value);
                }
            }
        }
        match check_cuts(&bytes, SCHEMES[round % 2].1, &mut random) {
            Ok(_) => accepted += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(accepted > 50 && refused > 200, "{accepted} {refused}");
}

fn random_fragment(random: &mut Random) -> Vec<u8> {
    let tracks = 1 + random.below(3);
    let trafs = (0..tracks).zip(1..).map(|(_, track)| {
        let sort = random.below(3);
        let mut sample = || match sort {
            0 => {
                let sizes: Vec<_> = (0..=random.below(4)).map(|_| 1 + random.below(400)).collect();
                sizes.iter().flat_map(|size| nal(random, *size)).collect()
            }
            1 => {
                let size = random.below(900);
                sound(random, size)
            }
            _ => boxed("vttc", &[&boxed("payl", &[b"A cue"])]),
        };
        let samples = [(); 7].map(|()| sample());
        let count = random.below(8);
        let mut traf = Traf::new(track, samples[..count].to_vec());
        traf.trun = [0x201, 0x301, 0x701, 0xF01][random.below(4)];
        if random.below(4) == 0 {
            traf.more = full("sbgp", 0, 0, &[b"roll", &words(&[1, 5, 1])]);
        }
        traf
    });
    fragment(&trafs.collect::<Vec<_>>())
}

/// Real streams with random faults: the same result in any cut, bounded memory, no panic; and whatever comes out has no sample
/// as it went in.
#[test]
fn random_faults() {
    let mut random = Random(5);
    let rounds = if cfg!(debug_assertions) { 40 } else { 600 };
    let mut refused = 0;
    for (_, plain, nal) in STREAMS {
        let originals: HashSet<Vec<u8>> =
            read(plain, 0).into_iter().map(|sample| sample.data).filter(|data| data.len() > 100).collect();
        for round in 0..rounds {
            let mut bytes = plain.to_vec();
            for _ in 0..=random.below(3) {
                let at = match random.below(3) {
                    0 => random.below(bytes.len()),
                    // Where the boxes are.
                    _ => random.below(bytes.len().min(1500)),
                };
                match random.below(5) {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
                    2 => drop(bytes.remove(at.min(bytes.len().saturating_sub(1)))),
                    3 => bytes[at] = [0, 1, 8, 16, 0x7F, 0x80, 0xFF][random.below(7)],
                    _ => bytes[at] ^= 1 << random.below(8),
                }
                if bytes.is_empty() {
                    bytes.push(0);
                }
            }
            let whole = check_cuts(&bytes, SCHEMES[round % 2].1, &mut random);
            refused += usize::from(whole.is_err());
            let Ok(out) = whole else { continue };
            // Samples of video are clear for the most part, but none is whole.
            if nal || round % 8 == 0 {
                for original in originals.iter().filter(|_| !original_is_text(plain)) {
                    assert!(!contains(&out, original));
                }
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

fn original_is_text(plain: &[u8]) -> bool {
    contains(plain, b"wvtt") || contains(plain, b"stpp")
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|found| found == part)
}

/// Bytes that are no boxes.
#[test]
fn noise() {
    let mut random = Random(6);
    for _ in 0..2000 {
        let length = random.below(200);
        let mut bytes = random.bytes(length);
        if random.below(2) == 0 {
            bytes.splice(..bytes.len().min(4), [0, 0, 0, u8::try_from(random.below(200)).unwrap()]);
            let kinds = [b"moof", b"mdat", b"moov", b"sidx", b"free"];
            bytes.splice(bytes.len().min(4)..bytes.len().min(8), *kinds[random.below(5)]);
        }
        let whole = encrypt(&bytes, CBCS);
        assert_eq!(encrypt_in(&bytes, 1, settings(CBCS)), whole);
    }
}
