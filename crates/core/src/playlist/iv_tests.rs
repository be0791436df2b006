//! A segment's own IV in playlists: which EXT-X-KEY stands before what.

use alloc::string::String;
use alloc::vec::Vec;

use super::tests::{marks, rewrite};
use crate::policy::encryption::IvMode;

/// The IV of every EXT-X-KEY (`-` without one) and the first field of what is said of every URI, in order. All keys have one
/// URI.
fn ivs(input: &str) -> Vec<String> {
    let segment = || {
        let mut marks = marks(true, true);
        marks.encryption.as_mut().unwrap().iv_mode = IvMode::Segment;
        marks
    };
    let out = String::from_utf8(rewrite(&segment, input.as_bytes()).unwrap()).unwrap();
    let mut uris = Vec::new();
    let mut found = Vec::new();
    for line in out.lines() {
        if let Some(rest) = line.strip_prefix("#EXT-X-KEY:METHOD=AES-128,URI=\"") {
            let (uri, iv) = rest.split_once('"').unwrap();
            uris.push(uri);
            found.push(iv.strip_prefix(",IV=0x").unwrap_or("-").into());
        } else if let Some((_, value)) = line.split_once("plk=") {
            found.push(value.split('&').next().unwrap().rsplit_once('~').unwrap().0.into());
        }
    }
    uris.dedup();
    assert!(uris.len() <= 1, "{uris:?}");
    found
}

fn own(path: &str, query: &str, range: Option<(u64, u64)>) -> String {
    base16ct::lower::encode_string(&marks(true, true).keyring.segment_iv(path, query, range))
}

fn of_period() -> String {
    let marks = marks(true, true);
    base16ct::lower::encode_string(&marks.keyring.iv(&marks.encryption.unwrap().scope, 0))
}

#[test]
fn every_segment_has_its_own() {
    let input = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:4,\na.mp4\n#EXTINF:4,\na.mp4?f=%31&s=old\n#EXT-X-BYTERANGE:5@6\n#EXTINF:4,\nb%20c.mp4\n\
        #EXT-X-BYTERANGE:7\n#EXTINF:4,\nb%20c.mp4\n#EXTINF:4,\na.mp4\n";
    assert_eq!(
        ivs(input),
        [
            "clear",
            &own("/v/a.mp4", "", None),
            "media~i",
            &own("/v/a.mp4", "?f=1", None),
            "media~i",
            &own("/v/b c.mp4", "", Some((6, 5))),
            "media~r5@6~i",
            &own("/v/b c.mp4", "", Some((11, 7))),
            "media~r7@11~i",
            &own("/v/a.mp4", "", None),
            "media~i",
        ]
    );
}

#[test]
fn a_playlist_with_parts_keeps_the_periods() {
    let input = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-PART-INF:PART-TARGET=1\n#EXTINF:4,\na.mp4\n#EXT-X-PART:DURATION=1,URI=\"b.0.mp4\"\n\
        #EXTINF:4,\nb.mp4\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"c.0.mp4\"\n";
    assert_eq!(ivs(input), [of_period()]);
}
