//! Streams that are refused, each with its reason: never plaintext, never a short success.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use common::build::*;
use common::*;
use playlock_cmaf::{Encryptor, Error, FourCc, MAX_BOX, MAX_SAMPLE};

fn kind(kind: &[u8; 4]) -> FourCc {
    FourCc(*kind)
}

/// The bytes with the first occurrence of `from` replaced.
fn with(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|found| found == from).expect("the bytes to replace");
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

/// The bytes with `to` written `offset` bytes after the beginning of the first box of this type's type field.
fn at(bytes: &[u8], kind: &[u8; 4], offset: usize, to: &[u8]) -> Vec<u8> {
    let start = bytes.windows(4).position(|found| found == kind).expect("the box").wrapping_add(offset);
    [&bytes[..start], to, &bytes[start + to.len()..]].concat()
}

/// Every prefix of every stream fails, unless it ends between boxes.
#[test]
fn truncated() {
    for (name, plain, _) in STREAMS {
        let mut ends = vec![0];
        while let Some(size) = plain[*ends.last().unwrap()..].first_chunk() {
            ends.push(ends.last().unwrap() + u32::from_be_bytes(*size) as usize);
        }
        let mut encryptor = Encryptor::new(settings(CBCS));
        let moof =
            |end: usize| ends.iter().rposition(|begin| *begin < end).map(|at| &plain[ends[at] + 4..ends[at] + 8]);
        for end in 0..plain.len() {
            if end % 97 == 0 || ends.iter().any(|boundary| boundary.abs_diff(end) < 20) {
                let result = encrypt(&plain[..end], CBCS);
                // A `moof` without its `mdat` is a part of a fragment, and an index is nothing by itself.
                let whole = ends.contains(&end) && moof(end) != Some(b"moof");
                let index = whole && moof(end) == Some(b"sidx");
                match result {
                    Ok(_) => assert!(whole && !index, "{name} {end}"),
                    Err(error) => {
                        assert_eq!(error, if index { Error::IndexOnly } else { Error::Truncated }, "{name} {end}")
                    }
                }
            }
        }
        encryptor.push(plain.to_vec()).unwrap();
        assert!(encryptor.finish().is_ok());
    }
}

#[test]
fn an_error_lasts() {
    let mut encryptor = Encryptor::new(settings(CBCS));
    assert_eq!(encryptor.push(b"\0\0\0\x04moof".to_vec()).unwrap_err(), Error::BoxSize(kind(b"moof")));
    assert_eq!(encryptor.push(stream("aac").to_vec()).unwrap_err(), Error::BoxSize(kind(b"moof")));
    assert_eq!(encryptor.finish().unwrap_err(), Error::BoxSize(kind(b"moof")));
}

