//! Checks on a viewer's request for keys of packaged content, and the answer to one of a single key.
//!
//! The path has the content ID, and the session's ACL must cover it. A key ID of another content gives a key that opens
//! nothing.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::admitted::{Admitted, AdmittedKey, KeyOf};
use super::check::{Check, Flow, Observer};
use super::content::assignment;
use super::door::{Door, policy_for};
use super::key_reply::{question, reply};
use super::license::{self, LicenseRequest, LicensedKeys};
use super::resume_or_open::resume;
use super::shared_checks::{self, bodiless};
use super::visit::Visit;
use crate::bytes::bug;
use crate::http::incoming::Incoming;
use crate::http::reply::Reason;
use crate::http::route::Kind;
use crate::policy::authorizer::AskedKeys;
use crate::policy::encryption::Encryption;
use crate::policy::speke::Speke;
use crate::policy::viewer_url::ViewerAsked;
use crate::policy::{Match, Policies, Policy};
use crate::request::pending::PendingSession;

/// The kind of a request, if it is for the keys of packaged content under its policy.
pub fn kind(policies: &Policies, incoming: &Incoming<'_>) -> Option<Kind> {
    // A request names its policy by host and path: another policy's URL is content here.
    let path = &incoming.target.path;
    if !policies.has_viewer_urls() {
        return None;
    }
    let Match::Policy(_, policy) = policy_for(policies, incoming.head, path) else { return None };
    Some(match speke(policy)?.viewer()?.read(path)?.asked {
        ViewerAsked::License => Kind::License,
        ViewerAsked::Key(_) => Kind::Key,
    })
}

/// Checks that find the policy.
pub const fn door<'a>() -> [Check<Door<'a>>; 1] {
    [Check { name: "assignment", run: assignment }]
}

/// Checks under the policy.
pub const fn checks<'a>() -> [Check<Visit<'a>>; 7] {
    [
        Check { name: "cors", run: preflight },
        Check { name: "method", run: method },
        Check { name: "body", run: body },
        Check { name: "targeting", run: shared_checks::targeting },
        Check { name: "session", run: session },
        Check { name: "player", run: shared_checks::player },
        Check { name: "key", run: key },
    ]
}

fn speke(policy: &Policy) -> Option<&Speke> {
    policy.encryption.as_ref()?.speke.as_deref()
}

fn is_license(visit: &Visit<'_>) -> bool {
    let read = speke(visit.policy).and_then(Speke::viewer).and_then(|url| url.read(&visit.incoming.target.path));
    read.is_some_and(|read| read.asked == ViewerAsked::License)
}

/// Responds to preflight requests from any client: the response discloses only the policy's `cors`.
fn preflight(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let methods = license::methods(is_license(visit));
    match visit.policy.cors.as_ref().and_then(|cors| cors.preflight(visit.incoming.head, methods)) {
        None => Flow::Skip,
        Some(reply) => match bodiless(visit.incoming) {
            Ok(()) => Flow::Admit(Admitted::Preflight { policy: visit.index, reply }),
            Err(reason) => Flow::refuse(reason),
        },
    }
}

fn method(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    Flow::of(license::check_method(visit.incoming.head, is_license(visit)))
}

/// A license request has a body of limited length, every other one has none.
fn body(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    Flow::of(if is_license(visit) { license::check_body(visit.incoming.head) } else { bodiless(visit.incoming) })
}

fn session(visit: &mut Visit<'_>, observer: &mut dyn Observer) -> Flow {
    match resume(visit, Some(&visit.incoming.target.path), observer) {
        Ok(pending) => {
            visit.session = Some(pending);
            Flow::Next
        }
        Err(reason) => Flow::refuse(reason),
    }
}

fn key(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let (policy, head) = (visit.policy, visit.incoming.head);
    let Some((PendingSession { session, .. }, speke)) = visit.session.take().zip(speke(policy)) else {
        return Flow::refuse(bug::instead(Reason::Session));
    };
    let Some(asked) = speke.viewer().and_then(|url| url.read(&visit.incoming.target.path)) else {
        return Flow::refuse(Reason::Key);
    };
    let Some(keys) = speke.keys_under(asked.secret) else { return Flow::refuse(Reason::Key) };
    let (content, client) = (asked.content, head.client());
    let kid = match asked.asked {
        ViewerAsked::Key(kid) => kid,
        ViewerAsked::License => {
            let keys = LicensedKeys::Packaged { content, secret: asked.secret };
            let (policy, body) = (visit.index, Vec::new());
            return Flow::Admit(Admitted::License(LicenseRequest { policy, session, keys, client, body }));
        }
    };
    let ask = policy.encryption.as_ref().and_then(Encryption::authorizer).map(|authorizer| {
        let kids = kid.to_string();
        let asked = AskedKeys::Packaged { content: content.as_str(), kids: &kids };
        authorizer.inquire(&question(policy, &session, asked, client))
    });
    let reply = reply(&keys.key(content.as_str(), kid.bytes()), &session, ask.is_some(), head.now);
    let of = KeyOf::Packaged { iv: keys.iv(content.as_str(), kid.bytes()) };
    Flow::Admit(Admitted::Key(AdmittedKey { policy: visit.index, session, of, reply, ask }))
}
