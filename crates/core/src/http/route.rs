//! The kinds of exchanges, and the classification of paths by their extension.

/// The kinds of exchanges in counters and the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No policy covers the request: passed unchanged.
    Pass,
    /// A multivariant or media playlist.
    Playlist,
    /// A content key.
    Key,
    /// Licenses: keys of content that was packaged elsewhere, for the key system ClearKey.
    License,
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
        Self::License,
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
            Self::License => "license",
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

/// The classification of a path by the extension of its last segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// `.m3u8` or `.m3u`, in any case.
    Playlist,
    /// Any other extension.
    Other,
    /// No extension: only the response shows the kind.
    Missing,
}

/// The extension of a normalised path, without path parameters.
pub fn extension(path: &str) -> Extension {
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = name.split(';').next().unwrap_or_default();
    match name.rsplit_once('.') {
        Some((_, extension)) if ["m3u8", "m3u"].iter().any(|known| known.eq_ignore_ascii_case(extension)) => {
            Extension::Playlist
        }
        Some(_) => Extension::Other,
        None => Extension::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions() {
        assert_eq!(extension("/a/b.M3U8"), Extension::Playlist);
        assert_eq!(extension("/a/b.m3u8;x=1"), Extension::Playlist);
        assert_eq!(extension("/a.m3u8/b"), Extension::Missing);
        assert_eq!(extension("/a.m3u8/b.ts"), Extension::Other);
        assert_eq!(extension("/a/b.m3u8."), Extension::Other);
    }
}
