//! Where a session was opened by a live media playlist. The player reloads the URL that it was given, access token and
//! all; each time that would open another session, and soon the token is too old. So it gets a master playlist with one
//! variant, the same playlist under the session's token.

use crate::bytes::bug;

/// Bytes that are looked at: of longer playlists it is not waited for the end.
const MAX_PROBED: usize = 256 * 1024;

/// Tags that only master playlists have (RFC 8216 section 4.3.4), and those that say that a playlist does not change.
const NOT_LIVE: &[&[u8]] = &[
    b"#EXT-X-STREAM-INF",
    b"#EXT-X-MEDIA:",
    b"#EXT-X-I-FRAME-STREAM-INF",
    b"#EXT-X-IMAGE-STREAM-INF",
    b"#EXT-X-SESSION-DATA",
    b"#EXT-X-SESSION-KEY",
    b"#EXT-X-CONTENT-STEERING",
    b"#EXT-X-ENDLIST",
    b"#EXT-X-PLAYLIST-TYPE:VOD",
];
/// A media playlist has one of these.
const MEDIA: &[&[u8]] = &[b"#EXTINF", b"#EXT-X-TARGETDURATION", b"#EXT-X-PART"];

/// What has been seen of a playlist so far.
#[derive(Debug, Default)]
pub struct LiveProbe {
    /// Bytes of the lines that have been looked at.
    scanned: usize,
    media: bool,
}

impl LiveProbe {
    /// Whether a playlist that begins with `bytes`, which may only grow from call to call, is a media playlist that will
    /// be reloaded; `None` if more of it is needed to tell. `whole`: nothing comes after them.
    pub fn is_live(&mut self, bytes: &[u8], whole: bool) -> Option<bool> {
        let rest = bug::look(bytes, self.scanned..);
        let length =
            if whole { rest.len() } else { rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) };
        self.scanned += length;
        for line in bug::look(rest, ..length).split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
            if NOT_LIVE.iter().any(|tag| line.starts_with(tag)) {
                return Some(false);
            }
            self.media |= MEDIA.iter().any(|tag| line.starts_with(tag));
        }
        if whole {
            Some(self.media)
        } else if bytes.len() > MAX_PROBED {
            Some(false)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_will_be_reloaded_is_live() {
        for (text, before, at_end) in [
            ("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n", None, Some(true)),
            ("#EXTM3U\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST", None, Some(false)),
            ("#EXTM3U\r\n #EXT-X-PLAYLIST-TYPE:VOD\r\n", Some(false), Some(false)),
            ("#EXTM3U\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-PART:DURATION=1,URI=\"a\"\n", None, Some(true)),
            ("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-TARGETDURATION:4\n", None, Some(true)),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n", Some(false), Some(false)),
            ("#EXTM3U\n", None, Some(false)),
        ] {
            let mut probe = LiveProbe::default();
            let bytewise = (0..text.len()).find_map(|end| probe.is_live(&text.as_bytes()[..end], false));
            let before_end = bytewise.or_else(|| probe.is_live(text.as_bytes(), false));
            assert_eq!(before_end, before, "{text}");
            assert_eq!(before_end.or_else(|| probe.is_live(text.as_bytes(), true)), at_end, "{text}");
        }
        assert_eq!(LiveProbe::default().is_live(&[b'x'; MAX_PROBED + 1], false), Some(false));
    }
}
