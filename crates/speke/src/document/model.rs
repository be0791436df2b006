//! A request document as read: values, and the spans of the gaps that an answer fills.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use playlock_drm::{Kid, System};

/// An attribute: its value with references resolved, and its spans in the document.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) value: String,
    /// Between the quotes.
    pub(super) value_span: Range<usize>,
    /// From the white space before the name to the closing quote.
    pub(super) span: Range<usize>,
}

/// The place of an element.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The name as spelled.
    pub(super) name: String,
    /// The start tag, or the only one.
    pub(super) start: Range<usize>,
    /// The end tag; `None` for an empty element (and while the element is open).
    pub(super) end: Option<Range<usize>>,
}

/// The prefixes of namespaces at a place, where there are any.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownPrefixes {
    pub(super) pskc: Option<String>,
    pub(super) enc: Option<String>,
    pub(super) speke: Option<String>,
}

/// The root element.
#[derive(Debug, Default)]
pub(super) struct Root {
    pub(super) content_id: Option<Attribute>,
    pub(super) id: Option<Attribute>,
    pub(super) version: Option<Attribute>,
}

/// The lists that are in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    DeliveryData,
    ContentKeys,
    DrmSystems,
    Periods,
    Rules,
}

#[derive(Debug)]
pub(super) struct DeliveryData {
    pub(super) place: Place,
    pub(super) prefixes: KnownPrefixes,
    /// The text of `X509Certificate`, Base64 of DER, with any white space.
    pub(super) certificate: Option<String>,
}

#[derive(Debug)]
pub(super) struct ContentKey {
    pub(super) kid: Kid,
    /// As spelled.
    pub(super) kid_text: String,
    pub(super) scheme: Option<String>,
    pub(super) explicit_iv: Option<Attribute>,
    pub(super) place: Place,
    /// `Data`, with all in it.
    pub(super) data: Option<Range<usize>>,
    pub(super) prefixes: KnownPrefixes,
}

#[derive(Debug)]
pub(super) struct DrmSystem {
    pub(super) kid: Kid,
    pub(super) system: System,
    /// As spelled.
    pub(super) system_text: String,
    pub(super) place: Place,
    pub(super) gaps: Vec<(Gap, Place)>,
    pub(super) prefixes: KnownPrefixes,
}

/// An element of a `DRMSystem` that an answer fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    Pssh,
    ContentProtectionData,
    /// `HLSSignalingData` of media playlists, or without `playlist`.
    HlsMedia,
    /// `HLSSignalingData` of multivariant playlists.
    HlsMaster,
    SmoothHeader,
    /// SPEKE 1.0: the URI of `EXT-X-KEY`.
    UriExtXKey,
    /// SPEKE 1.0: the PlayReady Object.
    ProtectionHeader,
    /// SPEKE 1.0: `KEYFORMAT`.
    KeyFormat,
    /// SPEKE 1.0: `KEYFORMATVERSIONS`.
    KeyFormatVersions,
}

impl Gap {
    /// Whether SPEKE 2.0 and later must not answer it.
    pub(super) const fn is_of_v1(self) -> bool {
        matches!(self, Self::UriExtXKey | Self::ProtectionHeader | Self::KeyFormat | Self::KeyFormatVersions)
    }
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) kid: Option<Kid>,
    pub(super) track_type: Option<String>,
    /// `KeyPeriodFilter@periodId`.
    pub(super) periods: Vec<Option<String>>,
    pub(super) filters: Vec<Filter>,
}

/// A filter of a usage rule. Values are as in the document, unread.
#[derive(Debug)]
pub(super) enum Filter {
    Video {
        min_pixels: Option<String>,
        max_pixels: Option<String>,
        hdr: Option<String>,
        min_fps: Option<String>,
        max_fps: Option<String>,
    },
    Audio {
        min_channels: Option<String>,
        max_channels: Option<String>,
    },
    /// `LabelFilter`, which SPEKE does not support.
    Label,
}

/// A request document: parsed, not yet checked against the rules of a version.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) root: Root,
    pub(super) lists: Vec<List>,
    pub(super) deliveries: Vec<DeliveryData>,
    pub(super) keys: Vec<ContentKey>,
    pub(super) systems: Vec<DrmSystem>,
    /// `ContentKeyPeriod@id`.
    pub(super) periods: Vec<Option<String>>,
    pub(super) rules: Vec<Rule>,
    /// Elements and attributes in the namespace of SPEKE 1.0, and declarations of it.
    pub(super) leftovers: Vec<Range<usize>>,
}
