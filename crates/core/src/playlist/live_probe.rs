//! Detection of live media playlists that open a session. The player reloads such a playlist by its original URL,
//! access token included. Each reload would open another session, and would fail once the access token expires. It
//! therefore gets a multivariant playlist with one variant: the same playlist with the session's token.

use crate::bytes::bug;

/// Number of bytes to examine. A longer playlist is taken as not live, so its response is not delayed further.
const MAX_PROBED: usize = 256 * 1024;

/// Tags of multivariant playlists (RFC 8216 section 4.3.4), and tags of media playlists that no longer change.
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
/// Tags of media playlists; each has at least one.
const MEDIA: &[&[u8]] = &[b"#EXTINF", b"#EXT-X-TARGETDURATION", b"#EXT-X-PART"];

/// State of the examination of a playlist.
#[derive(Debug, Default)]
pub struct LiveProbe {
    /// Number of bytes examined, in complete lines.
    scanned: usize,
    media: bool,
}

impl LiveProbe {
    /// Whether a playlist that starts with `bytes` is a live media playlist; `None` if more bytes are needed. `bytes`
    /// must start with those of the previous call. `whole`: the playlist is complete.
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
