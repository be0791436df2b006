//! Recognition of MPDs by a table, and by each beginning of each document: never a wrong verdict, at most none.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::string_slice, reason = "a test")]

use playlock_dash::is_mpd;

const MPDS: [&str; 12] = [
    "<MPD>",
    "<MPD\n",
    "<MPD/>",
    "<a:MPD ",
    "\u{FEFF}<MPD ",
    " \r\n\t<MPD ",
    "\u{FEFF}<?xml version=\"1.0\"?><MPD ",
    "<?xml version='1.0'?>\n<!-- <a> ? -- > --><!----><?style a=\">\"?><MPD xmlns=",
    "<!-- <?a --><MPD>",
    "<!DOCTYPE MPD [",
    "<?xml version=\"1.0\"?><!DOCTYPE a:MPD>",
    "<!DOCTYPE\n MPD\n",
];

const OTHERS: [&str; 12] = [
    "#EXTM3U\n",
    "WEBVTT\n\n",
    "\0\0\0\x18ftyp",
    "G@\0",
    "<tt xmlns=",
    "<MPDS>",
    "<mpd>",
    "<MPD:a>",
    "<?xml version=\"1.0\"?><!-- <MPD> --><SmoothStreamingMedia>",
    "<!DOCTYPE html>",
    "<![CDATA[<MPD>]]>",
    "<Patch xmlns=",
];

#[test]
fn documents_are_recognised_by_their_root() {
    for (documents, expected) in [(MPDS, true), (OTHERS, false)] {
        for document in documents {
            assert_eq!(is_mpd(document.as_bytes()), Some(expected), "{document:?}");
            for length in 0..document.len() {
                let found = is_mpd(&document.as_bytes()[..length]);
                assert!(found.is_none_or(|found| found == expected), "{length} bytes of {document:?}: {found:?}");
            }
        }
    }
}

#[test]
fn utf_16_does_not_hide_an_mpd() {
    for document in MPDS {
        let little: Vec<u8> = document.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = document.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [little, big] {
            let plain = !document.starts_with(['\u{FEFF}', '<']);
            assert!(plain || is_mpd(&bytes) == Some(true), "{document:?} {bytes:?}");
        }
    }
}

#[test]
fn the_search_for_the_root_ends() {
    let before = |length: usize| format!("{}<MPD>", " ".repeat(length));
    assert_eq!(is_mpd(before(8187).as_bytes()), Some(true));
    assert_eq!(is_mpd(before(8188).as_bytes()), Some(false));
    assert_eq!(is_mpd(" ".repeat(8191).as_bytes()), None);
    assert_eq!(is_mpd(" ".repeat(8192).as_bytes()), Some(false));
}
