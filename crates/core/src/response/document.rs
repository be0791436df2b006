//! Responses that are JSON documents with URIs: steering manifests and asset lists.

use super::body::{Body, DocumentBody};
use super::{Plan, ResponseHead, playlist};
use crate::http::reply::Reason;
use crate::http::route::Kind;

/// Plans the response for a document.
///
/// # Errors
/// The reason why it cannot be served.
pub fn plan(head: &ResponseHead<'_>) -> Result<Plan, Reason> {
    if let Some(plan) = head.without_content(Kind::Clear) {
        return Ok(plan);
    }
    if head.status == 206 {
        return Err(Reason::Unasked);
    }
    head.check_content()?;
    let marks = playlist::marks(head.request, head.policy).ok_or(Reason::Missing)?;
    let body = (!head.request.head && !head.is_empty()).then(|| Body::Document(DocumentBody::new(marks, head.hold)));
    Ok(Plan { kind: Kind::Clear, edits: playlist::edits(head), body, reply: None })
}
