//! The reasons for which a document is refused, and their words.

use core::fmt;

use playlock_xml::XmlError;

use crate::limits;

/// Reasons why a document is not rewritten. After an error the output is incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DashError {
    /// The root is not the element `MPD` of the namespace `urn:mpeg:dash:schema:mpd:2011`.
    NotMpd,
    /// Not well-formed, or XML that is not allowed here, such as DOCTYPE.
    Xml(XmlError),
    /// An element of another namespace with the name of one of the standard, in a place where that one matters. Players
    /// that do not know namespaces take the one for the other.
    Lookalike,
    /// `xlink:href`: the player would load a part of the document that nobody has rewritten.
    Xlink,
    /// A reference that needs a token leads, by the choice of the player, to this server or to another.
    SeveralHosts,
    /// A reference needs another token for each of the URLs that the player may resolve it against.
    SeveralLinks,
    /// `BaseURL`, `Location` or segments behind an element that depends on them, against the order of the schema.
    Order,
    /// A URL with control characters, or with elements or comments in it.
    Url,
    /// The text of a URL is longer than 8 KB.
    UrlTooLong,
    /// More base URLs to choose from than are followed.
    TooManyBases,
    /// `ContentProtection` of the origin in a document that is to be protected.
    Encrypted,
    /// Segments that are byte ranges of a file, or whole files, which are not encrypted on their way.
    ByteRanges,
    /// Media in another container than fragmented MP4.
    Container,
    /// A set of which neither media type nor codecs show whether it is video, audio or text.
    UnknownMedia,
    /// A set with video or audio, and with text or images.
    MixedMedia,
}

impl From<XmlError> for DashError {
    fn from(error: XmlError) -> Self {
        Self::Xml(error)
    }
}

impl fmt::Display for DashError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Xml(error) => return error.fmt(formatter),
            Self::UrlTooLong => {
                return write!(formatter, "a URL is longer than {} bytes", limits::URL);
            }
            Self::TooManyBases => {
                return write!(
                    formatter,
                    "a reference has more than {} base URLs; expected fewer BaseURL and Location \
                                          elements",
                    limits::BASES
                );
            }
            Self::NotMpd => "the root element is not MPD in the namespace urn:mpeg:dash:schema:mpd:2011",
            Self::Lookalike => "an element of another namespace has a name of the MPD's schema; expected another name",
            Self::Xlink => "xlink:href refers to a remote element; expected the element itself",
            Self::SeveralHosts => {
                "a relative URL has BaseURL or Location elements of several hosts; expected those of this host only"
            }
            Self::SeveralLinks => {
                "a relative URL has BaseURL or Location elements that need different tokens; expected one directory"
            }
            Self::Order => {
                "BaseURL, Location or segments stand behind elements that depend on them; expected them before"
            }
            Self::Url => "a URL contains control characters, elements or comments; expected text",
            Self::Encrypted => "the origin's MPD has ContentProtection; expected plain media",
            Self::ByteRanges => {
                "segments are byte ranges or whole files; expected SegmentTemplate, or SegmentList with files"
            }
            Self::Container => "a set is not in fragmented MP4; expected video/mp4 or audio/mp4",
            Self::UnknownMedia => "a set has neither a media type nor codecs that show what it is",
            Self::MixedMedia => "a set has Representations of media and of text; expected one kind",
        };
        formatter.write_str(words)
    }
}

impl core::error::Error for DashError {}
