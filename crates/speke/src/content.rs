//! Content IDs: the resource that a requester encrypts, and a path segment of its key URLs.

use alloc::string::String;
use core::fmt;

/// A content ID of 1 to 200 characters that survives as one percent-encoded path segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentId(String);

/// Reasons to refuse a content ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentIdFault {
    /// No character.
    Empty,
    /// More than [`ContentId::LONGEST`] characters.
    TooLong,
    /// A slash, a backslash or a control character. Proxies decode `%2F` and `%5C` in paths.
    Character,
    /// `.` or `..`, which paths resolve.
    Dots,
}

impl ContentId {
    /// The longest content ID, in characters: PallyCon's limit.
    pub const LONGEST: usize = 200;

    /// Takes the value of an attribute, with its references resolved.
    ///
    /// # Errors
    /// See [`ContentIdFault`].
    pub fn parse(value: &str) -> Result<Self, ContentIdFault> {
        if value.is_empty() {
            return Err(ContentIdFault::Empty);
        }
        if value.chars().count() > Self::LONGEST {
            return Err(ContentIdFault::TooLong);
        }
        if value.chars().any(|character| matches!(character, '/' | '\\') || character.is_control()) {
            return Err(ContentIdFault::Character);
        }
        if matches!(value, "." | "..") { Err(ContentIdFault::Dots) } else { Ok(Self(value.into())) }
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One path segment: every byte percent-encoded that is not unreserved (RFC 3986, section 2.3).
    #[must_use]
    pub fn path_segment(&self) -> String {
        playlock_drm::text::percent_encode(&self.0)
    }
}

impl fmt::Display for ContentIdFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "empty; expected 1 to 200 characters",
            Self::TooLong => "too long; expected at most 200 characters",
            Self::Character => "a slash, backslash or control character; expected none",
            Self::Dots => "a relative path segment; expected a name",
        })
    }
}
