//! Fragments of every form: groups, defaults, sizes of 64 bits, indexes, several tracks.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use common::build::*;
use common::*;
use playlock_cmaf::{Encryptor, Error, GROUP, Samples, Scheme, Track};

fn kinds(mut file: &[u8]) -> String {
    let mut kinds = Vec::new();
    while let Some(size) = file.first_chunk() {
        let size = u32::from_be_bytes(*size) as usize;
        kinds.push(std::str::from_utf8(&file[4..8]).unwrap());
        file = &file[size..];
    }
    kinds.join(" ")
}

fn check(plain: &[Vec<u8>], out: &[u8]) {
    let samples = read(out, 0);
    assert_eq!(samples.len(), plain.len());
    for (number, (sample, plain)) in samples.iter().zip(plain).enumerate() {
        assert_eq!(&decrypt(sample, CBCS, false), plain);
        assert_eq!(sample.time, 90_000 + 3000 * number as u64);
    }
}

fn video(random: &mut Random, sizes: &[usize]) -> Vec<Vec<u8>> {
    sizes.iter().map(|size| nal(random, *size)).collect()
}

#[test]
fn groups_end_before_the_sample_with_which_they_would_be_too_large() {
    let mut random = Random(1);
    let samples = video(&mut random, &[30_000, 30_000, 5520, 5, 100_000, 10, 65_533, 1]);
    let plain = fragment(&[Traf::new(1, samples.clone())]);
    let out = encrypt(&plain, CBCS).unwrap();
    let groups = read(&out, 0).iter().map(|sample| sample.fragment).collect::<Vec<_>>();
    assert_eq!(groups, [0, 0, 0, 1, 2, 3, 4, 5]);
    check(&samples, &out);
    let sequences = out.windows(4).enumerate().filter(|(_, kind)| kind == b"mfhd").map(|(at, _)| out[at + 11]);
    assert_eq!(sequences.collect::<Vec<_>>(), [7, 8, 9, 10, 11, 12]);
}

#[test]
fn every_set_of_fields_in_a_run() {
    let mut random = Random(2);
    let samples = video(&mut random, &[GROUP, 70, 900, GROUP, 3]);
    for more in [0, 0x400, 0x800, 0xC00] {
        let mut traf = Traf::new(1, samples.clone());
        traf.trun |= more;
        check(&samples, &encrypt(&fragment(&[traf]), CBCS).unwrap());
    }
    // The default of all samples, in the fragment's header.
    let samples = video(&mut random, &[40_000, 40_000, 40_000]);
    let mut traf = Traf::new(1, samples.clone());
    traf.trun = 1;
    traf.tfhd = full("tfhd", 0, 0x2_0038, &[&words(&[1, 3000, 40_004, 0x10_1000])]);
    let out = encrypt(&fragment(&[traf]), CBCS).unwrap();
    check(&samples, &out);
    assert_eq!(read(&out, 0).last().unwrap().fragment, 2);
}

/// `first_sample_flags` stay with the first sample.
#[test]
fn the_first_samples_flags_stay_with_it() {
    let mut random = Random(3);
    let samples = video(&mut random, &[60_000, 60_000]);
    let plain = |flags: u32, first: &[u32], offset: u32| {
        let sizes = samples.iter().map(|sample| u32::try_from(sample.len()).unwrap());
        let trun = [words(&[2, offset]), words(first), words(&sizes.collect::<Vec<_>>())].concat();
        let tfhd = full("tfhd", 0, 0x2_0008, &[&words(&[1, 3000])]);
        let tfdt = full("tfdt", 0, 0, &[&words(&[90_000])]);
        let traf = boxed("traf", &[&tfhd, &tfdt, &full("trun", 0, flags, &[&trun])]);
        boxed("moof", &[&full("mfhd", 0, 0, &[&words(&[7])]), &traf])
    };
    let length = u32::try_from(plain(0x205, &[0x0212_3456], 0).len()).unwrap();
    let moof = plain(0x205, &[0x0212_3456], length + 8);
    let out = encrypt(&[moof, boxed("mdat", &[&samples.concat()])].concat(), CBCS).unwrap();
    check(&samples, &out);
    let flags =
        out.windows(4).enumerate().filter(|(_, kind)| kind == b"trun").map(|(at, _)| out[at + 4..at + 8].to_vec());
    assert_eq!(flags.collect::<Vec<_>>(), [[0, 0, 2, 5], [0, 0, 2, 1]]);
    assert_eq!(out.windows(4).filter(|word| *word == 0x0212_3456_u32.to_be_bytes()).count(), 1);
}

