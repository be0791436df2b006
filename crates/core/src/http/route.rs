//! Which kind of request this is, as far as its path tells.

/// The kinds of exchange that counters and the access log know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Not covered: untouched.
    Pass,
    /// A master or media playlist.
    Playlist,
    /// A content key.
    Key,
    /// Media, encrypted.
    Segment,
    /// Served in clear under a token: init sections, session data, and all content of policies without encryption.
    Clear,
    /// A browser's question whether a page on another site may ask.
    Preflight,
    /// Refused before its kind was known.
    Unknown,
}

impl Kind {
    /// All of them, in the order of [`Kind::index`].
    pub const ALL: &[Self] =
        &[Self::Pass, Self::Playlist, Self::Key, Self::Segment, Self::Clear, Self::Preflight, Self::Unknown];

    /// Its word in counters and logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Playlist => "playlist",
            Self::Key => "key",
            Self::Segment => "segment",
            Self::Clear => "clear",
            Self::Preflight => "preflight",
            Self::Unknown => "unknown",
        }
    }

    /// Its place in [`Kind::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// What the last segment of a path says of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// `.m3u8` or `.m3u`, in any case.
    Playlist,
    /// Another one.
    Other,
    /// None: only the response tells.
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
