//! Access tokens and session tokens of a policy.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::binding::Binding;
use super::text::TokenName;
use crate::token::edge_auth::Verifier;

/// Names and verifier of access tokens.
#[derive(Debug)]
pub struct AccessToken {
    /// Name of the query parameter.
    pub name: TokenName,
    /// Name of the cookie.
    pub cookie: TokenName,
    /// Name of the header, in lower case.
    pub header: TokenName,
    /// Verifier of access tokens.
    pub verifier: Verifier,
    /// Opening a session requires an access token. Otherwise access tokens are removed from requests without
    /// verification.
    pub enforced: bool,
}

/// Session tokens, lifetime and binding.
#[derive(Debug)]
pub struct SessionRules {
    /// Name of the session token in the query, and prefix of the names of its cookies.
    pub name: TokenName,
    /// Transport of the session token.
    pub transport: Transport,
    /// Respond with a multivariant playlist to a request for a live media playlist that opens a session.
    pub wrap_live_playlists: bool,
    /// Lifetime of a session in seconds.
    pub ttl: u64,
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
}

impl Transport {
    /// Whether the query carries the token.
    pub fn in_query(self) -> bool {
        self != Self::Cookie
    }

    /// Whether cookies carry the token.
    pub fn in_cookie(self) -> bool {
        self != Self::Query
    }
}
