//! What becomes of the origin's response: rewritten, encrypted, passed, or refused; decided from its headers. The rules for
//! statuses are here, the rest is in one file for each kind of response.

pub mod body;
mod clear;
mod document;
mod media;
mod playlist;
mod redirect;

use alloc::string::String;
use alloc::vec::Vec;

use self::body::{Body, ErrorText};
use self::redirect::redirect;
use crate::http::headers;
use crate::http::message::HeaderEdits;
use crate::http::reply::{Header, Reason, Reply};
use crate::http::route::Kind;
use crate::policy::{Opening, Policy};
use crate::request::pending::{Asked, PendingRequest};

/// What to do with a response.
#[derive(Debug)]
pub struct Plan {
    /// Its kind, now known.
    pub kind: Kind,
    /// Changes to its headers.
    pub edits: HeaderEdits,
    /// What its body goes through; `None` if it passes or there is none.
    pub body: Option<Body>,
    /// An answer in its place.
    pub reply: Option<Reply>,
}

/// The headers of the origin's response, and the request that they answer.
struct ResponseHead<'a> {
    request: &'a PendingRequest,
    policy: &'a Policy,
    headers: &'a [Header],
    /// 0 if it cannot be read.
    status: u16,
    /// No body follows.
    end_of_stream: bool,
    /// The headers may be held.
    hold: bool,
}

/// Decides from a response's headers. `end_of_stream`: no body follows. `hold`: its headers may be held.
///
/// # Errors
/// Why it cannot be served.
pub fn plan(
    request: &PendingRequest,
    policy: &Policy,
    headers: &[Header],
    end_of_stream: bool,
    hold: bool,
) -> Result<Plan, Reason> {
    let status = headers::text(headers, ":status").and_then(|status| status.parse::<u16>().ok()).unwrap_or(0);
    let head = ResponseHead { request, policy, headers, status, end_of_stream, hold };
    // What is a playlist by its media type is one whatever its URL says.
    let asked = if headers::is_playlist_type(headers) { &Asked::Playlist } else { &request.asked };
    if let Some(edits) = head.unsuccessful(asked.kind())? {
        return Ok(head.pass_text(asked.kind(), edits));
    }
    if !matches!(asked, Asked::Playlist) {
        head.check_opening()?;
    }
    match asked {
        Asked::Playlist => playlist::plan(&head),
        Asked::Media(media) => media::plan(&head, media),
        Asked::Clear(clear) => clear::plan(&head, clear),
        Asked::Document(_) => document::plan(&head),
    }
}

impl ResponseHead<'_> {
    /// The changes to a response that is no success (RFC 9110 section 15.3); `None` if it is one.
    ///
    /// # Errors
    /// [`Reason::Byterange`] if the origin's file ends before the range that its playlist names; [`Reason::Unasked`].
    fn unsuccessful(&self, kind: Kind) -> Result<Option<HeaderEdits>, Reason> {
        match self.status {
            200..=299 => Ok(None),
            301 | 302 | 303 | 307 | 308 => Ok(Some(redirect(self.request, self.policy, self.headers))),
            416 if self.request.asked.range().is_some() => Err(Reason::Byterange),
            // Conditions and ranges pass for what is served in clear; for all else they were taken out.
            304 if kind != Kind::Clear => Err(Reason::Unasked),
            300..=599 => Ok(Some(HeaderEdits::default())),
            // An upgrade would let the origin's bytes by.
            _ => Err(Reason::Unasked),
        }
    }

    /// What the origin has to say may pass; the media that it might send along may not.
    fn pass_text(&self, kind: Kind, edits: HeaderEdits) -> Plan {
        let guarded = self.policy.encryption.is_some() && kind != Kind::Clear && !self.end_of_stream;
        Plan { kind, edits, body: guarded.then_some(Body::ErrorText(ErrorText)), reply: None }
    }

    /// Whether the request's session may have been opened for what is no playlist.
    ///
    /// # Errors
    /// [`Reason::Content`] if it was opened by an access token, [`Reason::Missing`] if the policy wants none.
    fn check_opening(&self) -> Result<(), Reason> {
        if !self.request.is_tentative() || !self.policy.session.on_content {
            return Ok(());
        }
        Err(if matches!(self.policy.opening(), Opening::Free) { Reason::Missing } else { Reason::Content })
    }

    /// The plan for a response that has no content by its status (RFC 9110 sections 15.3.5 and 15.3.6).
    fn without_content(&self, kind: Kind) -> Option<Plan> {
        // A proxy need not see to it, and message framing does not know of 205.
        let body = (!self.end_of_stream).then_some(Body::Ended);
        matches!(self.status, 204 | 205).then_some(Plan { kind, edits: HeaderEdits::default(), body, reply: None })
    }

    /// Checks what must hold of content that does not pass as it is.
    ///
    /// # Errors
    /// [`Reason::Encoding`]; [`Reason::Length`] if a body is announced and none follows.
    fn check_content(&self) -> Result<(), Reason> {
        if headers::is_encoded(self.headers) {
            return Err(Reason::Encoding);
        }
        let announced = || headers::content_length(self.headers).is_ok_and(|length| length.is_some_and(|it| it > 0));
        if self.is_empty() && announced() { Err(Reason::Length) } else { Ok(()) }
    }

    /// Whether the body is empty; that of a HEAD request's response only stays away.
    fn is_empty(&self) -> bool {
        self.end_of_stream && !self.request.head
    }
}

/// The changes to headers that are not true of other bytes than the origin's.
fn without_untrue(headers: &[Header]) -> HeaderEdits {
    let mut remove: Vec<String> = Vec::new();
    for (name, _) in headers.iter().filter(|(name, _)| headers::is_untrue(name)) {
        if !remove.contains(name) {
            remove.push(name.clone());
        }
    }
    HeaderEdits { remove, ..HeaderEdits::default() }
}
