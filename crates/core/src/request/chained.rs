//! A request whose signed token is renewed with the response (RFC 9246 section 3).

use crate::http::route::Kind;
use crate::policy::PolicyIndex;
use crate::request::pending::ViewerUrl;
use crate::token::uri_signing::renewal::Renewal;

/// A request with a verified token, kept until its response arrives.
#[derive(Debug)]
pub struct ChainedRequest {
    /// Index of the policy.
    pub policy: PolicyIndex,
    /// Kind of the resource, by its URL.
    pub kind: Kind,
    /// URL as requested by the player, without a token in its path.
    pub url: ViewerUrl,
    /// Seconds for which the token is still valid; `None` if it has no end.
    pub time_left: Option<u64>,
    /// The next token; `None` if the token is not to be renewed.
    pub renewal: Option<Renewal>,
}

impl ChainedRequest {
    /// Index of the policy.
    pub fn policy(&self) -> PolicyIndex {
        self.policy
    }

    /// Kind of the resource, by its URL.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}
