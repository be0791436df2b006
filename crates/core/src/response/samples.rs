//! Responses with media of an MPD, whose samples are encrypted.

use alloc::boxed::Box;

use super::body::{Body, SamplesBody, Window};
use super::media::session_edits;
use super::{Plan, ResponseHead};
use crate::http::headers;
use crate::http::reply::Reason;
use crate::http::route::Kind;
use crate::request::pending::{PendingSamples, PendingSession};

/// Plans the response.
///
/// # Errors
/// The reason why it cannot be served.
pub fn plan(head: &ResponseHead<'_>, samples: &PendingSamples) -> Result<Plan, Reason> {
    let ResponseHead { request, policy, headers, status, .. } = *head;
    let certain = request.session.as_ref().is_none_or(PendingSession::is_certain);
    if !certain && !samples.claim.shares_key() {
        return Err(Reason::Session);
    }
    if let Some(plan) = head.without_content(Kind::Segment) {
        return Ok(plan);
    }
    if status == 206 {
        return Err(Reason::Unasked);
    }
    head.check_content()?;
    if head.is_empty() {
        return Err(Reason::Samples);
    }
    let window = headers::content_length(headers)?.map(Window::whole);
    let mut edits = session_edits(head, samples.claim.shares_key());
    // The boxes of video grow, by a number of bytes that only its samples show.
    edits.remove.push("content-length".into());
    let settings = samples.settings(policy).ok_or(Reason::Missing)?;
    let body = (!request.head).then(|| Body::Samples(Box::new(SamplesBody::new(settings, window))));
    Ok(Plan { kind: Kind::Segment, edits, body, reply: None })
}
