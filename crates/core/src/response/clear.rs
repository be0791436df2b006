//! Responses served in clear: unchanged, or the byte range that a playlist names.

use alloc::format;

use super::body::{Body, ClearPartBody, Window};
use super::{Plan, ResponseHead};
use crate::http::headers;
use crate::http::message::HeaderEdits;
use crate::http::reply::{Header, Reason, header};
use crate::http::route::Kind;
use crate::request::pending::PendingClear;
use crate::token::signed::ByteRange;

/// Plans the response for a resource served in clear.
///
/// # Errors
/// The reason why it cannot be served.
pub fn plan(head: &ResponseHead<'_>, clear: &PendingClear) -> Result<Plan, Reason> {
    match clear.claim.resource.range {
        None => Ok(Plan { kind: Kind::Clear, edits: edits(head), body: None, reply: None }),
        Some(range) => part(head, range),
    }
}

/// Plans the response for a byte range of the origin's file, served as a complete resource (200).
fn part(head: &ResponseHead<'_>, range: ByteRange) -> Result<Plan, Reason> {
    let ResponseHead { request, headers, status, .. } = *head;
    if let Some(plan) = head.without_content(Kind::Clear) {
        return Ok(plan);
    }
    head.check_content()?;
    let window = Window::of_range(range, status, headers, headers::content_length(headers)?, request.head)?;
    let mut edits = edits(head);
    edits.set.push(header("content-length", &format!("{}", window.left)));
    edits.remove.push("content-range".into());
    edits.remove.extend(headers.iter().filter(|(name, _)| headers::is_untrue(name)).map(|(name, _)| name.clone()));
    edits.set.push(header(":status", "200"));
    if head.is_empty() {
        return Err(Reason::Byterange);
    }
    let body = (!request.head).then(|| Body::ClearPart(ClearPartBody::new(window)));
    Ok(Plan { kind: Kind::Clear, edits, body, reply: None })
}

/// Header changes: the response is the origin's, except that a response to a session token is private to its viewer.
fn edits(head: &ResponseHead<'_>) -> HeaderEdits {
    match head.policy.session.on_content {
        true => private(head.headers, Some(head.request.time_left())),
        false => HeaderEdits::default(),
    }
}

/// Makes a response private to its viewer, who may keep it for `time_left` seconds at most.
pub fn private(headers: &[Header], time_left: Option<u64>) -> HeaderEdits {
    let mut edits = HeaderEdits::default();
    let shared = headers.iter().filter(|(name, _)| is_for_shared_caches(name));
    edits.remove.extend(shared.map(|(name, _)| name.clone()));
    let cache_control = match headers::max_age(headers) {
        Some(seconds) => format!("private, max-age={}", seconds.min(time_left.unwrap_or(u64::MAX))),
        None => "private".into(),
    };
    edits.set.push(header("cache-control", &cache_control));
    edits
}

fn is_for_shared_caches(name: &str) -> bool {
    name == "surrogate-control" || name == "expires" || name.ends_with("cdn-cache-control")
}
