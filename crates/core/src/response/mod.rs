//! Planning of responses: rewritten, encrypted, passed or rejected, decided from the origin's response headers. The
//! rules for status codes are in this file, those for each kind of response in a file of their own.

pub mod body;
#[cfg(feature = "urisigning")]
mod chained;
mod clear;
mod document;
mod media;
mod mpd;
mod playlist;
mod redirect;

use alloc::string::String;
use alloc::vec::Vec;

use self::body::{Body, ErrorText};
use self::redirect::redirect;
use crate::http::headers;
use crate::http::message::HeaderEdits;
use crate::http::reply::{Header, Reason, Reply};
use crate::http::route::{Format, Kind};
use crate::policy::{Opening, Policy};
use crate::request::chained::ChainedRequest;
use crate::request::pending::{Asked, PendingRequest};

/// Plan for a response.
#[derive(Debug)]
pub struct Plan {
    /// Kind of the response.
    pub kind: Kind,
    /// Header changes.
    pub edits: HeaderEdits,
    /// Transformation of the body; `None` if the body passes unchanged or there is none.
    pub body: Option<Body>,
    /// Response to send instead.
    pub reply: Option<Reply>,
}

/// Headers of the origin's response, and the request that they answer.
struct ResponseHead<'a> {
    request: &'a PendingRequest,
    policy: &'a Policy,
    headers: &'a [Header],
    /// Status code; 0 if it cannot be parsed.
    status: u16,
    /// Whether no body follows.
    end_of_stream: bool,
    /// Whether the headers may be held back.
    hold: bool,
}

/// Header changes for the response to a request whose signed token is renewed. The body passes unchanged.
///
/// # Errors
/// The reason why it cannot be served.
pub fn renew(request: &ChainedRequest, policy: &Policy, headers: &[Header]) -> Result<HeaderEdits, Reason> {
    #[cfg(feature = "urisigning")]
    return chained::edits(request, policy, headers);
    #[cfg(not(feature = "urisigning"))]
    let _ = (policy, headers);
    #[cfg(not(feature = "urisigning"))]
    match *request {}
}

/// Plans a response from its headers. `end_of_stream`: no body follows. `hold`: the headers may be held back.
///
/// # Errors
/// The reason why it cannot be served.
pub fn plan(
    request: &PendingRequest,
    policy: &Policy,
    headers: &[Header],
    end_of_stream: bool,
    hold: bool,
) -> Result<Plan, Reason> {
    let status = headers::text(headers, ":status").and_then(|status| status.parse::<u16>().ok()).unwrap_or(0);
    let head = ResponseHead { request, policy, headers, status, end_of_stream, hold };
    // The media type of a playlist or MPD takes precedence over the URL.
    let by_type = headers::playlist_type(headers).map(Asked::Playlist);
    let asked = by_type.as_ref().unwrap_or(&request.asked);
    if let Some(edits) = head.unsuccessful(asked.kind())? {
        return Ok(head.pass_text(asked.kind(), edits));
    }
    if !matches!(asked, Asked::Playlist(_)) {
        head.check_opening()?;
    }
    match asked {
        Asked::Playlist(Format::Hls) => playlist::plan(&head),
        Asked::Playlist(Format::Dash) => mpd::plan(&head),
        Asked::Media(media) => media::plan(&head, media),
        Asked::Clear(clear) => clear::plan(&head, clear),
        Asked::Document(_) => document::plan(&head),
    }
}

impl ResponseHead<'_> {
    /// Header changes for a response without a 2xx status (RFC 9110 section 15.3); `None` for 2xx.
    ///
    /// # Errors
    /// [`Reason::Byterange`] if the origin's file ends before the range that its playlist names; [`Reason::Unasked`]
    /// for an unexpected status.
    fn unsuccessful(&self, kind: Kind) -> Result<Option<HeaderEdits>, Reason> {
        match self.status {
            200..=299 => Ok(None),
            301 | 302 | 303 | 307 | 308 => Ok(Some(redirect(self.request, self.policy, self.headers))),
            416 if self.request.asked.range().is_some() => Err(Reason::Byterange),
            // Conditional and Range headers are forwarded for resources in clear only.
            304 if kind != Kind::Clear => Err(Reason::Unasked),
            300..=599 => Ok(Some(HeaderEdits::default())),
            // A protocol upgrade would let the origin's bytes bypass the filter.
            _ => Err(Reason::Unasked),
        }
    }

    /// Passes error messages and redirects, but no media in their bodies.
    fn pass_text(&self, kind: Kind, edits: HeaderEdits) -> Plan {
        let guarded = self.policy.encryption.is_some() && kind != Kind::Clear && !self.end_of_stream;
        Plan { kind, edits, body: guarded.then_some(Body::ErrorText(ErrorText)), reply: None }
    }

    /// Rejects a response that is not a playlist if its request opened a session.
    ///
    /// # Errors
    /// [`Reason::Content`] if an access token opened it; [`Reason::Missing`] if the policy requires none.
    fn check_opening(&self) -> Result<(), Reason> {
        if !self.request.is_tentative() || !self.policy.session.on_content {
            return Ok(());
        }
        Err(if matches!(self.policy.opening(), Opening::Free) { Reason::Missing } else { Reason::Content })
    }

    /// Plan for a response whose status excludes content (RFC 9110 sections 15.3.5 and 15.3.6); `None` for other
    /// responses.
    fn without_content(&self, kind: Kind) -> Option<Plan> {
        // Proxies may not enforce this, and message framing has no rule for 205.
        let body = (!self.end_of_stream).then_some(Body::Ended);
        matches!(self.status, 204 | 205).then_some(Plan { kind, edits: HeaderEdits::default(), body, reply: None })
    }

    /// Checks the response of a resource that does not pass unchanged.
    ///
    /// # Errors
    /// [`Reason::Encoding`] for a content coding; [`Reason::Length`] if a body is announced but none follows.
    fn check_content(&self) -> Result<(), Reason> {
        if headers::is_encoded(self.headers) {
            return Err(Reason::Encoding);
        }
        let announced = || headers::content_length(self.headers).is_ok_and(|length| length.is_some_and(|it| it > 0));
        if self.is_empty() && announced() { Err(Reason::Length) } else { Ok(()) }
    }

    /// Whether the body is empty. A response to a HEAD request has no body but is not empty.
    fn is_empty(&self) -> bool {
        self.end_of_stream && !self.request.head
    }
}

/// Removes headers that describe the origin's bytes and do not apply to changed ones.
fn without_untrue(headers: &[Header]) -> HeaderEdits {
    let mut remove: Vec<String> = Vec::new();
    for (name, _) in headers.iter().filter(|(name, _)| headers::is_untrue(name)) {
        if !remove.contains(name) {
            remove.push(name.clone());
        }
    }
    HeaderEdits { remove, ..HeaderEdits::default() }
}