#[test]
fn init_segments() {
    let avc = &stream("avc")[..init_end(stream("avc"))];
    let aac = &stream("aac")[..init_end(stream("aac"))];
    let text = &stream("wvtt")[..init_end(stream("wvtt"))];
    let vp9 = &stream("vp9")[..init_end(stream("vp9"))];
    let encrypted = |plain| encrypt(plain, CBCS).unwrap();
    let table: Vec<(&str, Vec<u8>, Error)> = vec![
        ("encrypted video", encrypted(avc), Error::AlreadyEncrypted(kind(b"encv"))),
        ("encrypted audio", encrypted(aac), Error::AlreadyEncrypted(kind(b"enca"))),
        ("a pssh", with(avc, b"udta", b"pssh"), Error::AlreadyEncrypted(kind(b"pssh"))),
        ("an unknown video codec", with(avc, b"avc1", b"mjp2"), Error::UnknownCodec(kind(b"mjp2"))),
        ("3GPP text", with(text, b"wvtt", b"tx3g"), Error::UnknownCodec(kind(b"tx3g"))),
        ("a metadata track", with(text, b"text", b"meta"), Error::UnknownCodec(kind(b"wvtt"))),
        ("NAL lengths of two bytes", at(avc, b"avcC", 8, &[0xFD]), Error::NalLengthSize(2)),
        ("no avcC", with(avc, b"avcC", b"xxxC"), Error::MissingBox(kind(b"avcC"))),
        ("no stsd", with(avc, b"stsd", b"free"), Error::MissingBox(kind(b"stsd"))),
        ("no tkhd", with(avc, b"tkhd", b"free"), Error::MissingBox(kind(b"tkhd"))),
        ("two stsd", with(avc, b"stts", b"stsd"), Error::DuplicateBox(kind(b"stsd"))),
        ("no mvex", with(avc, b"mvex", b"free"), Error::NotFragmented),
        ("no trex for the track", at(avc, b"trex", 8, &[0, 0, 0, 9]), Error::NotFragmented),
        ("samples in the moov", at(avc, b"stsz", 12, &[0, 0, 0, 1]), Error::NotFragmented),
        ("two entries counted", at(vp9, b"stsd", 8, &[0, 0, 0, 2]), Error::Malformed(kind(b"stsd"))),
        (
            "an entry that is too long",
            at(vp9, b"vp09", 0_usize.wrapping_sub(4), &[0, 0, 9, 9]),
            Error::BoxSize(kind(b"vp09")),
        ),
        ("a trak of size 0", at(avc, b"trak", 0_usize.wrapping_sub(4), &[0; 4]), Error::BoxSize(kind(b"trak"))),
        ("a trak of 4 bytes", at(avc, b"trak", 0_usize.wrapping_sub(4), &[0, 0, 0, 4]), Error::BoxSize(kind(b"trak"))),
        ("two moov", [avc, &avc[28..]].concat(), Error::DuplicateBox(kind(b"moov"))),
        ("a moov without end", b"\0\0\0\0moov".to_vec(), Error::BoxSize(kind(b"moov"))),
        ("a large moov", b"\x10\0\0\0moov".to_vec(), Error::BoxTooLarge(kind(b"moov"))),
        ("samples without a fragment", [avc, &boxed("mdat", &[b"a"])].concat(), Error::UnexpectedBox(kind(b"mdat"))),
        ("an unknown box", [avc, &boxed("imda", &[b"a"])].concat(), Error::UnexpectedBox(kind(b"imda"))),
    ];
    for (name, bytes, error) in table {
        for size in [1, 100, usize::MAX] {
            assert_eq!(encrypt_in(&bytes, size, settings(CBCS)), Err(error), "{name}");
        }
    }
}

