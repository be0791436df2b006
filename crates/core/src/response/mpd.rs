//! Responses that are MPDs, rewritten tag by tag.

use alloc::string::String;

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
    let links = MpdLinks::new(playlist::marks(request, policy).ok_or(Reason::Missing)?);
    let additions = Additions { location: location(request, policy), protection: None };
    let length = headers::content_length(headers)?;
    let body = (!request.head).then(|| Body::Mpd(MpdBody::new(Rewriter::new(links, additions), head.hold, length)));
    Ok(Plan { kind: Kind::Playlist, edits: playlist::edits(head), body, reply: None })
}

/// The URL that a dynamic MPD is reloaded from, if each reload of the requested one would open another session.
fn location(request: &PendingRequest, policy: &Policy) -> Option<String> {
    let pending = request.session.as_ref().filter(|pending| pending.is_opened())?;
    if policy.session.transport == Transport::Cookie {
        return None;
    }
    let url = &request.url;
    let link = PendingSession::link(pending, policy);
    String::from_utf8(link.url(&url.raw_path, url.query.as_deref(), policy.reserved_parameters())).ok()
}
