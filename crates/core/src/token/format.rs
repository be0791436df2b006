//! The closed list of access token formats.

use serde::Deserialize;

/// Format of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// EdgeAuth v2, as Akamai's generator libraries make it.
    EdgeAuth,
    /// Common Access Token (CTA-5007).
    Cat,
    /// URI Signing (RFC 9246).
    UriSigning,
    /// JSON Web Token (RFC 7519).
    Jwt,
    /// Google Media CDN's dual tokens.
    MediaCdn,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [Self::EdgeAuth, Self::Cat, Self::UriSigning, Self::Jwt, Self::MediaCdn];

    /// Whether this build has the format (Cargo's features).
    pub fn is_built(self) -> bool {
        match self {
            Self::EdgeAuth => true,
            Self::Cat => cfg!(feature = "cat"),
            Self::UriSigning => cfg!(feature = "urisigning"),
            Self::Jwt => cfg!(feature = "jwt"),
            Self::MediaCdn => cfg!(feature = "mediacdn"),
        }
    }

    /// The name of the format in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::EdgeAuth => "edgeauth",
            Self::Cat => "cat",
            Self::UriSigning => "urisigning",
            Self::Jwt => "jwt",
            Self::MediaCdn => "mediacdn",
        }
    }
}