#[test]
fn fragments() {
    let mut random = Random(1);
    let sample = nal(&mut random, 500);
    let traf = Traf::new(1, vec![sample.clone(), nal(&mut random, 300)]);
    let plain = fragment(std::slice::from_ref(&traf));
    let more = |extra: Vec<u8>| fragment(&[Traf { more: extra, ..traf.clone() }]);
    let sounds = fragment(&[Traf::new(1, vec![sound(&mut random, 100), sound(&mut random, 50)])]);
    let cues = |second: &[u8]| fragment(&[Traf::new(1, vec![boxed("vtte", &[]), second.to_vec()])]);
    let mdat = |plain: &[u8], data: &[u8]| {
        let end = plain.windows(4).position(|found| found == b"mdat").unwrap() - 4;
        [&plain[..end], &boxed("mdat", &[data])].concat()
    };
    let data = traf.samples.concat();
    let large = |size: u32| {
        let plain = fragment(&[Traf::new(1, vec![nal(&mut Random(1), 20)])]);
        let plain = at(&plain, b"trun", 20, &size.to_be_bytes());
        let plain = at(&plain, b"mdat", 4, &(size - 4).to_be_bytes());
        at(&plain, b"mdat", 0_usize.wrapping_sub(4), &(size + 8).to_be_bytes())
    };
    let table: Vec<(&str, Vec<u8>, Error)> = vec![
        ("a NAL unit beyond its sample", at(&plain, b"mdat", 508, &[0, 0, 2]), Error::NalBeyondSample),
        ("an empty NAL unit", at(&plain, b"mdat", 508, &[0, 0, 0, 0]), Error::NalBeyondSample),
        ("text that is none", cues(b"\0\0\0\x08mdat"), Error::NotText),
        ("bytes of no sample", mdat(&plain, &[&data[..], b"a"].concat()), Error::UnreferencedData),
        ("bytes of no sample, sound", mdat(&sounds, &[0xFF; 151]), Error::UnreferencedData),
        ("too few bytes", mdat(&plain, &data[1..]), Error::DataOffset),
        ("data elsewhere", at(&plain, b"trun", 12, &[0, 0, 0, 1]), Error::DataOffset),
        ("data before the moof", at(&plain, b"trun", 12, &[0xFF; 4]), Error::DataOffset),
        ("a count that lies", at(&plain, b"trun", 8, &[0, 0, 0, 3]), Error::Malformed(kind(b"trun"))),
        ("a large count", at(&plain, b"trun", 8, &[0xFF; 4]), Error::Malformed(kind(b"trun"))),
        ("no tfhd", with(&plain, b"tfhd", b"free"), Error::MissingBox(kind(b"tfhd"))),
        ("two tfhd", with(&plain, b"tfdt", b"tfhd"), Error::DuplicateBox(kind(b"tfhd"))),
        ("tfhd with too few fields", at(&plain, b"tfhd", 4, &[0, 2, 0, 8]), Error::Malformed(kind(b"tfhd"))),
        ("two tfdt", more(full("tfdt", 0, 0, &[&words(&[1])])), Error::DuplicateBox(kind(b"tfdt"))),
        ("no mfhd", with(&plain, b"mfhd", b"free"), Error::MissingBox(kind(b"mfhd"))),
        (
            "two mfhd",
            with(
                &[&plain[..8], &full("mfhd", 0, 0, &[&words(&[1])]), &plain[8..]].concat(),
                &plain[..4],
                &u32::try_from(moof(std::slice::from_ref(&traf), 8).len() + 16).unwrap().to_be_bytes(),
            ),
            Error::DuplicateBox(kind(b"mfhd")),
        ),
        ("senc", more(full("senc", 0, 0, &[&words(&[0])])), Error::AlreadyEncrypted(kind(b"senc"))),
        ("saiz", more(full("saiz", 0, 0, &[&words(&[0])])), Error::AlreadyEncrypted(kind(b"saiz"))),
        ("seig", more(full("sgpd", 1, 0, &[b"seig", &words(&[0, 0])])), Error::AlreadyEncrypted(kind(b"seig"))),
        ("sbgp too short", more(full("sbgp", 0, 0, &[b"roll", &words(&[1])])), Error::Malformed(kind(b"sbgp"))),
        ("sdtp too short", more(full("sdtp", 0, 0, &[b"a"])), Error::Malformed(kind(b"sdtp"))),
        ("sgpd too large", more(full("sgpd", 1, 0, &[b"roll", &[0; 5000]])), Error::BoxTooLarge(kind(b"sgpd"))),
        ("a box in traf", more(boxed("abcd", &[])), Error::UnexpectedBox(kind(b"abcd"))),
        ("pssh in moof", with(&plain, b"mfhd", b"pssh"), Error::AlreadyEncrypted(kind(b"pssh"))),
        (
            "two moof",
            [moof(std::slice::from_ref(&traf), 8), plain.clone()].concat(),
            Error::UnexpectedBox(kind(b"moof")),
        ),
        (
            "moov after moof",
            [moof(std::slice::from_ref(&traf), 8), boxed("moov", &[])].concat(),
            Error::UnexpectedBox(kind(b"moov")),
        ),
        ("a moof alone", moof(std::slice::from_ref(&traf), 8), Error::Truncated),
        ("a moof too large", words(&[0x0FFF_FFFF, u32::from_be_bytes(*b"moof")]), Error::BoxTooLarge(kind(b"moof"))),
        ("a large sample that is not there", large(u32::try_from(MAX_SAMPLE).unwrap()), Error::Truncated),
        (
            "samples of no size",
            at(&with(&plain, &words(&[1]), &words(&[1])), b"trun", 4, &[0, 0, 1, 1]),
            Error::Malformed(kind(b"trun")),
        ),
    ];
    for (name, bytes, error) in table {
        for size in [1, 100, usize::MAX] {
            assert_eq!(encrypt_in(&bytes, size, settings(CBCS)), Err(error), "{name}");
        }
    }
}

/// Only what has to be held is limited.
#[test]
fn large_samples() {
    let size = MAX_SAMPLE + 100;
    let nal = |size: usize| [&u32::try_from(size).unwrap().to_be_bytes()[..], &vec![0x25; size]].concat();
    let plain = fragment(&[Traf::new(1, vec![vec![0xFF; size]])]);
    let large = Error::SampleTooLarge(u32::try_from(size).unwrap());
    let out = encrypt(&plain, CBCS).unwrap();
    assert_eq!(out.len(), plain.len());
    // The first byte does not tell yet.
    let begin = plain.len() - size + 1;
    let mut encryptor = Encryptor::new(settings(CBCS));
    let parts = [&plain[..begin], &plain[begin..]].map(|part| encryptor.push(part.to_vec()).unwrap().into_vec());
    assert!(parts.concat() == out);
    let video = fragment(&[Traf::new(1, vec![nal(size - 4)])]);
    let chain = fragment(&[Traf::new(1, vec![[nal(size - 10), vec![0; 6]].concat()])]);
    for plain in [video, chain] {
        for chunk in [100_000, usize::MAX] {
            assert_eq!(encrypt_in(&plain, chunk, settings(CBCS)), Err(large));
        }
    }
}

