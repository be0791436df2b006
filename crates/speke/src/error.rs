//! Every refusal: its HTTP status and its words. Words in the first group are those of the standard (SPEKE API v2,
//! "Customizations and constraints to the DASH-IF specification"); encryptors compare them.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::content::ContentIdFault;
use crate::document::limits;
use playlock_xml::XmlError;

/// The refusal of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpekeError {
    /// `CPIX@contentId` is absent or empty (in 1.0: `CPIX@id`).
    MissingContentId,
    /// `CPIX@version` is absent or empty.
    MissingVersion,
    /// `CPIX@version` is not the one of the SPEKE version.
    UnsupportedVersion,
    /// A key without `commonEncryptionScheme`.
    MissingScheme {
        /// `ContentKey@kid` as spelled.
        kid: String,
    },
    /// Keys of different schemes in one document.
    MixedSchemes,
    /// A scheme that the DRM system does not take.
    IncompatibleScheme {
        /// `DRMSystem@systemId` as spelled.
        system: String,
    },
    /// `X-Speke-Version` is neither absent nor a version that this server has.
    SpekeVersion,
    /// The usage rules break a rule of SPEKE API v2, "Encryption contract".
    MalformedContract,
    /// One key for audio and for video above full HD, which the DRM systems protect at different levels.
    UnsupportedContract,
    /// No `VideoFilter` and no `AudioFilter`.
    MissingContract,

    /// Not well-formed XML.
    Xml(XmlError),
    /// The body is longer than [`limits::BODY`].
    TooLarge,
    /// The root element is not CPIX.
    NotCpix,
    /// A content ID that cannot be a path segment.
    ContentId(ContentIdFault),
    /// A mandatory element or attribute is absent.
    Missing(&'static str),
    /// Something that may be there once is there twice.
    Duplicate(&'static str),
    /// A value that is not understood.
    Invalid {
        /// Element and attribute.
        place: &'static str,
        /// The form that would be right.
        expected: &'static str,
    },
    /// More than the limit.
    TooMany {
        /// The element.
        place: &'static str,
        /// The limit.
        most: usize,
    },
    /// A key ID that no `ContentKey` has.
    UnknownKey {
        /// The element with the key ID.
        place: &'static str,
    },
    /// A system ID that this server has no data for.
    UnknownSystem {
        /// `DRMSystem@systemId` as spelled.
        system: String,
    },
    /// A DRM system whose URLs the configuration does not have.
    Unconfigured {
        /// `DRMSystem@systemId` as spelled.
        system: String,
    },
    /// An element that asks for data that this server does not make.
    UnsupportedElement(String),
    /// A signed document: filling the gaps breaks the signature (SPEKE does not support XMLDSIG).
    Signed,

    /// Neither POST nor, for the heartbeat, GET.
    Method,
    /// A path below the prefix that no client is known to use.
    UnknownPath,
    /// A query that has an unknown or repeated parameter, or a value that is not understood.
    Query(&'static str),
    /// Percent-encoding or Base64 that does not decode.
    Encoding(&'static str),
    /// Two different tokens, or a header twice.
    AmbiguousToken,
    /// `Content-Type` is not that of XML in UTF-8.
    MediaType,
}

impl SpekeError {
    /// The HTTP status: never 200 (SPEKE API v2, "API for CPIX").
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Xml(_) | Self::Query(_) | Self::Encoding(_) | Self::AmbiguousToken => 400,
            Self::UnknownPath => 404,
            Self::Method => 405,
            Self::TooLarge => 413,
            Self::MediaType => 415,
            _ => 422,
        }
    }

    /// The body of the response, without anything secret. At most a few hundred bytes.
    #[must_use]
    pub fn message(&self) -> String {
        let fixed = match self {
            Self::MissingContentId => "Missing CPIX@contentId",
            Self::MissingVersion => "Missing CPIX@version",
            Self::UnsupportedVersion => "Unsupported CPIX@version",
            Self::MissingScheme { kid } => {
                return format!("Missing ContentKey@commonEncryptionScheme for KID {kid}");
            }
            Self::MixedSchemes => "Non compliant ContentKey@commonEncryptionScheme combination",
            Self::IncompatibleScheme { system } => {
                return format!("ContentKey@commonEncryptionScheme non compatible with DRMSystem {system}");
            }
            Self::SpekeVersion => "Unsupported SPEKE version",
            Self::MalformedContract => "Malformed encryption contract",
            Self::UnsupportedContract => "Requested CPIX encryption contract not supported",
            Self::MissingContract => "Missing CPIX encryption contract",
            Self::Xml(error) => return format!("{error}"),
            Self::TooLarge => return format!("body: too large; expected at most {} bytes", limits::BODY),
            Self::NotCpix => "root element: not CPIX; expected CPIX of urn:dashif:org:cpix",
            Self::ContentId(fault) => return format!("CPIX@contentId: {fault}"),
            Self::Missing(place) => return format!("Missing {place}"),
            Self::Duplicate(place) => return format!("{place}: twice; expected once"),
            Self::Invalid { place, expected } => return format!("{place}: invalid; expected {expected}"),
            Self::TooMany { place, most } => return format!("{place}: too many; expected at most {most}"),
            Self::UnknownKey { place } => return format!("{place}@kid: unknown; expected the kid of a ContentKey"),
            Self::UnknownSystem { system } => return format!("DRMSystem {system}: unknown DRM system"),
            Self::Unconfigured { system } => {
                return format!("DRMSystem {system}: not configured; expected its URL in the configuration");
            }
            Self::UnsupportedElement(name) => return format!("{name}: unsupported element; expected none"),
            Self::Signed => "Signature: signed documents are not supported; expected none",
            Self::Method => "method: not allowed; expected POST, or GET of a heartbeat",
            Self::UnknownPath => "path: unknown; expected copyProtection, cpix/getKey or heartbeat",
            Self::Query(parameter) => return format!("query: {parameter}"),
            Self::Encoding(place) => return format!("{place}: malformed encoding"),
            Self::AmbiguousToken => "token: given twice; expected one",
            Self::MediaType => "Content-Type: not XML; expected application/xml, in UTF-8",
        };
        fixed.into()
    }
}

impl fmt::Display for SpekeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message())
    }
}

impl core::error::Error for SpekeError {}

impl From<XmlError> for SpekeError {
    fn from(error: XmlError) -> Self {
        Self::Xml(error)
    }
}
