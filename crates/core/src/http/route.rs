//! The kinds of exchanges, and the classification of paths by their extension.

/// The kinds of exchanges in counters and the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No policy covers the request: passed unchanged.
    Pass,
    /// A playlist or an MPD.
    Playlist,
    /// A content key.
    Key,
    /// Encrypted media.
    Segment,
    /// Served in clear under a token: init sections, session data, and all content of policies without encryption.
    Clear,
    /// A browser's CORS preflight request.
    Preflight,
    /// A packager's request for keys.
    Speke,
    /// The request was refused before its kind was known.
    Unknown,
}

impl Kind {
    /// All kinds, in the order of [`Kind::index`].
    pub const ALL: &[Self] = &[
        Self::Pass,
        Self::Playlist,
        Self::Key,
        Self::Segment,
        Self::Clear,
        Self::Preflight,
        Self::Speke,
        Self::Unknown,
    ];

    /// The kind's name in counters and logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Playlist => "playlist",
            Self::Key => "key",
            Self::Segment => "segment",
            Self::Clear => "clear",
            Self::Preflight => "preflight",
            Self::Speke => "speke",
            Self::Unknown => "unknown",
        }
    }

    /// The kind's position in [`Kind::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// The format of the documents that sessions open with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// HLS: a multivariant or media playlist (RFC 8216).
    Hls,
    /// DASH: a Media Presentation Description (ISO/IEC 23009-1).
    Dash,
}

/// The classification of a path by the extension of its last segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// `.m3u8`, `.m3u` or `.mpd`, in any case.
    Playlist(Format),
    /// Any other extension.
    Other,
    /// No extension: only the response shows the kind.
    Missing,
}

impl Extension {
    /// Whether an access token opens a session at such a path, whatever the response.
    pub fn opens(self) -> bool {
        matches!(self, Self::Playlist(_))
    }
}

/// The extension of a normalised path, without path parameters.
pub fn extension(path: &str) -> Extension {
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = name.split(';').next().unwrap_or_default();
    let Some((_, extension)) = name.rsplit_once('.') else { return Extension::Missing };
    let known = [("m3u8", Format::Hls), ("m3u", Format::Hls), ("mpd", Format::Dash)];
    let found = known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(extension));
    found.map_or(Extension::Other, |(_, format)| Extension::Playlist(format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions() {
        for (path, expected) in [
            ("/a/b.M3U8", Extension::Playlist(Format::Hls)),
            ("/a/b.m3u", Extension::Playlist(Format::Hls)),
            ("/a/b.m3u8;x=1", Extension::Playlist(Format::Hls)),
            ("/a/b.mpd", Extension::Playlist(Format::Dash)),
            ("/a/b.Mpd;x=1", Extension::Playlist(Format::Dash)),
            ("/a.m3u8/b", Extension::Missing),
            ("/a.mpd/b", Extension::Missing),
            ("/a.m3u8/b.ts", Extension::Other),
            ("/a.mpd/b.m4s", Extension::Other),
            ("/a/b.m3u8.", Extension::Other),
            ("/a/b.mpd2", Extension::Other),
        ] {
            assert_eq!(extension(path), expected, "{path}");
        }
    }
}
