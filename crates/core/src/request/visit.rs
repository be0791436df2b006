//! A request under its policy.

use super::signed_claim::SignedClaim;

use crate::http::incoming::Incoming;
use crate::http::route::{Extension, Kind};
use crate::policy::{Policies, Policy, PolicyIndex};
use crate::request::pending::PendingSession;
use crate::token::signed::KeyRequest;

/// A request under its policy. Checks add what they find.
pub struct Visit<'a> {
    /// The configuration.
    pub policies: &'a Policies,
    /// The request.
    pub incoming: &'a Incoming<'a>,
    /// The policy's index.
    pub index: PolicyIndex,
    /// The policy.
    pub policy: &'a Policy,
    /// The extension of the path under this policy.
    pub extension: Extension,
    /// The session, once its check has found or opened it; `None` for content that needs none.
    pub session: Option<PendingSession>,
    /// The statement of the signed parameter on content, once its check has verified it.
    pub claim: SignedClaim,
    /// The statement of the signed parameter on a key request, once its check has verified it.
    pub key: Option<KeyRequest>,
    pub(super) random: &'a mut dyn FnMut() -> [u8; 16],
}

impl<'a> Visit<'a> {
    /// Nothing but the policy is known yet.
    pub fn new(
        policies: &'a Policies,
        incoming: &'a Incoming<'a>,
        index: PolicyIndex,
        policy: &'a Policy,
        random: &'a mut dyn FnMut() -> [u8; 16],
    ) -> Self {
        let extension = policy.extension(&incoming.target.path);
        let claim = SignedClaim::default();
        Self { policies, incoming, index, policy, extension, session: None, claim, key: None, random }
    }

    /// The kind of content by its path alone.
    pub fn kind(&self) -> Kind {
        match self.extension {
            Extension::Playlist => Kind::Playlist,
            _ if self.policy.encryption.is_some() => Kind::Segment,
            _ => Kind::Clear,
        }
    }

    /// The payload of the access token that opened the session.
    pub fn payload(&self) -> Option<&str> {
        self.session.as_ref().and_then(|pending| pending.session.payload.as_deref())
    }
}
