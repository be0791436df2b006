//! The tokens of a policy: where access tokens stand, and how sessions go on.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::binding::Binding;
use super::text::TokenName;
use crate::token::edge_auth::Verifier;

/// Where an access token is found and what verifies it.
#[derive(Debug)]
pub struct AccessToken {
    /// Query parameter.
    pub name: TokenName,
    /// Cookie.
    pub cookie: TokenName,
    /// Header, in lower case.
    pub header: TokenName,
    /// What verifies it.
    pub verifier: Verifier,
    /// Sessions are opened by it. Otherwise it is removed and not looked at.
    pub enforced: bool,
}

/// How a session goes on.
#[derive(Debug)]
pub struct SessionRules {
    /// Name of the session token in the query; its cookies' begin with it.
    pub name: TokenName,
    /// Where it travels.
    pub transport: Transport,
    /// A live media playlist that opens a session is answered with a master playlist.
    pub wrap_live_playlists: bool,
    /// How long a session lasts, in seconds.
    pub ttl: u64,
    /// Tolerance of clocks, in seconds.
    pub skew: u64,
    /// The session's ACL, in place of the access token's.
    pub acl: Option<String>,
    /// Content needs a session token; playlists and keys always do.
    pub on_content: bool,
    /// What it is bound to beside its token.
    pub binding: Binding,
    /// Other authorities whose URIs get a token, in lower case without default ports.
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
    /// Whether URIs carry the token in their query.
    pub fn in_query(self) -> bool {
        self != Self::Cookie
    }

    /// Whether cookies carry the token.
    pub fn in_cookie(self) -> bool {
        self != Self::Query
    }
}