/// Samples that cost no byte of the stream may not be many.
#[test]
fn samples_without_bytes_cost_nothing() {
    for flags in [0, 0x2_0010] {
        let tfhd = full("tfhd", 0, 0x2_0000 | flags, &[&words(if flags == 0 { &[1] } else { &[1, 0] })]);
        let trun = full("trun", 0, 1, &[&words(&[u32::MAX, 100])]);
        let moof = boxed("moof", &[&full("mfhd", 0, 0, &[&words(&[1])]), &boxed("traf", &[&tfhd, &trun])]);
        assert_eq!(encrypt(&moof, CBCS), Err(Error::SizesInInit(1)));
    }
    // With a byte each, they are held in groups.
    let tfhd = full("tfhd", 0, 0x2_0010, &[&words(&[1, 1])]);
    let length = 1_000_000;
    let moof = |offset| {
        let trun = full("trun", 0, 1, &[&words(&[length, offset])]);
        boxed("moof", &[&full("mfhd", 0, 0, &[&words(&[1])]), &boxed("traf", &[&tfhd, &trun])])
    };
    let offset = u32::try_from(moof(0).len()).unwrap() + 8;
    let plain = [moof(offset), words(&[length + 8]), b"mdat".to_vec(), vec![0xFF; 1000]].concat();
    for scheme in [CBCS, CENC] {
        assert_eq!(encrypt(&plain, scheme), Err(Error::Truncated));
    }
}

/// Boxes that are held are bounded.
#[test]
fn held_boxes_are_bounded() {
    let sidx = full("sidx", 0, 0, &[&[0; 20]]);
    let free = boxed("free", &[&vec![0; MAX_BOX]]);
    assert_eq!(encrypt(&[&sidx[..], &free].concat(), CBCS), Err(Error::BoxTooLarge(kind(b"free"))));
    let many = sidx.repeat(MAX_BOX / sidx.len() + 1);
    assert_eq!(encrypt(&many, CBCS), Err(Error::BoxTooLarge(kind(b"sidx"))));
    let traf = Traf::new(1, vec![nal(&mut Random(1), 50)]);
    assert_eq!(encrypt(&[moof(&[traf], 8), free.clone()].concat(), CBCS), Err(Error::BoxTooLarge(kind(b"free"))));
    // What is not held is not.
    assert_eq!(encrypt(&free, CBCS), Ok(free));
}

#[test]
fn many_tracks() {
    let mut random = Random(2);
    let stream: Vec<u8> =
        (0..65).flat_map(|track| fragment(&[Traf::new(track, vec![sound(&mut random, 20)])])).collect();
    assert_eq!(encrypt(&stream, CBCS), Err(Error::TooManyTracks));
}

/// A track keeps its sort: a fragment of video that is none is no sound.
#[test]
fn a_track_keeps_its_sort() {
    let mut random = Random(3);
    let video = fragment(&[Traf::new(1, vec![nal(&mut random, 500)])]);
    let other = fragment(&[Traf::new(1, vec![sound(&mut random, 500)])]);
    let text = fragment(&[Traf::new(1, vec![boxed("vtte", &[])])]);
    assert_eq!(encrypt(&[&video[..], &other].concat(), CBCS), Err(Error::NalBeyondSample));
    assert_eq!(encrypt(&[&text[..], &other].concat(), CBCS), Err(Error::NotText));
    assert!(encrypt(&[other, video].concat(), CBCS).is_ok());
}

/// Messages have a place, a fault and what is expected.
#[test]
fn messages() {
    for error in [Error::Truncated, Error::NalLengthSize(2), Error::SizesInInit(7), Error::BoxSize(kind(b"a\0b\xFF"))] {
        let message = error.to_string();
        assert!(message.contains(": ") && message.contains("; expected"), "{message}");
        assert!(message.is_ascii() && !message.contains('\0'));
    }
}
