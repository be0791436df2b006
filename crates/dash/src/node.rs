//! The elements that matter, recognised by their namespace, their local name and their parent (ISO/IEC 23009-1, annex
//! B).

use playlock_xml::Element;

use crate::error::DashError;
use crate::links::Place;

/// The namespace of the standard. Early writers spelled it with capitals, so that the case of letters does not count.
const MPD: &str = "urn:mpeg:dash:schema:mpd:2011";
/// The namespaces of `Laurl`: DASH-IF's Content Protection Schema, and the older one of ClearKey.
pub(crate) const LAURL: [&str; 2] = ["https://dashif.org/CPS", "http://dashif.org/guidelines/clearKey"];

/// An element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    Mpd,
    /// An element with its own `BaseURL` elements, below `MPD`.
    Level(Level),
    /// `SegmentBase`, `SegmentList` or `SegmentTemplate`.
    Segments(Segments),
    /// `SegmentURL`, `Initialization`, `RepresentationIndex` or `BitstreamSwitching`.
    File,
    /// `InitializationSet`
    InitializationSet,
    /// `ContentProtection`
    Protection,
    /// An element whose text is a URL.
    Url(Place),
    /// `PatchLocation`: a patch would bring parts of the document that nobody has rewritten.
    Patch,
    /// An element of the standard that passes as it is.
    Plain,
    /// An element of another schema, or within one, that passes as it is.
    Foreign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Period,
    Set,
    Representation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segments {
    Base,
    List,
    Template,
}

impl Node {
    /// The root, if it is one of the standard.
    pub(crate) fn root(element: &Element<'_>) -> Option<Self> {
        (is_standard(element) && element.name.local == "MPD").then_some(Self::Mpd)
    }

    /// An element in another one.
    ///
    /// # Errors
    /// [`DashError::Lookalike`]
    pub(crate) fn child(parent: Self, element: &Element<'_>) -> Result<Self, DashError> {
        let local = element.name.local;
        if parent == Self::Foreign {
            return Ok(Self::Foreign);
        }
        let standard = Self::standard(parent, local);
        if is_standard(element) {
            return Ok(standard);
        }
        if parent == Self::Protection && local == "Laurl" && LAURL.contains(&element.namespace) {
            return Ok(Self::Url(Place::License));
        }
        match standard {
            Self::Plain | Self::Protection => Ok(Self::Foreign),
            _ => Err(DashError::Lookalike),
        }
    }

    /// A child by its local name.
    fn standard(parent: Self, local: &str) -> Self {
        match (parent, local) {
            (Self::Mpd, "Period") => Self::Level(Level::Period),
            (Self::Level(Level::Period), "AdaptationSet" | "EmptyAdaptationSet") => Self::Level(Level::Set),
            (Self::Level(Level::Set), "Representation") => Self::Level(Level::Representation),
            (Self::Level(_), "SegmentBase") => Self::Segments(Segments::Base),
            (Self::Level(_), "SegmentList") => Self::Segments(Segments::List),
            (Self::Level(_), "SegmentTemplate") => Self::Segments(Segments::Template),
            (Self::Segments(_), "SegmentURL" | "Initialization" | "RepresentationIndex" | "BitstreamSwitching") => {
                Self::File
            }
            (Self::Mpd | Self::Level(_), "BaseURL") => Self::Url(Place::Base),
            (Self::Mpd, "Location") => Self::Url(Place::Location),
            (Self::Mpd, "ContentSteering") => Self::Url(Place::Steering),
            (Self::Mpd, "PatchLocation") => Self::Patch,
            (Self::Mpd, "InitializationSet") => Self::InitializationSet,
            (_, "ContentProtection") => Self::Protection,
            _ => Self::Plain,
        }
    }

    /// The place of a URL in an attribute without a prefix.
    pub(crate) fn url(self, attribute: &str) -> Option<Place> {
        match (self, attribute) {
            (Self::Segments(Segments::Template), "media" | "initialization" | "index" | "bitstreamSwitching") => {
                Some(Place::Template)
            }
            (Self::File, "media" | "index" | "sourceURL") | (Self::InitializationSet, "initialization") => {
                Some(Place::File)
            }
            _ => None,
        }
    }
}

pub(crate) fn is_standard(element: &Element<'_>) -> bool {
    element.namespace == MPD || element.namespace.eq_ignore_ascii_case(MPD)
}