/// Sizes and durations may stand in the init segment only: refused, unless they are given.
#[test]
fn defaults_of_the_init_segment() {
    let mut random = Random(4);
    let tracks = |duration, size| [Track { id: 1, samples: None, duration, size }];
    let samples = video(&mut random, &[40_000, 40_000]);
    let mut traf = Traf::new(1, samples.clone());
    traf.trun = 1;
    let plain = fragment(&[traf]);
    let with = |tracks: &[Track]| encrypt_in(&plain, 1000, settings(CBCS).with_tracks(tracks));
    assert_eq!(with(&[]), Err(Error::SizesInInit(1)));
    assert_eq!(with(&tracks(Some(3000), None)), Err(Error::SizesInInit(1)));
    assert_eq!(with(&tracks(None, Some(40_004))), Err(Error::DurationsInInit(1)));
    let out = with(&tracks(Some(3000), Some(40_004))).unwrap();
    let sizes = out.windows(4).filter(|kind| kind == b"mdat").count();
    assert_eq!(sizes, 2);
    // One group needs no durations.
    let mut traf = Traf::new(1, video(&mut random, &[100, 200]));
    traf.trun = 0x201;
    assert!(encrypt(&fragment(&[traf]), CBCS).is_ok());
    // Samples that are protected as a whole never do.
    let mut traf = Traf::new(1, (0..100).map(|_| sound(&mut random, 3000)).collect());
    traf.trun = 0x201;
    assert!(encrypt(&fragment(&[traf]), CBCS).is_ok());
}

/// A file's own `moov` gives them too, and the sort of samples.
#[test]
fn tracks_of_an_init_segment() {
    let known = |name: &str| tracks(&stream(name)[..init_end(stream(name))]);
    let track = |samples| Track { id: 1, samples: Some(samples), duration: None, size: None };
    assert_eq!(known("avc"), [track(Samples::Nal)]);
    assert_eq!(known("hevc"), [track(Samples::Nal)]);
    assert_eq!(known("av1"), [track(Samples::Whole)]);
    assert_eq!(known("opus"), [track(Samples::Whole)]);
    assert_eq!(known("wvtt")[0].samples, Some(Samples::Text));
    assert_eq!(known("stpp")[0].samples, Some(Samples::Text));
}

/// 42 ranges fit into `saiz`. With more there is only `senc`.
#[test]
fn many_ranges() {
    let mut random = Random(5);
    for (count, saiz) in [(1, true), (42, true), (43, false), (1000, false)] {
        let sample: Vec<u8> = (0..count).flat_map(|_| nal(&mut random, 60)).collect();
        let out = encrypt(&fragment(&[Traf::new(1, vec![sample.clone()])]), CBCS).unwrap();
        check(&[sample], &out);
        for kind in [b"saiz", b"saio"] {
            assert_eq!(out.windows(4).any(|found| found == kind), saiz, "{count}");
        }
        assert_eq!(read(&out, 0)[0].ranges.as_ref().unwrap().len(), count);
    }
}

