//! A request whose token is renewed in place of a session, kept until its response arrives.

use super::pending::ViewerUrl;
use crate::http::route::Kind;
use crate::policy::PolicyIndex;
use crate::token::uri_signing::renewal::Renewal;

/// A request with a verified token, kept until its response arrives.
#[derive(Debug)]
pub struct ChainedRequest {
    /// Index of the policy.
    pub(super) policy: PolicyIndex,
    /// Kind of the resource, by its URL.
    pub(super) kind: Kind,
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
