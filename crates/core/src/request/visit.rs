//! A request under its policy, and the checks that content and keys share.

use super::Denied;
use super::check::{Flow, Observer};
use super::signed_claim::SignedClaim;

use crate::http::incoming::Incoming;
use crate::pending::PendingSession;
use crate::policy::players::Players;
use crate::policy::targeting::Facts;
use crate::policy::{Policies, Policy, PolicyIndex};
use crate::reply::Reason;
use crate::route::{Extension, Kind};
use crate::signed::KeyRequest;

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
    fn payload(&self) -> Option<&str> {
        self.session.as_ref().and_then(|pending| pending.session.payload.as_deref())
    }
}

/// The request ends with its headers: an origin that ignores bodies would take one for the next request on its connection,
/// which has passed no check (request smuggling, "CL.0").
pub fn body(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    Flow::of(bodiless(visit.incoming))
}

/// [`Reason::Body`] if the request has a body.
pub fn bodiless(incoming: &Incoming<'_>) -> Result<(), Reason> {
    if incoming.head.bodiless { Ok(()) } else { Err(Reason::Body) }
}

/// The request comes from where it may.
pub fn targeting(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let Some(targeting) = &visit.policy.targeting else { return Flow::Skip };
    match targeting.check(&Facts::new(visit.incoming.head, &visit.policies.geo_headers)) {
        Ok(()) => Flow::Next,
        Err(denied) => Flow::Refuse(Denied { reason: denied.reason, redirect: denied.redirect }),
    }
}

/// The player may play. Where sessions name their player, content without a session is not asked.
pub fn player(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let Some(players) = &visit.policy.players else { return Flow::Skip };
    if visit.session.is_none() && Players::are_named_by_session(players) && !visit.policy.is_open() {
        return Flow::Skip;
    }
    let head = visit.incoming.head;
    Flow::of(players.check(head.headers, visit.payload(), head.now))
}
