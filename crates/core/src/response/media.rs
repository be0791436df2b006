//! Responses with media to encrypt: complete segments or parts of the ciphertext.

use alloc::format;
use alloc::vec::Vec;

use super::body::{Body, MediaBody, MediaRangeBody, Window};
use super::{Plan, ResponseHead, without_untrue};
use crate::bytes::output::Output;
use crate::http::headers;
use crate::http::message::HeaderEdits;
use crate::http::reply::{Reason, Reply, header};
use crate::http::route::Kind;
use crate::media::client_range::{ClientRange, OriginBody, Resolved};
use crate::media::segment::{SegmentEncryptor, ciphertext_len};
use crate::request::pending::{PendingMedia, PendingSession};

/// Plans the response for media.
///
/// # Errors
/// The reason why it cannot be served.
pub fn plan(head: &ResponseHead<'_>, media: &PendingMedia) -> Result<Plan, Reason> {
    let ResponseHead { request, policy, headers, status, .. } = *head;
    let certain = request.session.as_ref().is_none_or(PendingSession::is_certain);
    if !certain && !media.shares_key() {
        return Err(Reason::Session);
    }
    if media.lacks_period(policy) {
        return Err(Reason::Parameter);
    }
    if let Some(plan) = head.without_content(Kind::Segment) {
        return Ok(plan);
    }
    if status == 206 && request.asked.origin_range().is_none() {
        return Err(Reason::Unasked);
    }
    head.check_content()?;
    let announced = headers::content_length(headers)?;
    if let Some(range) = media.client_range
        && let Some(body) = OriginBody::announced(range, status, headers, announced)?
        && !head.is_empty()
        && let Some(plan) = part(head, media, range, &body)?
    {
        return Ok(plan);
    }
    let range = media.claim.resource.range;
    let window = match range {
        Some(range) => Some(Window::of_range(range, status, headers, announced, request.head)?),
        None => announced.map(Window::whole),
    };
    let mut edits = edits(head, media);
    if let Some(window) = &window {
        let length = ciphertext_len(window.left).ok_or(Reason::Length)?;
        edits.set.push(header("content-length", &format!("{length}")));
    }
    if range.is_some() {
        // The byte range is a complete resource to the client.
        edits.remove.push("content-range".into());
        edits.set.push(header(":status", "200"));
    }
    let encryptor = encryptor(head, media)?;
    if head.is_empty() {
        return if range.is_some() { Err(Reason::Byterange) } else { Ok(empty(head, encryptor, edits)) };
    }
    let body = (!request.head).then(|| Body::Media(MediaBody::new(encryptor, window)));
    Ok(Plan { kind: Kind::Segment, edits, body, reply: None })
}

/// Plans the response for a part of the ciphertext: 206, or 416 beyond its end. `None` if the client gets all of it.
fn part(
    head: &ResponseHead<'_>,
    media: &PendingMedia,
    range: ClientRange,
    origin: &OriginBody,
) -> Result<Option<Plan>, Reason> {
    let kind = Kind::Segment;
    let mut edits = edits(head, media);
    let (first, last, length) = match range.resolve(origin.total, origin.length) {
        Resolved::Part { first, last, length } => (first, last, length),
        // The origin sent only the beginning of the file, which cannot be served as the whole. A part is requested only
        // for ranges within the limit, so this part was not requested.
        Resolved::Whole if origin.length < origin.total => return Err(Reason::Unasked),
        Resolved::Whole => return Ok(None),
        Resolved::Unsatisfiable { length } => {
            let headers = alloc::vec![header("content-range", &format!("bytes */{length}"))];
            let reply = Reply { status: 416, headers, body: Vec::new(), reason: None };
            return Ok(Some(Plan { kind, edits, body: None, reply: Some(reply) }));
        }
    };
    let served = last.saturating_sub(first).saturating_add(1);
    edits.set.push(header(":status", "206"));
    edits.set.push(header("content-range", &format!("bytes {first}-{last}/{length}")));
    edits.set.push(header("content-length", &format!("{served}")));
    let (plaintext, padded) = (Window::whole(origin.length), origin.length == origin.total);
    let body = Body::MediaRange(MediaRangeBody::new(encryptor(head, media)?, plaintext, padded, first, served));
    Ok(Some(Plan { kind, edits, body: Some(body), reply: None }))
}

/// Creates the encryptor of the response body.
///
/// # Errors
/// [`Reason::Missing`] if the content key cannot be determined.
fn encryptor(head: &ResponseHead<'_>, media: &PendingMedia) -> Result<SegmentEncryptor, Reason> {
    let key = media.content_key(head.policy).ok_or(Reason::Missing)?;
    Ok(SegmentEncryptor::new(&key))
}

/// Response for an empty body. The host makes no body callback for it, and the padding block must be sent, so the
/// filter sends its own response.
fn empty(head: &ResponseHead<'_>, mut encryptor: SegmentEncryptor, edits: HeaderEdits) -> Plan {
    let mut body = Output::default();
    encryptor.finish(&mut body);
    let kept = headers::first(head.headers, "content-type").map(|value| ("content-type".into(), value.to_vec()));
    let cache_control = edits.set.into_iter().filter(|(name, _)| name == "cache-control");
    let headers = kept.into_iter().chain(cache_control).collect();
    let reply = Reply { status: 200, headers, body: body.into_vec(), reason: None };
    Plan { kind: Kind::Segment, edits: HeaderEdits::default(), body: None, reply: Some(reply) }
}

fn edits(head: &ResponseHead<'_>, media: &PendingMedia) -> HeaderEdits {
    session_edits(head, media.shares_key())
}

/// Header changes for ciphertext; `is_shared`: other sessions get the same.
pub fn session_edits(head: &ResponseHead<'_>, is_shared: bool) -> HeaderEdits {
    let ResponseHead { request, policy, headers, .. } = *head;
    let mut edits = without_untrue(headers);
    // Shared-key segments are identical for all viewers, so caches may store them.
    if !policy.session.on_content && is_shared {
        return edits;
    }
    // A URL that does not identify a session is the same in every session. With a per-session key, a copy cached for
    // one session would not decrypt in another.
    let named = request.session.as_ref().is_some_and(PendingSession::is_named);
    let distinct = named || is_shared;
    let cache_control = match (distinct, headers::max_age(headers)) {
        (false, _) => "private, no-store".into(),
        (true, Some(seconds)) => format!("private, max-age={}", seconds.min(request.time_left())),
        (true, None) => "private".into(),
    };
    edits.set.push(header("cache-control", &cache_control));
    edits
}
