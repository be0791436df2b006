//! Access tokens and session tokens of a policy.

use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroU64;

use serde::Deserialize;

use super::binding::Binding;
use super::text::{PathMarker, TokenName};
use crate::http::incoming::{Incoming, RequestHead};
use crate::http::reply::Reason;
use crate::token::format::Format;
use crate::token::grant::Grant;
#[cfg(feature = "urisigning")]
use crate::token::uri_signing::renewal::Renewer;
use crate::token::{MAX_SENT, cat, edge_auth, jwt, media_cdn, uri_signing};

/// Access tokens of a policy.
#[derive(Debug)]
pub struct AccessToken {
    /// The accepted formats, in the order of the configuration; at least one. No two share a name.
    pub formats: Vec<AccessFormat>,
    /// Opening a session requires an access token. Otherwise access tokens are removed from requests without
    /// verification.
    pub enforced: bool,
}

impl AccessToken {
    /// Whether each of the proxy's geo headers is read, in the order of
    /// [`GeoHeaders::all`](super::targeting::GeoHeaders::all).
    pub fn reads(&self) -> [bool; 6] {
        let locates = |format: &AccessFormat| match &format.verifier {
            #[cfg(feature = "cat")]
            FormatVerifier::Cat(verifier) => verifier.location.is_some(),
            _ => false,
        };
        let locates = self.formats.iter().any(locates);
        [locates, locates, false, false, false, locates]
    }
}

/// A format of access tokens: where its tokens are sent, and their verifier.
#[derive(Debug)]
pub struct AccessFormat {
    /// Name of the query parameter.
    pub parameter: TokenName,
    /// Name of the cookie.
    pub cookie: TokenName,
    /// Name of the header, in lower case; `None` for a format that no header carries.
    pub header: Option<TokenName>,
    /// Verifier of its tokens.
    pub verifier: FormatVerifier,
}

impl AccessFormat {
    /// The token in a value of its header; `None` for values that are no token: those in `authorization` follow the word
    /// `Bearer` (RFC 6750, section 2.1).
    pub fn in_header<'a>(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        let is_authorization = self.header.as_ref().is_some_and(|name| name.as_str() == "authorization");
        if !is_authorization || self.verifier.format() != Format::Jwt {
            return Some(value);
        }
        let (scheme, token) = value.split_at_checked(BEARER.len())?;
        scheme.eq_ignore_ascii_case(BEARER).then(|| token.trim_ascii_start())
    }

    /// Whether a cookie of this name carries tokens of the format. CTA-5007 compares the names without case.
    pub fn is_cookie(&self, name: &[u8]) -> bool {
        match &self.verifier {
            FormatVerifier::Cat(_) => name.eq_ignore_ascii_case(self.cookie.as_bytes()),
            _ => name == self.cookie.as_bytes(),
        }
    }

    /// Name of the path parameter that also carries its tokens; `None` for most formats.
    pub fn path_parameter(&self) -> Option<&str> {
        matches!(self.verifier, FormatVerifier::UriSigning(_)).then_some(self.parameter.as_str())
    }
}

/// The scheme of tokens in `authorization`, not case-sensitive.
const BEARER: &[u8] = b"Bearer ";

/// The verifier of one format.
#[derive(Debug)]
pub enum FormatVerifier {
    /// EdgeAuth v2.
    EdgeAuth(edge_auth::Verifier),
    /// Common Access Token.
    Cat(cat::Verifier),
    /// URI Signing.
    UriSigning(uri_signing::Verifier),
    /// JSON Web Token.
    Jwt(jwt::Verifier),
    /// Google Media CDN.
    MediaCdn(media_cdn::Verifier),
}

impl FormatVerifier {
    /// The format.
    pub fn format(&self) -> Format {
        match self {
            Self::EdgeAuth(_) => Format::EdgeAuth,
            Self::Cat(_) => Format::Cat,
            Self::UriSigning(_) => Format::UriSigning,
            Self::Jwt(_) => Format::Jwt,
            Self::MediaCdn(_) => Format::MediaCdn,
        }
    }

    /// Longest token in bytes.
    pub fn longest(&self) -> usize {
        match self {
            #[cfg(feature = "jwt")]
            Self::Jwt(_) => jwt::MAX_SENT,
            _ => MAX_SENT,
        }
    }

    /// Whether the proxy verifies the tokens, so that none is looked for in requests.
    pub fn is_attested(&self) -> bool {
        match self {
            #[cfg(feature = "jwt")]
            Self::Jwt(verifier) => verifier.is_attested(),
            _ => false,
        }
    }

    /// Whether the proxy has verified a token of the request `head`.
    #[cfg_attr(not(feature = "jwt"), expect(unused_variables, reason = "no other format is verified by the proxy"))]
    pub fn has_attested(&self, head: &RequestHead<'_>) -> bool {
        match self {
            #[cfg(feature = "jwt")]
            Self::Jwt(verifier) => verifier.has_attested(head),
            _ => false,
        }
    }

