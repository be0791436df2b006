//! Versions of SPEKE.

/// A version that a request names in `X-Speke-Version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// SPEKE 1.0: requests have no version header, documents are read loosely.
    V1,
    /// SPEKE 2.0 with CPIX 2.3.
    V2_0,
    /// SPEKE 2.1 with CPIX 2.4.
    V2_1,
}

impl Version {
    /// Reads the value of `X-Speke-Version`; `None` for a version that this crate does not have.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        match value {
            b"2.0" => Some(Self::V2_0),
            b"2.1" => Some(Self::V2_1),
            _ => None,
        }
    }

    /// `CPIX@version` of its documents; `None` where any will do.
    pub(crate) const fn of_cpix(self) -> Option<&'static str> {
        match self {
            Self::V1 => None,
            Self::V2_0 => Some("2.3"),
            Self::V2_1 => Some("2.4"),
        }
    }

    /// The value of `X-Speke-Version` in requests and responses; `None` where there is none.
    #[must_use]
    pub const fn header(self) -> Option<&'static str> {
        match self {
            Self::V1 => None,
            Self::V2_0 => Some("2.0"),
            Self::V2_1 => Some("2.1"),
        }
    }
}
