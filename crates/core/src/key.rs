//! The key endpoint: which key a request is for, and whether it may have it.

use alloc::format;

use crate::derive::KeyScope;
use crate::enter::{client_address, is_access_token, one};
use crate::gate::{Admitted, Refused, bodiless, covering, identified, located, preflight};
use crate::jar::{self, GoingOn, Sent};
use crate::policy::authorizer::Question;
use crate::policy::encryption::Encryption;
use crate::policy::{Coverage, Policies, Policy, SIGNED_PARAMETER};
use crate::reply::{Reason, Reply, header};
use crate::route::Kind;
use crate::session::Session;
use crate::signed;
use crate::step::Request;
use crate::target::Target;

/// Checks a request for a key.
///
/// # Errors
/// The first check that it fails.
pub fn admit(
    policies: &Policies,
    request: &Request<'_>,
    target: &Target<'_>,
    readable: bool,
) -> Result<Admitted, Refused> {
    let refused = |reason| Refused { reason, kind: Kind::Key, policy: None, redirect: None };
    let sent = one(target.values(SIGNED_PARAMETER)).map_err(refused)?;
    let claimed =
        sent.and_then(signed::claimed_policy).and_then(|name| policies.serving_keys(&target.path, &name, request.now));
    if !readable {
        let by_path = || match covering(policies, request, &target.path) {
            Coverage::Policy(index, policy) => Some((index, policy)),
            Coverage::Pass | Coverage::Deny => None,
        };
        let answer = claimed.or_else(by_path).and_then(|(index, policy)| preflight(policy, index, request));
        let answer = answer.ok_or_else(|| refused(Reason::Method))?;
        return bodiless(request).map(|()| answer).map_err(refused);
    }
    bodiless(request).map_err(refused)?;
    let (Some(sent), Some((index, policy))) = (sent, claimed) else { return Err(refused(Reason::Parameter)) };
    let refused = |reason| Refused { policy: Some(index), ..refused(reason) };
    located(policies, policy, request)
        .map_err(|denied| Refused { redirect: denied.redirect, ..refused(denied.reason) })?;
    let (session, scope, period) = asked_key(policy, request, target, sent).map_err(refused)?;
    let keyring = policy.keyrings.get(session.keyring).ok_or_else(|| refused(Reason::Parameter))?;
    let key = keyring.key(&scope, period);
    let authorizer = policy.encryption.as_ref().and_then(Encryption::authorizer);
    let ask = authorizer.map(|authorizer| {
        let client = (request.client)().as_deref().and_then(client_address);
        authorizer.call(&Question {
            policy: &policy.name,
            session: &session.id_text(),
            paths: session.acl(),
            access_token: session.access_token.as_deref(),
            payload: session.payload.as_deref(),
            scope: &scope,
            period,
            client,
        })
    });
    let cache_control = match &ask {
        None => format!("private, max-age={}", session.expires.saturating_sub(request.now)),
        // Each time is to be asked for.
        Some(_) => "private, no-store".into(),
    };
    let reply = Reply {
        status: 200,
        headers: alloc::vec![
            header("content-type", "application/octet-stream"),
            header("cache-control", &cache_control),
        ],
        body: key.to_vec(),
        reason: None,
    };
    Ok(Admitted::Key { policy: index, session, reply, ask })
}

/// The session that asks for a key. Its paths do not count at the key endpoint.
///
/// # Errors
/// Why it does not go on; [`Reason::Session`] if it may be one of several.
pub fn owner(policy: &Policy, request: &Request<'_>, target: &Target<'_>) -> Result<Session, Reason> {
    let presented = jar::presented(policy, request, target)?;
    let found = jar::going_on(policy, request, &presented, None).unwrap_or(Err(Reason::Missing));
    let GoingOn { session, certain } = found.map_err(|reason| {
        let is_access = |sent: Sent<'_>| is_access_token(policy, sent.token);
        let swapped = reason == Reason::Signature && presented.only().is_some_and(is_access);
        if swapped { Reason::Swapped } else { reason }
    })?;
    if certain { Ok(session) } else { Err(Reason::Session) }
}

/// The session that asks for a key, whose key it asks for, and of which period.
fn asked_key(
    policy: &Policy,
    request: &Request<'_>,
    target: &Target<'_>,
    sent: &str,
) -> Result<(Session, KeyScope, u64), Reason> {
    let session = owner(policy, request, target)?;
    identified(policy, request, session.payload.as_deref())?;
    let keyring = policy.keyrings.get(session.keyring).ok_or(Reason::Parameter)?;
    // Any period that was ever given out: its segments may be in a playlist, or in a player's buffer, for long.
    let asked = signed::open_key(keyring, &target.path, sent).ok_or(Reason::Parameter)?;
    // Also of a shared key: it was written for whoever might read the playlist that it stood in.
    if asked.session != session.id_text() {
        return Err(Reason::Session);
    }
    let scope = asked.shared.unwrap_or(KeyScope::Session(session.id));
    Ok((session, scope, asked.period))
}
