//! Responses that are MPDs, rewritten tag by tag.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::body::{Body, MpdBody};
use super::playlist::{self, plan_by_head};
use super::{Plan, ResponseHead};
use crate::dash::{Additions, MpdLinks, Rewriter};
use crate::http::headers;
use crate::http::reply::Reason;
use crate::http::route::Kind;
use crate::policy::Policy;
use crate::policy::tokens::Transport;
use crate::request::pending::{PendingRequest, PendingSession};

/// Plans the response for an MPD.
///
/// # Errors
/// The reason why it cannot be served.
pub fn plan(head: &ResponseHead<'_>) -> Result<Plan, Reason> {
    let ResponseHead { request, policy, headers, .. } = *head;
    if policy.encryption.is_some() {
        // No `Additions::protection` yet: without it players would take ciphertext for media.
        return Err(Reason::Dash);
    }
    if let Some(plan) = plan_by_head(head, Reason::Mpd)? {
        return Ok(plan);
    }
    let pending = request.session.as_ref().ok_or(Reason::Missing)?;
    let links = MpdLinks::new(playlist::marks(request, policy).ok_or(Reason::Missing)?);
    let additions = Additions {
        location: location(request, pending, policy),
        base: base(request, pending, policy),
        protection: None,
    };
    let length = headers::content_length(headers)?;
    let rewriter = Rewriter::new(links, additions);
    let body = (!request.head).then(|| Body::Mpd(Box::new(MpdBody::new(rewriter, head.hold, length))));
    Ok(Plan { kind: Kind::Playlist, edits: playlist::edits(head), body, reply: None })
}

/// The URL that a dynamic MPD is reloaded from, if each reload of the requested one would open another session.
fn location(request: &PendingRequest, pending: &PendingSession, policy: &Policy) -> Option<String> {
    let opens_again = pending.is_opened() && policy.session.transport != Transport::Cookie;
    opens_again.then(|| String::from_utf8(session_url(request, pending, policy)).ok())?
}

/// The MPD's directory, if its relative URLs do not inherit the token. With a base URL they do, also those that inherit
/// different base URLs from different elements.
fn base(request: &PendingRequest, pending: &PendingSession, policy: &Policy) -> Option<String> {
    pending.lacks_path_token(policy).then(|| request.url.base(policy).directory().into())
}

/// The requested URL, with the session's token.
fn session_url(request: &PendingRequest, pending: &PendingSession, policy: &Policy) -> Vec<u8> {
    let url = &request.url;
    pending.link(policy).url(&url.raw_path, url.query.as_deref(), policy.reserved_parameters())
}
