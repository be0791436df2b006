//! `tokenAuth` as it is written: who may watch.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::value::{Duration, SecretSource};

/// `tokenAuth`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TokenAuth {
    /// Access and session tokens are checked.
    pub enabled: bool,
    /// What access tokens are signed with: an even number of hex digits.
    pub password: Option<SecretSource>,
    /// A second one that is accepted too, while the password is being changed.
    pub transition_password: Option<SecretSource>,
    /// Playlists need an access token to open a session.
    #[serde(default = "yes")]
    pub enforce_on_initial_request: bool,
    /// Content (all but playlists and keys) needs a session token.
    #[serde(default = "yes")]
    pub enforce_on_content_request: bool,
    /// Query parameter of the access token (`hdnts`).
    pub access_token_name: Option<String>,
    /// Its cookie, if it has another name.
    pub access_token_cookie: Option<String>,
    /// Its header, if it has another name.
    pub access_token_header: Option<String>,
    /// Query parameter and cookie of the session token (`hdntl`).
    pub session_token_name: Option<String>,
    /// How the session token travels.
    #[serde(default)]
    pub session_token_transport: Transport,
    /// How long a session lasts (`1d`).
    pub session_ttl: Option<Duration>,
    /// The session's paths, in place of the access token's: patterns joined with `!`.
    pub session_acl: Option<String>,
    /// What a session is bound to beside its token (nothing).
    pub session_binding: Option<SessionBinding>,
    /// Tolerance for `st` and `exp` (`10s`).
    pub clock_skew: Option<Duration>,
    /// A live media playlist that opens a session is answered with a master playlist of one variant, so that its reloads
    /// carry the session token.
    #[serde(default = "yes")]
    pub wrap_live_playlists: bool,
    /// Signed with every access token and carried by none.
    pub salt: Option<String>,
    /// HMACs that are accepted in access tokens beside SHA-256.
    #[serde(default)]
    pub algorithms: Vec<Algorithm>,
    /// Other hosts that playlock protects with the same secrets: their URIs get the session token too.
    #[serde(default)]
    pub hosts: Vec<String>,
}

fn yes() -> bool {
    true
}

/// `sessionBinding`: what must be as it was when the session was opened.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SessionBinding {
    /// The client's network.
    pub address_prefix: Option<AddressPrefix>,
    /// The value of this request header.
    pub header_for_salt: Option<String>,
}

/// `sessionBinding.addressPrefix`: how many leading bits of the client's address make its network.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AddressPrefix {
    /// Of an IPv4 address (24).
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 32)))]
    pub ipv4: Option<u32>,
    /// Of an IPv6 address (56).
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 128)))]
    pub ipv6: Option<u32>,
}

/// How the session token travels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// In the query of every URI: needs no cookies.
    #[default]
    Query,
    /// In a cookie.
    Cookie,
    /// In both; either is accepted.
    Both,
}

impl Transport {
    /// Whether the token stands in the query of URIs.
    pub fn in_query(self) -> bool {
        self != Self::Cookie
    }

    /// Whether the token stands in a cookie.
    pub fn in_cookie(self) -> bool {
        self != Self::Query
    }
}

/// An HMAC's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-MD5.
    Md5,
}