    /// Verifies an access token as sent with `incoming`. `reserved` are the query parameters that are removed before
    /// the origin sees the URL.
    ///
    /// # Errors
    /// The reason why the token is not valid for this request.
    pub fn verify(&self, sent: &str, incoming: &Incoming<'_>, reserved: &[impl AsRef<str>]) -> Result<Grant, Reason> {
        match self {
            Self::EdgeAuth(verifier) => verifier.verify(sent, incoming, reserved),
            Self::Cat(verifier) => verifier.verify(sent, incoming, reserved),
            Self::UriSigning(verifier) => verifier.verify(sent, incoming, reserved),
            Self::Jwt(verifier) => verifier.verify(sent, incoming, reserved),
            Self::MediaCdn(verifier) => verifier.verify(sent, incoming, reserved),
        }
    }

    /// The name of the claim that refuses a token, for formats whose tokens have claims of many kinds. Verifies the token
    /// again.
    pub fn refused_claim(&self, sent: &str, incoming: &Incoming<'_>, reserved: &[impl AsRef<str>]) -> Option<String> {
        match self {
            #[cfg(feature = "cat")]
            Self::Cat(verifier) => verifier.examine(sent, incoming, reserved).err()?.claim,
            _ => {
                let _ = (sent, incoming, reserved);
                None
            }
        }
    }

    /// Whether an access token as sent has a valid signature, regardless of its claims.
    pub fn has_signed(&self, sent: &str) -> bool {
        match self {
            Self::EdgeAuth(verifier) => verifier.has_signed(sent),
            Self::Cat(verifier) => verifier.has_signed(sent),
            Self::UriSigning(verifier) => verifier.has_signed(sent),
            Self::Jwt(verifier) => verifier.has_signed(sent),
            Self::MediaCdn(verifier) => verifier.has_signed(sent),
        }
    }
}

/// The format of tokens that are renewed with each response, in place of sessions.
#[cfg(feature = "urisigning")]
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a> {
    /// The only format of the policy.
    pub format: &'a AccessFormat,
    /// Its verifier.
    pub verifier: &'a uri_signing::Verifier,
    /// Signs the next token.
    pub renewer: &'a Renewer,
}

impl AccessToken {
    /// Whether tokens are renewed with each response, in place of sessions.
    pub fn is_chained(&self) -> bool {
        self.formats.iter().any(|format| matches!(&format.verifier, FormatVerifier::UriSigning(it) if it.renews()))
    }

    /// The format whose tokens are renewed in place of sessions, if the policy has one.
    #[cfg(feature = "urisigning")]
    pub fn chain(&self) -> Option<Chain<'_>> {
        self.formats.iter().find_map(|format| match &format.verifier {
            FormatVerifier::UriSigning(verifier) => {
                Some(Chain { format, verifier, renewer: verifier.renewer.as_deref()? })
            }
            _ => None,
        })
    }
}

/// Session tokens, lifetime and binding.
#[derive(Debug)]
pub struct SessionRules {
    /// Name of the session token in the query, and prefix of the names of its cookies.
    pub name: TokenName,
    /// Transport of the session token.
    pub transport: Transport,
    /// Precedes the token in the path; `None` for other transports.
    pub path_marker: Option<PathMarker>,
    /// Respond with a multivariant playlist to a request for a live media playlist that opens a session.
    pub wrap_live_playlists: bool,
    /// Redirect requests for playlists that open a session to the URL with the session's token.
    pub redirect_playlists: bool,
    /// Lifetime of a session in seconds.
    pub ttl: u64,
    /// Time in seconds after which live playlists have newer tokens in the URIs of their content; `None`: never.
    pub renewal: Option<NonZeroU64>,
    /// Tolerated clock skew in seconds.
    pub skew: u64,
    /// ACL of the session; overrides the access token's.
    pub acl: Option<String>,
    /// Require a session token for content. Playlists and keys always require one.
    pub on_content: bool,
    /// Binding to the client's network or to a header.
    pub binding: Binding,
    /// Additional authorities whose URIs get a token, in lower case and without default ports.
    pub hosts: Vec<String>,
}

/// How the session token is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// In the query of every URI. Requires no cookies.
    #[default]
    Query,
    /// In a cookie for each session. The query of every URI identifies the session.
    Cookie,
    /// In both. Either is accepted.
    Both,
    /// In the path, as its first segment. Relative URIs inherit it, so few URIs are rewritten, and resources that no
    /// playlist names have it, too.
    Path,
}

impl Transport {
    /// Whether the query carries the token.
    pub fn in_query(self) -> bool {
        matches!(self, Self::Query | Self::Both)
    }

    /// Whether cookies carry the token.
    pub fn in_cookie(self) -> bool {
        matches!(self, Self::Cookie | Self::Both)
    }

    /// Whether the path carries the token.
    pub fn in_path(self) -> bool {
        self == Self::Path
    }
}
