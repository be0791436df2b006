//! The session of a request: the one whose token it carries, or a new one for a good access token.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use crate::headers;
use crate::jar::{self, GoingOn};
use crate::policy::{AccessToken, Opening, Policy, SIGNED_PARAMETER};
use crate::reply::Reason;
use crate::route::Extension;
use crate::session::Session;
use crate::step::Request;
use crate::target::Target;
use crate::token::MAX_SENT;
use crate::token::edge_auth::Presented;

/// The session of a request.
#[derive(Debug)]
pub struct Entered {
    /// The session.
    pub session: Session,
    /// It was opened by this very request.
    pub opened: bool,
    /// No other of the request's sessions would do as well.
    pub certain: bool,
    /// The URL says which session it is of.
    pub named: bool,
}

/// The session of a request for a playlist or content: the one whose token it carries, or a new one.
pub fn enter(
    policy: &Policy,
    request: &Request<'_>,
    target: &Target<'_>,
    extension: Extension,
    random: &mut dyn FnMut() -> [u8; 16],
) -> Result<Entered, Reason> {
    let presented = jar::presented(policy, request, target)?;
    let failure = match jar::going_on(policy, request, &presented, Some(&target.path)) {
        Some(Ok(GoingOn { session, certain })) => {
            return Ok(Entered { session, opened: false, certain, named: presented.named });
        }
        Some(Err(reason)) => Some(reason),
        None => None,
    };
    let (ours, client) = (ours(policy), || (request.client)().as_deref().and_then(client_address));
    let context = Presented { target, ours: &ours, client: &client, now: request.now };
    let access = match policy.opening() {
        Opening::AccessToken(access) => Some((access, access_token(access, request, target)?)),
        Opening::Free => None,
    };
    // Where a session token should stand, an access token is told from a forgery, if it is alone: whoever has two tokens has
    // not exchanged them, and does not get each of them verified twice.
    let alone = !matches!(access, Some((_, Some(_))));
    let failure = match (failure, presented.only()) {
        (Some(Reason::Signature), Some(sent)) if alone && is_access_token(policy, sent.token) => Some(Reason::Swapped),
        (failure, _) => failure,
    };
    if extension == Extension::Other {
        // Content goes by session token alone.
        let instead = if matches!(access, Some((_, Some(_)))) { Reason::Content } else { Reason::Missing };
        return Err(failure.unwrap_or(instead));
    }
    let grant = match access {
        None => None,
        Some((_, None)) => return Err(failure.unwrap_or(Reason::Missing)),
        Some((access, Some(sent))) => Some(access.verifier.verify(sent, &context).map_err(|reason| {
            let forged = matches!(reason, Reason::Signature | Reason::Malformed);
            let swapped = forged && presented.tokens.is_empty() && is_session_token(policy, sent, request);
            if swapped { Reason::Swapped } else { reason }
        })?),
    };
    let session = Session::open(policy, grant.as_ref(), &target.path, request, random())?;
    Ok(Entered { session, opened: true, certain: true, named: false })
}

/// Whether `sent` is an access token with a good signature, if perhaps of another time or path. Not asked of what looks
/// like a session token: a forged one should not cost a second verification.
pub fn is_access_token(policy: &Policy, sent: &str) -> bool {
    let Opening::AccessToken(access) = policy.opening() else { return false };
    !Session::is_likely(sent) && access.verifier.has_signed(sent)
}

/// Whether `sent` is a session token with a good signature, if perhaps expired.
fn is_session_token(policy: &Policy, sent: &str, request: &Request<'_>) -> bool {
    Session::is_likely(sent)
        && !matches!(Session::verify(policy, sent, request), Err(Reason::Malformed | Reason::Signature))
}

/// The access token as sent: query before cookie before header.
///
/// # Errors
/// [`Reason::Duplicate`]; [`Reason::Malformed`] if a header is too long or not UTF-8.
pub fn access_token<'a>(
    access: &AccessToken,
    request: &'a Request<'_>,
    target: &Target<'a>,
) -> Result<Option<&'a str>, Reason> {
    if let Some(sent) = one(target.values(&access.name))? {
        return Ok(Some(sent));
    }
    if let Some(sent) = one(headers::cookies(request.headers, &access.cookie))? {
        return Ok(Some(sent));
    }
    match one(headers::all(request.headers, &access.header))? {
        None => Ok(None),
        Some(sent) if sent.len() > MAX_SENT => Err(Reason::Malformed),
        Some(sent) => core::str::from_utf8(sent).map(Some).map_err(|_| Reason::Malformed),
    }
}

/// The only one of `values`: with two, what we check and what others read could differ.
pub fn one<T>(mut values: impl Iterator<Item = T>) -> Result<Option<T>, Reason> {
    let value = values.next();
    if values.next().is_some() { Err(Reason::Duplicate) } else { Ok(value) }
}

/// The value of a request's header, if it has exactly one.
pub fn single<'a>(request: &'a Request<'_>, name: &str) -> Option<&'a [u8]> {
    one(headers::all(request.headers, name)).ok().flatten()
}

/// Parameters that the origin never sees.
pub fn ours(policy: &Policy) -> Vec<&str> {
    let mut names = alloc::vec![SIGNED_PARAMETER, policy.session.name.as_str()];
    names.extend(policy.access_token.iter().map(|access| access.name.as_str()));
    names
}

/// The address in `ip:port`, `[ip]:port` or `ip`.
pub fn client_address(client: &[u8]) -> Option<IpAddr> {
    let text = core::str::from_utf8(client).ok()?;
    text.parse::<SocketAddr>().map(|address| address.ip()).or_else(|_| text.parse()).ok()
}
