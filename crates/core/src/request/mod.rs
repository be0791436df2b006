//! Admission: the checks on a request, in order, and what becomes of a request that passes them.

pub mod check;
mod content;
pub mod door;
mod edits;
mod key_endpoint;
mod resume_or_open;
mod signed_claim;
pub mod visit;

use alloc::string::String;

use self::check::{Check, Flow, Observer, Outcome, run};
use self::door::Door;
use self::visit::Visit;

use crate::derive::KeyScope;
use crate::http::incoming::{Incoming, RequestHead};
use crate::pending::PendingRequest;
use crate::policy::{Coverage, Policies, Policy, PolicyIndex};
use crate::reply::{Reason, Reply};
use crate::route::Kind;
use crate::session::Session;
use crate::step::{Call, HeaderEdits, Request};

/// A request that may go on.
#[expect(clippy::large_enum_variant, reason = "taken apart at once; a box would only add an allocation")]
pub enum Admitted {
    /// No policy covers it: untouched.
    Pass,
    /// A key, answered here.
    Key(AdmittedKey),
    /// A preflight request, answered here.
    Preflight {
        /// The policy's index.
        policy: PolicyIndex,
        /// The answer.
        reply: Reply,
    },
    /// To the origin, with these changes.
    Pending(PendingRequest, HeaderEdits),
}

/// A key request that may go on.
pub struct AdmittedKey {
    /// The policy's index.
    pub policy: PolicyIndex,
    /// The session that asks.
    pub session: Session,
    /// Which viewers share the key.
    pub scope: KeyScope,
    /// The key period.
    pub period: u64,
    /// The answer.
    pub reply: Reply,
    /// The authorizer's question, to be asked first.
    pub ask: Option<Call>,
}

/// Why a check refuses, and where the client is sent.
#[derive(Debug)]
pub struct Denied {
    /// The reason.
    pub reason: Reason,
    /// An absolute URL for a 302.
    pub redirect: Option<String>,
}

/// A refused request, and what is known of it.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub denied: Denied,
    /// Its kind.
    pub kind: Kind,
    /// The policy's index.
    pub policy: Option<PolicyIndex>,
}

/// Runs the checks on a request. `random` is called at most once, when a session is opened.
///
/// # Errors
/// The first check that refuses it.
pub fn admit(
    policies: &Policies,
    head: &RequestHead<'_>,
    random: &mut dyn FnMut() -> [u8; 16],
    observer: &mut dyn Observer,
) -> Result<Admitted, Refused> {
    let Ok(incoming) = Incoming::parse(head) else {
        observer.target(head, None);
        return Err(Refused { denied: Denied::from(Reason::Target), kind: Kind::Unknown, policy: None });
    };
    observer.target(head, Some(&incoming));
    match policies.is_key_path(&incoming.target.path) {
        true => follow(
            &key_endpoint::door(),
            &key_endpoint::checks(),
            Some(Kind::Key),
            policies,
            &incoming,
            random,
            observer,
        ),
        false => follow(&content::door(), &content::checks(), None, policies, &incoming, random, observer),
    }
}

/// Runs the checks that find the policy, then those under it. `kind`: if it is known before the policy is.
fn follow<'a>(
    door_checks: &[Check<Door<'a>>],
    checks: &[Check<Visit<'a>>],
    kind: Option<Kind>,
    policies: &'a Policies,
    incoming: &'a Incoming<'a>,
    random: &'a mut dyn FnMut() -> [u8; 16],
    observer: &mut dyn Observer,
) -> Result<Admitted, Refused> {
    let refused = |denied, policy, kind: Option<Kind>| Refused { denied, kind: kind.unwrap_or(Kind::Unknown), policy };
    let mut door = Door::new(policies, incoming);
    let at_the_door = |observer: &mut dyn Observer, check, outcome: Outcome<'_>, door: &Door<'_>| {
        observer.at_the_door(check, outcome, door);
    };
    match run(door_checks, &mut door, observer, at_the_door) {
        Flow::Admit(admitted) => return Ok(admitted),
        Flow::Refuse(denied) => return Err(refused(denied, None, kind)),
        Flow::Next | Flow::Skip => {}
    }
    // The last check at the door has found one.
    let Some((index, policy)) = door.policy else {
        return Err(refused(Reason::Unassigned.into(), None, kind));
    };
    let mut visit = Visit::new(policies, incoming, index, policy, random);
    let kind = kind.or(Some(visit.kind()));
    let under_policy = |observer: &mut dyn Observer, check, outcome: Outcome<'_>, visit: &Visit<'_>| {
        observer.under_policy(check, outcome, visit);
    };
    match run(checks, &mut visit, observer, under_policy) {
        Flow::Admit(admitted) => Ok(admitted),
        Flow::Refuse(denied) => Err(refused(denied, Some(index), kind)),
        // The last check admits or refuses.
        Flow::Next | Flow::Skip => Err(refused(Reason::Unassigned.into(), Some(index), kind)),
    }
}

/// Admits a request without an observer.
///
/// # Errors
/// See [`admit`].
pub fn admit_unobserved(
    policies: &Policies,
    request: &Request<'_>,
    random: &mut dyn FnMut() -> [u8; 16],
) -> Result<Admitted, Refused> {
    admit(policies, &RequestHead::read(request), random, &mut ())
}

/// The policy for a refused request's CORS headers, from the path as it was sent. Good for nothing else: the path may not
/// be normal.
pub fn policy_for_cors<'a>(policies: &'a Policies, head: &RequestHead<'_>) -> Option<&'a Policy> {
    let target = core::str::from_utf8(head.raw_target?).ok()?;
    match policy_for(policies, head, target.split('?').next()?) {
        Coverage::Policy(_, policy) => Some(policy),
        Coverage::Pass | Coverage::Deny => None,
    }
}

/// The policy for a path: the one that the proxy's route names, if routes may name policies, or else the assigned one.
pub fn policy_for<'a>(policies: &'a Policies, head: &RequestHead<'_>, path: &str) -> Coverage<'a> {
    let named = if policies.route_policy { head.route_policy() } else { None };
    match named {
        Some(name) => policies.named(name),
        None => policies.covering(head.authority, path, head.now),
    }
}

impl From<Reason> for Denied {
    fn from(reason: Reason) -> Self {
        Self { reason, redirect: None }
    }
}
