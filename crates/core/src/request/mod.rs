//! Admission: runs the checks on a request in order.

mod access_renewal;
pub mod access_token;
pub mod admitted;
#[cfg(feature = "urisigning")]
mod chain;
#[cfg(not(feature = "urisigning"))]
#[path = "no_chain.rs"]
mod chain;
#[cfg(not(feature = "urisigning"))]
#[path = "not_chained.rs"]
pub mod chained;
#[cfg(feature = "urisigning")]
pub mod chained;
pub mod check;
pub mod collecting;
mod content;
pub mod door;
mod edits;
mod key_endpoint;
mod key_reply;
pub mod license;
pub mod opened;
#[cfg(feature = "speke")]
mod packaged_key;
pub mod pending;
mod pending_session;
mod resume_or_open;
mod shared_checks;
mod signed_claim;
#[cfg(not(feature = "speke"))]
#[path = "no_speke.rs"]
pub mod speke;
#[cfg(feature = "speke")]
pub mod speke;
pub mod visit;

pub use self::admitted::{Admitted, AdmittedKey, KeyOf, Refused};
use self::check::{Check, Flow, Observer, Outcome, run};
use self::door::Door;
pub use self::door::{plain_target, policy_for, policy_for_cors};
use self::visit::Visit;
use crate::bytes::bug;
use crate::http::incoming::{Incoming, RequestHead};
use crate::http::message::Request;
use crate::http::plain_target::PlainTarget;
use crate::http::reply::Reason;
use crate::http::route::Kind;
use crate::policy::Policies;

/// Runs the checks on a request. `random` is called at most once, to open a session.
///
/// # Errors
/// The first check that denies the request.
pub fn admit(
    policies: &Policies,
    head: &RequestHead<'_>,
    random: &mut dyn FnMut() -> [u8; 16],
    observer: &mut dyn Observer,
) -> Result<Admitted, Refused> {
    let Ok(plain) = PlainTarget::of(head.raw_target, policies.path_marker(), &policies.path_parameters) else {
        observer.target(head, None);
        return Err(Refused { denied: Reason::Target.into(), kind: Kind::Unknown, policy: None });
    };
    let Ok(incoming) = Incoming::parse_plain(head, &plain) else {
        observer.target(head, None);
        return Err(Refused { denied: Reason::Target.into(), kind: Kind::Unknown, policy: None });
    };
    // Another spelling of a path that is a key server's: no content.
    if policies.speke_at(&incoming.target.path).is_some() {
        observer.target(head, None);
        return Err(Refused { denied: Reason::Target.into(), kind: Kind::Unknown, policy: None });
    }
    observer.target(head, Some(&incoming));
    #[cfg(feature = "speke")]
    if let Some(kind) = packaged_key::kind(policies, &incoming) {
        let (door, checks) = (packaged_key::door(), packaged_key::checks());
        return follow(&door, &checks, Some(kind), policies, &incoming, random, observer);
    }
    let path = &incoming.target.path;
    let is_license = key_endpoint::is_license(policies, &incoming);
    match policies.is_license_path(path) || policies.is_key_path(path) {
        true => follow(
            &key_endpoint::door(),
            &key_endpoint::checks(),
            Some(if is_license { Kind::License } else { Kind::Key }),
            policies,
            &incoming,
            random,
            observer,
        ),
        false => follow(&content::door(), &content::checks(), None, policies, &incoming, random, observer),
    }
}

/// Runs the checks that find the policy, then those under it. `kind` is the request's kind if it does not depend on the
/// policy.
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
    // The last of these checks finds the policy or denies the request.
    let Some((index, policy)) = door.policy else {
        return Err(refused(bug::instead(Reason::Unassigned).into(), None, kind));
    };
    let mut visit = Visit::new(policies, incoming, index, policy, random);
    let kind = kind.or(Some(visit.kind()));
    let under_policy = |observer: &mut dyn Observer, check, outcome: Outcome<'_>, visit: &Visit<'_>| {
        observer.under_policy(check, outcome, visit);
    };
    match run(checks, &mut visit, observer, under_policy) {
        Flow::Admit(admitted) => Ok(admitted),
        Flow::Refuse(denied) => Err(refused(denied, Some(index), kind)),
        // The last check admits or denies.
        Flow::Next | Flow::Skip => Err(refused(bug::instead(Reason::Unassigned).into(), Some(index), kind)),
    }
}

/// [`admit`] without an observer.
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
