//! No two plaintexts meet under one counter block of cenc, whatever an origin serves under a name, and equal ones are encrypted
//! alike.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use std::collections::HashMap;

use common::build::*;
use common::*;
use playlock_cmaf::{Coverage, GROUP};

/// Every counter block that has been used under the key, and the bytes that it encrypted.
#[derive(Default)]
struct Used {
    blocks: HashMap<u128, Vec<u8>>,
    /// How often a counter block came again, with the same bytes.
    again: usize,
    /// Streams that were refused.
    refused: usize,
}

impl Used {
    /// Encrypts a fragment and adds what its keystream met.
    fn add(&mut self, plain: &[u8], share: u8) {
        let covered = settings(CENC).with_coverage(Coverage::percent(share).unwrap());
        let Ok(out) = encrypt_in(plain, 1000, covered) else {
            self.refused += 1;
            return;
        };
        for sample in read(&out, 16).iter().filter(|sample| !sample.iv.is_empty()) {
            let clear = decrypt(sample, CENC, false);
            let ranges = sample.ranges.clone().unwrap_or_else(|| vec![(0, clear.len())]);
            let (mut protected, mut at) = (Vec::new(), 0);
            for (before, length) in ranges {
                at += before + length;
                protected.extend_from_slice(&clear[at - length..at]);
            }
            let first = u128::from_be_bytes(sample.iv.as_slice().try_into().unwrap());
            for (bytes, number) in protected.chunks(16).zip(0..) {
                match self.blocks.insert(first + number, bytes.to_vec()) {
                    Some(before) if before == bytes => self.again += 1,
                    Some(before) => panic!("{before:x?} and {bytes:x?} under one counter block"),
                    None => {}
                }
            }
        }
    }
}

fn pictures(random: &mut Random) -> Vec<Vec<u8>> {
    let mut picture = |slices: usize| -> Vec<u8> {
        (0..slices)
            .flat_map(|_| {
                let size = 20 + random.below(700);
                nal(random, size)
            })
            .collect()
    };
    (0..12).map(|number| picture(1 + number % 4)).collect()
}

fn sounds(random: &mut Random) -> Vec<Vec<u8>> {
    (0..30)
        .map(|_| {
            let size = 1 + random.below(300);
            sound(random, size)
        })
        .collect()
}

/// Bytes of a fragment's data changed, one at a time, its samples in another order, cut at other places, with other
/// neighbours, as another sort, and with other shares: all under one key, as an origin may serve it under one name.
#[test]
fn no_two_plaintexts_share_a_counter_block() {
    let mut random = Random(11);
    let (pictures, sounds) = (pictures(&mut random), sounds(&mut random));
    let mut used = Used::default();
    for samples in [&pictures, &sounds] {
        let one = |samples: &[Vec<u8>]| fragment(&[Traf::new(1, samples.to_vec())]);
        let plain = one(samples);
        used.add(&plain, 100);
        let data = samples.iter().map(Vec::len).sum::<usize>();
        for at in (plain.len() - data..plain.len()).step_by(7) {
            let mut other = plain.clone();
            other[at] ^= 1 << random.below(8);
            used.add(&other, 100);
        }
        // The same bytes as other samples: the end of one moves into the next.
        for number in 1..samples.len() {
            let mut cut = samples.clone();
            let byte = cut[number - 1].pop().unwrap();
            cut[number].insert(0, byte);
            used.add(&one(&cut), 100);
            let mut swapped = samples.clone();
            swapped.swap(number - 1, number);
            used.add(&one(&swapped), 100);
            used.add(&one(&samples[number..]), 100);
            used.add(&one(&samples[..number]), 100);
        }
        used.add(&one(&[samples.concat()]), 100);
        // A byte more makes NAL units something else, and zeros are what padding looks like.
        for more in 1..=33 {
            let mut longer = samples.clone();
            longer.last_mut().unwrap().extend(vec![0; more]);
            used.add(&one(&longer), 100);
            longer.push(vec![0; more]);
            used.add(&one(&longer), 100);
        }
        for share in 1..=100 {
            used.add(&plain, share);
        }
    }
    // Both tracks in one fragment, in either order.
    let (a, b) = (Traf::new(1, pictures), Traf::new(2, sounds));
    used.add(&fragment(&[a.clone(), b.clone()]), 100);
    used.add(&fragment(&[b, a]), 100);
    assert!(used.blocks.len() > 50_000, "{}", used.blocks.len());
    assert!(used.again > 0 && used.refused < 1000, "{} {}", used.again, used.refused);
}

/// Equal samples are equal bytes: for every request, in any cut, in whatever stream, with whatever times.
#[test]
fn equal_groups_are_encrypted_alike() {
    let mut random = Random(12);
    let samples = pictures(&mut random);
    let plain = fragment(&[Traf::new(1, samples.clone())]);
    let mut later = Traf::new(1, samples);
    later.tfdt = full("tfdt", 1, 0, &[&7_u64.to_be_bytes()]);
    let all = [&plain[..], &fragment(&[later]), &plain].concat();
    let out = read(&encrypt(&all, CENC).unwrap(), 16);
    let groups: Vec<_> = out.chunk_by(|a, b| a.fragment == b.fragment).collect();
    assert_eq!(groups.len(), 3);
    for group in &groups {
        for (one, other) in group.iter().zip(groups[0]) {
            assert_eq!((&one.data, &one.iv), (&other.data, &other.iv));
        }
    }
}

/// The groups of a stream have other IVs each, and a group's samples follow one another.
#[test]
fn counters_run_through_a_group() {
    let mut random = Random(13);
    let samples: Vec<_> =
        [30_000, 20_000, 40_000, 100_000, 17, 1, 60_000].iter().map(|size| sound(&mut random, *size)).collect();
    let out = read(&encrypt(&fragment(&[Traf::new(1, samples)]), CENC).unwrap(), 16);
    let groups: Vec<_> = out.chunk_by(|a, b| a.fragment == b.fragment).collect();
    assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [2, 1, 1, 3]);
    let mut begins: Vec<_> = groups.iter().map(|group| group[0].iv[..12].to_vec()).collect();
    for group in &groups {
        assert!(group.iter().map(|sample| sample.data.len()).sum::<usize>() <= GROUP.max(100_000));
        let mut blocks = 0_u32;
        for sample in *group {
            assert_eq!(sample.iv, [&group[0].iv[..12], &blocks.to_be_bytes()].concat());
            blocks += u32::try_from(sample.data.len().div_ceil(16)).unwrap();
        }
    }
    begins.sort_unstable();
    begins.dedup();
    assert_eq!(begins.len(), groups.len());
}
