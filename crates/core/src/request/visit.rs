//! A request and its policy.

use super::chained::ChainedRequest;
use super::pending::PendingSession;
use super::signed_claim::SignedClaim;
use crate::http::incoming::Incoming;
use crate::http::route::{Extension, Kind};
use crate::policy::{Policies, Policy, PolicyIndex};
use crate::token::signed::KeyRequest;

/// A request and its policy, with the results of its checks.
pub struct Visit<'a> {
    /// The configuration.
    pub policies: &'a Policies,
    /// The request.
    pub incoming: &'a Incoming<'a>,
    /// Index of the policy.
    pub index: PolicyIndex,
    /// The policy.
    pub policy: &'a Policy,
    /// Kind of the path under this policy.
    pub extension: Extension,
    /// Session, once resumed or opened; `None` for content that requires none.
    pub session: Option<PendingSession>,
    /// Request whose signed token is renewed in place of sessions, once the token is verified.
    pub chained: Option<ChainedRequest>,
    /// Claim of the signed parameter on content, once verified.
    pub claim: SignedClaim,
    /// Claim of the signed parameter on a key request, once verified.
    pub key: Option<KeyRequest>,
    pub(super) random: &'a mut dyn FnMut() -> [u8; 16],
}

impl<'a> Visit<'a> {
    /// Starts with only the policy known.
    pub fn new(
        policies: &'a Policies,
        incoming: &'a Incoming<'a>,
        index: PolicyIndex,
        policy: &'a Policy,
        random: &'a mut dyn FnMut() -> [u8; 16],
    ) -> Self {
        let extension = policy.extension(&incoming.target.path);
        let claim = SignedClaim::default();
        Self { policies, incoming, index, policy, extension, session: None, chained: None, claim, key: None, random }
    }

    /// Kind of the content, by its path alone.
    pub fn kind(&self) -> Kind {
        match self.extension {
            Extension::Playlist(_) => Kind::Playlist,
            _ if self.policy.encryption.is_some() => Kind::Segment,
            _ => Kind::Clear,
        }
    }

    /// Payload of the access token that opened the session.
    pub fn payload(&self) -> Option<&str> {
        self.session.as_ref().and_then(|pending| pending.session.payload.as_deref())
    }
}