/// `saio` points at the first entry of `senc`.
#[test]
fn auxiliary_information_is_where_it_is_said_to_be() {
    let out = encrypt(stream("avc-slices"), CENC).unwrap();
    let mut seen = 0;
    for (at, _) in out.windows(4).enumerate().filter(|(_, kind)| kind == b"saio") {
        let offset = u32::from_be_bytes(out[at + 12..at + 16].try_into().unwrap()) as usize;
        let moof = out[..at].windows(4).rposition(|kind| kind == b"moof").unwrap() - 4;
        let senc = at + out[at..].windows(4).position(|kind| kind == b"senc").unwrap();
        assert_eq!(moof + offset, senc + 12);
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn headers_of_64_bits_and_until_the_end() {
    let mut random = Random(6);
    for samples in [video(&mut random, &[300, 70_000, 5]), vec![sound(&mut random, 300), sound(&mut random, 70_000)]] {
        let trafs = [Traf::new(1, samples.clone())];
        let data = samples.concat();
        let wide = [moof(&trafs, 16), boxed64("mdat", &[&data])].concat();
        let endless = [moof(&trafs, 8), [&[0; 4], &b"mdat"[..], &data].concat()].concat();
        for plain in [wide, endless.clone()] {
            for scheme in [CBCS, CENC] {
                let out = encrypt(&plain, scheme).unwrap();
                for size in [1, 7, 1000] {
                    assert_eq!(encrypt_in(&plain, size, settings(scheme)), Ok(out.clone()));
                }
                // The reader finds positions by the size of an `mdat` that is known.
                let readable = samples.len() == 3 || matches!(scheme, Scheme::Cenc { .. }) || plain != endless;
                if readable {
                    let decrypted =
                        read(&out, iv_size(scheme)).iter().map(|it| decrypt(it, scheme, false)).collect::<Vec<_>>();
                    assert_eq!(decrypted, samples);
                }
            }
        }
        for cut in [endless.len() - 1, endless.len() - data.len()] {
            assert_eq!(encrypt(&endless[..cut], CBCS), Err(Error::Truncated));
        }
        assert_eq!(encrypt(&[endless, vec![0]].concat(), CBCS), Err(Error::UnreferencedData));
    }
}

/// An index stays where all lengths do. Other boxes stay in their order.
#[test]
fn boxes_around_media() {
    let mut random = Random(7);
    let styp = boxed("styp", &[b"msdh\0\0\0\0"]);
    let sidx = full("sidx", 0, 0, &[&words(&[1, 90_000, 0, 0, 1, 0x1234, 6000, 0x9000_0000])]);
    let emsg = full("emsg", 1, 0, &[&random.bytes(40)]);
    let prft = full("prft", 0, 0, &[&random.bytes(20)]);
    let free = boxed("free", &[&random.bytes(20)]);
    let around = |media: &[u8]| [&styp[..], &sidx, &emsg, &prft, media, &free].concat();
    let sound = fragment(&[Traf::new(1, vec![sound(&mut random, 500), sound(&mut random, 9)])]);
    let text = fragment(&[Traf::new(1, vec![boxed("vtte", &[])])]);
    for media in [sound.clone(), text] {
        let out = encrypt(&around(&media), CBCS).unwrap();
        assert_eq!(kinds(&out), "styp sidx emsg prft moof mdat free");
        assert_eq!(out.len(), around(&media).len());
    }
    assert_eq!(kinds(&encrypt(&around(&sound), CENC).unwrap()), "styp emsg prft moof mdat free");
    let pictures = fragment(&[Traf::new(1, video(&mut random, &[70_000, 70_000]))]);
    assert_eq!(kinds(&encrypt(&around(&pictures), CBCS).unwrap()), "styp emsg prft moof mdat moof mdat free");
    // Between `moof` and `mdat` too.
    let traf = Traf::new(1, video(&mut random, &[100]));
    let between =
        [moof(std::slice::from_ref(&traf), 8 + free.len()), free.clone(), boxed("mdat", &[&traf.samples.concat()])]
            .concat();
    assert_eq!(kinds(&encrypt(&between, CBCS).unwrap()), "free moof mdat");
    assert_eq!(encrypt(&sidx, CBCS), Err(Error::IndexOnly));
    assert_eq!(encrypt(&[], CBCS), Ok(vec![]));
    assert_eq!(encrypt(&styp, CBCS), Ok(styp));
}

/// Each chunk of a low-latency segment leaves with its last byte.
#[test]
fn chunks_leave_without_delay() {
    let mut random = Random(8);
    let chunks = [
        fragment(&[Traf::new(1, video(&mut random, &[900, 20, 70_000]))]),
        fragment(&[Traf::new(1, vec![sound(&mut random, 500)])]),
        fragment(&[Traf::new(2, vec![boxed("vtte", &[])])]),
    ];
    for scheme in [CBCS, CENC] {
        for chunk in &chunks {
            let mut encryptor = Encryptor::new(settings(scheme));
            for _ in 0..3 {
                let out = encryptor.push(chunk.clone()).unwrap().into_vec();
                assert!(out.len() >= chunk.len());
                assert!(kinds(&out).ends_with("mdat"));
            }
            assert!(encryptor.finish().unwrap().is_empty());
        }
    }
}

/// Two tracks in one fragment: the data of one, then of the other, or in turns.
#[test]
fn several_tracks() {
    let mut random = Random(9);
    let sounds: Vec<_> = (0..50).map(|_| sound(&mut random, 700)).collect();
    let cues = vec![boxed("vtte", &[]), boxed("vttc", &[&boxed("payl", &[b"A cue of more than sixteen bytes"])])];
    let pictures = video(&mut random, &[30_000, 50_000, 100]);
    let plain = fragment(&[Traf::new(1, pictures.clone()), Traf::new(2, sounds.clone()), Traf::new(3, cues.clone())]);
    for (_, scheme) in SCHEMES {
        let out = encrypt(&plain, scheme).unwrap();
        for (track, samples) in [(1, &pictures), (2, &sounds), (3, &cues)] {
            let found: Vec<_> =
                read(&out, iv_size(scheme)).into_iter().filter(|sample| sample.track == track).collect();
            assert_eq!(found.len(), samples.len());
            for (number, (found, sample)) in found.iter().zip(samples).enumerate() {
                assert_eq!(&decrypt(found, scheme, track == 3), sample);
                assert_eq!(found.time, 90_000 + 3000 * number as u64);
            }
        }
        for size in [1, 1000] {
            assert_eq!(encrypt_in(&plain, size, settings(scheme)), Ok(out.clone()));
        }
    }
}

/// The data of two tracks in turns, and those of the second first.
#[test]
fn tracks_in_turns() {
    let mut random = Random(13);
    let pictures = video(&mut random, &[30_000, 20_000, 40_000]);
    let sounds: Vec<_> = (0..3).map(|_| sound(&mut random, 700)).collect();
    let data: Vec<u8> = (0..3).flat_map(|at| [&sounds[at], &pictures[at]]).flatten().copied().collect();
    let build = |length: usize| {
        let mut at = length;
        let mut runs = [Vec::new(), Vec::new()];
        for number in 0..3 {
            for (track, sample) in [(1, &sounds[number]), (0, &pictures[number])] {
                let fields = [1, u32::try_from(at).unwrap(), 3000, u32::try_from(sample.len()).unwrap()];
                runs[track].extend(full("trun", 0, 0x301, &[&words(&fields)]));
                at += sample.len();
            }
        }
        let traf = |track: u32, runs: &[u8]| {
            let tfdt = full("tfdt", 0, 0, &[&words(&[90_000])]);
            boxed("traf", &[&full("tfhd", 0, 0x2_0000, &[&words(&[track])]), &tfdt, runs])
        };
        boxed("moof", &[&full("mfhd", 0, 0, &[&words(&[7])]), &traf(1, &runs[0]), &traf(2, &runs[1])])
    };
    let moof = build(build(0).len() + 8);
    for (_, scheme) in SCHEMES {
        let plain = [&moof[..], &boxed("mdat", &[&data])].concat();
        let out = encrypt(&plain, scheme).unwrap();
        assert_eq!(kinds(&out), "moof mdat moof mdat");
        for (track, samples) in [(1, &pictures), (2, &sounds)] {
            let found: Vec<_> =
                read(&out, iv_size(scheme)).into_iter().filter(|sample| sample.track == track).collect();
            let decrypted: Vec<_> = found.iter().map(|sample| decrypt(sample, scheme, false)).collect();
            assert_eq!(&decrypted, samples);
            assert_eq!(found.iter().map(|sample| sample.time).collect::<Vec<_>>(), [90_000, 93_000, 96_000]);
        }
    }
    // Data that two runs share, and runs of a track that are not in their order.
    let place =
        |number: usize| moof.windows(4).enumerate().filter(|(_, kind)| kind == b"trun").nth(number).unwrap().0 + 12;
    let swap = |a: usize, b: usize| {
        let mut moof = moof.clone();
        let (first, second) = (place(a), place(b));
        (0..4).for_each(|byte| moof.swap(first + byte, second + byte));
        encrypt(&[moof, boxed("mdat", &[&data])].concat(), CBCS)
    };
    assert_eq!(swap(0, 3), Err(Error::DataOffset));
    assert_eq!(swap(3, 4), Err(Error::DataOffset));
}

/// Samples without bytes stand between the others.
#[test]
fn empty_samples() {
    let mut random = Random(10);
    let mut samples = video(&mut random, &[100, 70_000]);
    samples.insert(0, vec![]);
    samples.insert(2, vec![]);
    samples.push(vec![]);
    check(&samples, &encrypt(&fragment(&[Traf::new(1, samples.clone())]), CBCS).unwrap());
    let sounds = vec![vec![], sound(&mut random, 100), vec![], vec![], sound(&mut random, 5), vec![]];
    for scheme in [CBCS, CENC] {
        let plain = fragment(&[Traf::new(1, sounds.clone())]);
        let out = encrypt(&plain, scheme).unwrap();
        let found: Vec<_> = read(&out, iv_size(scheme)).iter().map(|it| decrypt(it, scheme, false)).collect();
        assert_eq!(found, sounds);
        assert_eq!(encrypt_in(&plain, 1, settings(scheme)), Ok(out));
    }
    let nothing = fragment(&[Traf::new(1, vec![])]);
    assert_eq!(encrypt(&nothing, CBCS), Ok(nothing.clone()));
    assert_eq!(encrypt(&nothing[..nothing.len() - 8], CBCS), Ok(nothing[..nothing.len() - 8].to_vec()));
}

/// Sample groups and dependencies follow their samples into the groups.
#[test]
fn boxes_beside_the_run() {
    let mut random = Random(11);
    let mut traf = Traf::new(1, video(&mut random, &[60_000, 60_000, 100]));
    let sgpd = full("sgpd", 1, 0, &[b"roll", &words(&[2, 1]), &[0xFF, 0xFF]]);
    let sbgp = full("sbgp", 0, 0, &[b"roll", &words(&[2, 2, 1, 1, 0])]);
    traf.more = [full("sdtp", 0, 0, &[&[1, 2, 3]]), sgpd.clone(), sbgp, boxed("uuid", &[&[7; 30]])].concat();
    let out = encrypt(&fragment(&[traf]), CBCS).unwrap();
    let find = |wanted: &[u8]| out.windows(wanted.len()).filter(|found| *found == wanted).count();
    assert_eq!(find(&full("sdtp", 0, 0, &[&[1]])), 1);
    assert_eq!(find(&full("sdtp", 0, 0, &[&[2, 3]])), 1);
    assert_eq!(find(&sgpd), 2);
    assert_eq!(find(&full("sbgp", 0, 0, &[b"roll", &words(&[1, 1, 1])])), 1);
    assert_eq!(find(&full("sbgp", 0, 0, &[b"roll", &words(&[2, 1, 1, 1, 0])])), 1);
    assert_eq!(find(b"uuid"), 0);
}

/// `tfhd` with a base data offset: it counts from the beginning of the stream.
#[test]
fn absolute_offsets() {
    let mut random = Random(12);
    let build = |position: usize, samples: &[Vec<u8>]| {
        let mut traf = Traf::new(1, samples.to_vec());
        traf.tfhd = full("tfhd", 0, 1, &[&words(&[1]), &u64::try_from(position).unwrap().to_be_bytes()]);
        fragment(&[traf])
    };
    for sort in 0..2 {
        let samples = |random: &mut Random| match sort {
            0 => video(random, &[50_000, 50_000]),
            _ => vec![sound(random, 500)],
        };
        let samples = [samples(&mut random), samples(&mut random)];
        let first = build(0, &samples[0]);
        let plain = [&first[..], &build(first.len(), &samples[1])].concat();
        let out = encrypt(&plain, CBCS).unwrap();
        assert_eq!(out.len() == plain.len(), sort == 1);
        if sort == 0 {
            let found: Vec<_> = read(&out, 0).iter().map(|sample| decrypt(sample, CBCS, false)).collect();
            assert_eq!(found, samples.concat());
        }
        // Positions that are not the fragment's, and such that were moved.
        assert_eq!(encrypt(&build(1, &samples[0]), CBCS), Err(Error::DataOffset));
        let moved = [fragment(&[Traf::new(2, video(&mut random, &[50]))]), build(0, &samples[0])].concat();
        assert!(encrypt(&moved, CBCS).is_err());
    }
}
