//! The kind of a Representation, by its media type and codecs (ISO/IEC 23009-1, 5.3.7; RFC 6381).

use alloc::string::String;

use crate::error::DashError;

/// Sample entries of text in MP4: players read it in scripts, so that it stays clear.
const TEXT: [&str; 5] = ["stpp", "wvtt", "stxt", "sbtt", "tx3g"];
/// Sample entries of timed metadata.
const METADATA: [&str; 3] = ["urim", "mett", "metx"];
/// Sample entries of video and audio, for `application/mp4`.
const MEDIA: [&str; 38] = [
    "avc1", "avc2", "avc3", "avc4", "hvc1", "hev1", "hvc2", "hev2", "dvh1", "dvhe", "dva1", "dvav", "dav1", "vvc1",
    "vvi1", "evc1", "av01", "vp08", "vp09", "mp4v", "lhv1", "lhe1", "mp4a", "ac-3", "ec-3", "ac-4", "Opus", "opus",
    "fLaC", "flac", "alac", "dtsc", "dtse", "dtsh", "dtsx", "mha1", "mhm1", "iamf",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Video or audio in fragmented MP4.
    Media,
    /// Text, images and metadata.
    Clear,
}

/// Media type, content type and codecs; empty if absent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Description {
    pub(crate) mime: String,
    pub(crate) content: String,
    pub(crate) codecs: String,
}

impl Description {
    pub(crate) fn kind(&self) -> Result<Kind, DashError> {
        let mime = self.mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (family, subtype) = mime.split_once('/').unwrap_or_default();
        match (family, subtype) {
            ("video" | "audio" | "application", "mp4") if self.codecs_are_of(&[&TEXT]) => Ok(Kind::Clear),
            ("video" | "audio", "mp4") => Ok(Kind::Media),
            ("application", "mp4") => match self.content.as_str() {
                "video" | "audio" => Ok(Kind::Media),
                "text" => Ok(Kind::Clear),
                _ if self.codecs_are_of(&[&TEXT, &METADATA]) => Ok(Kind::Clear),
                _ if self.codecs_are_of(&[&TEXT, &METADATA, &MEDIA]) => Ok(Kind::Media),
                _ => Err(DashError::UnknownMedia),
            },
            ("text" | "image" | "font", _) | ("application", "ttml+xml") => Ok(Kind::Clear),
            ("video" | "audio", _) => Err(DashError::Container),
            _ => Err(DashError::UnknownMedia),
        }
    }

    /// Whether there are codecs, and all of them are in these lists.
    fn codecs_are_of(&self, lists: &[&[&str]]) -> bool {
        let mut codecs = self.codecs.split(',').map(|codec| codec.trim().split('.').next().unwrap_or_default());
        codecs.all(|codec| lists.iter().any(|list| list.contains(&codec)))
    }
}
