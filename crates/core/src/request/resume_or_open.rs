//! Session lookup: resumes the session of a token in the request, or opens one for a valid access token.

use alloc::vec::Vec;

use super::check::{Observer, TokenSeen, TokenSent};
use super::visit::Visit;
use super::{access_renewal, access_token};
use crate::http::incoming::RequestHead;
use crate::http::reply::Reason;
use crate::http::route::Extension;
use crate::policy::{Opening, Policy};
use crate::request::pending::{Obtained, PendingSession};
use crate::session::Session;
use crate::session::jar::{self, GoingOn, Presented};

/// Resumes or opens the session of a request for a playlist or content.
///
/// # Errors
/// The reason why the request has no session.
pub fn resume_or_open(visit: &mut Visit<'_>, observer: &mut dyn Observer) -> Result<PendingSession, Reason> {
    let (policy, incoming) = (visit.policy, visit.incoming);
    let presented = jar::presented(policy, incoming)?;
    let failure = match going_on(visit, &presented, Some(&incoming.target.path), observer) {
        Some(Ok(GoingOn { session, certain })) => {
            return Ok(PendingSession { session, obtained: resumed(&presented, certain) });
        }
        Some(Err(reason)) => Some(reason),
        None => None,
    };
    let access = match policy.opening() {
        Opening::AccessToken(access) => Some(access_token::find(access, incoming)?),
        Opening::Free => None,
    };
    // A client may send an access token under the session token's name. A request with both tokens has not confused
    // them and must not cost two verifications.
    let alone = !matches!(access, Some(Some(_)));
    let failure = match (failure, presented.only()) {
        (Some(Reason::Malformed), Some(sent)) if alone && is_access_token(policy, sent.token) => Some(Reason::Swapped),
        (failure, _) => failure,
    };
    if visit.extension == Extension::Other {
        // Content requires a session token; access tokens do not open sessions here.
        let instead = if matches!(access, Some(Some(_))) { Reason::Content } else { Reason::Missing };
        return Err(failure.unwrap_or(instead));
    }
    let mut renewed = Vec::new();
    let grant = match access {
        None => {
            observer.no_access_token(visit);
            None
        }
        Some(None) => {
            observer.no_access_token(visit);
            return Err(failure.unwrap_or(Reason::Missing));
        }
        Some(Some(sent)) => {
            let verified = sent.format.verifier.verify(sent.token, incoming, policy.reserved_parameters());
            let seen = verified.as_ref().map(|_| ()).map_err(|reason| *reason);
            observer.token(&TokenSeen { sent: TokenSent::Access(sent), verified: seen }, visit);
            let grant = verified.map_err(|reason| {
                let swapped = reason == Reason::Malformed
                    && presented.tokens.is_empty()
                    && is_session_token(policy, sent.token, incoming.head);
                if swapped { Reason::Swapped } else { reason }
            })?;
            renewed.extend(grant.renewed.iter().flat_map(|it| access_renewal::headers_of(it, &sent, incoming)));
            Some(grant)
        }
    };
    let id = (visit.random)();
    let session = Session::open(policy, grant.as_ref(), &incoming.target.path, incoming.head, id)?;
    let surplus = match policy.session.transport.in_cookie() {
        true => jar::surplus(incoming.head.headers, &policy.session.name),
        false => Vec::new(),
    };
    Ok(PendingSession { session, obtained: Obtained::Opened { surplus, renewed } })
}

/// Resumes the session of a key request, whose ACL must cover `path`: `None` for the key endpoint, to which it does not
/// apply.
///
/// # Errors
/// The reason why there is no session; [`Reason::Session`] if the request matches several.
pub fn resume(visit: &Visit<'_>, path: Option<&str>, observer: &mut dyn Observer) -> Result<PendingSession, Reason> {
    let (policy, incoming) = (visit.policy, visit.incoming);
    let presented = jar::presented(policy, incoming)?;
    let found = going_on(visit, &presented, path, observer).unwrap_or(Err(Reason::Missing));
    let GoingOn { session, certain } = found.map_err(|reason| {
        let is_access = || presented.only().is_some_and(|sent| is_access_token(policy, sent.token));
        if reason == Reason::Malformed && is_access() { Reason::Swapped } else { reason }
    })?;
    match certain {
        true => Ok(PendingSession { session, obtained: resumed(&presented, certain) }),
        false => Err(Reason::Session),
    }
}

fn resumed(presented: &Presented<'_>, certain: bool) -> Obtained {
    Obtained::Resumed { certain, named: presented.named, in_path: presented.is_in_path() }
}

fn going_on(
    visit: &Visit<'_>,
    presented: &Presented<'_>,
    path: Option<&str>,
    observer: &mut dyn Observer,
) -> Option<Result<GoingOn, Reason>> {
    if presented.tokens.is_empty() {
        observer.no_session_token(presented.named, visit);
    }
    jar::going_on(visit.policy, visit.incoming.head, presented, path, &mut |sent, verified| {
        observer.token(&TokenSeen { sent: TokenSent::Session(sent), verified }, visit);
    })
}

/// Whether `sent`, which is no session token by its grammar, is an access token with a valid signature, ignoring its
/// times and ACL.
fn is_access_token(policy: &Policy, sent: &str) -> bool {
    let Opening::AccessToken(access) = policy.opening() else { return false };
    access.formats.iter().any(|format| format.verifier.has_signed(sent))
}

/// Whether `sent` is a session token with a valid signature, possibly expired.
fn is_session_token(policy: &Policy, sent: &str, head: &RequestHead<'_>) -> bool {
    !matches!(Session::verify(policy, sent, head), Err(Reason::Malformed | Reason::Signature))
}
