//! Checks on a request for a key, or for the license of samples, and the response with a key.

use alloc::vec::Vec;

use super::admitted::{Admitted, AdmittedKey, KeyOf};
use super::check::{Check, Flow, Observer};
use super::door::{Door, policy_for};
use super::key_reply::{question, reply};
use super::license::{self, LicenseRequest, LicensedKeys};
use super::resume_or_open::resume;
use super::shared_checks::{self, bodiless};
use super::visit::Visit;
use crate::bytes::bug;
use crate::http::incoming::{Incoming, Method};
use crate::http::reply::Reason;
use crate::policy::authorizer::AskedKeys;
use crate::policy::encryption::Encryption;
use crate::policy::{Match, Policies};
use crate::token::derive::KeyScope;
use crate::token::signed;

/// Checks that find the policy.
pub const fn door<'a>() -> [Check<Door<'a>>; 5] {
    [
        Check { name: "parameter", run: one_parameter },
        Check { name: "cors", run: preflight },
        Check { name: "method", run: method },
        Check { name: "body", run: body },
        Check { name: "policy", run: claimed_policy },
    ]
}

/// Checks under the policy.
pub const fn checks<'a>() -> [Check<Visit<'a>>; 6] {
    [
        Check { name: "targeting", run: shared_checks::targeting },
        Check { name: "session", run: session },
        Check { name: "player", run: shared_checks::player },
        Check { name: "parameter", run: parameter },
        Check { name: "owner", run: owner },
        Check { name: "key", run: key },
    ]
}

fn one_parameter(door: &mut Door<'_>, _: &mut dyn Observer) -> Flow {
    door.policy = match door.incoming.signed {
        Err(reason) => return Flow::refuse(reason),
        Ok(sent) => sent
            .and_then(signed::claimed_policy)
            .and_then(|name| door.policies.serving_keys(&door.incoming.target.path, &name, door.incoming.head.now)),
    };
    Flow::Next
}

/// Responds to preflight requests from any client: the response discloses only the policy's `cors`.
fn preflight(door: &mut Door<'_>, _: &mut dyn Observer) -> Flow {
    let (incoming, head) = (door.incoming, door.incoming.head);
    if head.method != Method::Options {
        return Flow::Skip;
    }
    let found = door.policy.or_else(|| match policy_for(door.policies, head, &incoming.target.path) {
        Match::Policy(index, policy) => Some((index, policy)),
        Match::Pass | Match::Deny => None,
    });
    let methods = if is_license(door.policies, incoming) { "GET, HEAD, POST" } else { license::methods(false) };
    match found.and_then(|(policy, it)| Some((policy, it.cors.as_ref()?.preflight(head, methods)?))) {
        None => Flow::Skip,
        Some((policy, reply)) => match bodiless(incoming) {
            Ok(()) => Flow::Admit(Admitted::Preflight { policy, reply }),
            Err(reason) => Flow::refuse(reason),
        },
    }
}

/// Whether a request is for a license. Others for its path are for the key itself, which players of HLS take.
pub fn is_license(policies: &Policies, incoming: &Incoming<'_>) -> bool {
    policies.is_license_path(&incoming.target.path) && !incoming.head.method.reads()
}

fn method(door: &mut Door<'_>, _: &mut dyn Observer) -> Flow {
    Flow::of(license::check_method(door.incoming.head, is_license(door.policies, door.incoming)))
}

/// A license request has a body of limited length, every other one has none.
fn body(door: &mut Door<'_>, _: &mut dyn Observer) -> Flow {
    Flow::of(match is_license(door.policies, door.incoming) {
        true => license::check_body(door.incoming.head),
        false => bodiless(door.incoming),
    })
}

fn claimed_policy(door: &mut Door<'_>, _: &mut dyn Observer) -> Flow {
    match door.policy {
        None => Flow::refuse(Reason::Parameter),
        // Under another policy the path has two meanings, as that of content.
        Some((_, policy)) if door.incoming.path_token != Ok(None) && !policy.session.transport.in_path() => {
            Flow::refuse(Reason::Target)
        }
        Some(_) => Flow::Next,
    }
}

fn session(visit: &mut Visit<'_>, observer: &mut dyn Observer) -> Flow {
    match resume(visit, None, observer) {
        Ok(pending) => {
            visit.session = Some(pending);
            Flow::Next
        }
        Err(reason) => Flow::refuse(reason),
    }
}

/// Verifies that the parameter is signed for this key. Key periods do not expire: their segments may stay in playlists
/// or player buffers for a long time.
fn parameter(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let keyring = visit.session.as_ref().and_then(|pending| visit.policy.keyring(pending.session.keyring));
    let sent = visit.incoming.signed.ok().flatten();
    visit.key =
        keyring.zip(sent).and_then(|(keyring, sent)| signed::open_key(keyring, &visit.incoming.target.path, sent));
    Flow::of(if visit.key.is_some() { Ok(()) } else { Err(Reason::Parameter) })
}

/// Verifies that the key URL was issued to this session. This includes shared keys: each URL was written for one
/// session's playlist.
fn owner(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let own = visit
        .session
        .as_ref()
        .zip(visit.key.as_ref())
        .is_some_and(|(pending, key)| key.session == pending.session.id_text());
    Flow::of(if own { Ok(()) } else { Err(Reason::Session) })
}

fn key(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let (policy, head) = (visit.policy, visit.incoming.head);
    let Some((pending, asked)) = visit.session.take().zip(visit.key.take()) else {
        return Flow::refuse(bug::instead(Reason::Session));
    };
    let (session, period) = (pending.session, asked.period);
    let scope = asked.shared.unwrap_or(KeyScope::Session(session.id));
    let Some(keyring) = policy.keyring(session.keyring) else {
        return Flow::refuse(bug::instead(Reason::Parameter));
    };
    if is_license(visit.policies, visit.incoming) {
        let (policy, client, body) = (visit.index, head.client(), Vec::new());
        let keys = LicensedKeys::Samples { scope };
        return Flow::Admit(Admitted::License(LicenseRequest { policy, session, keys, client, body }));
    }
    let authorizer = policy.encryption.as_ref().and_then(Encryption::authorizer);
    let ask = authorizer.map(|authorizer| {
        let asked = AskedKeys::Derived { scope: &scope, period };
        authorizer.inquire(&question(policy, &session, asked, head.client()))
    });
    if visit.policies.is_license_path(&visit.incoming.target.path) {
        let reply = reply(&keyring.sample_key(&scope), &session, ask.is_some(), head.now);
        let of = KeyOf::Samples { scope };
        return Flow::Admit(Admitted::Key(AdmittedKey { policy: visit.index, session, of, reply, ask }));
    }
    let reply = reply(&keyring.key(&scope, period), &session, ask.is_some(), head.now);
    let of = KeyOf::Scope { scope, period };
    Flow::Admit(Admitted::Key(AdmittedKey { policy: visit.index, session, of, reply, ask }))
}
