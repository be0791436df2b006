//! Responses that are MPDs, rewritten tag by tag.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::body::{Body, MpdBody};
use super::playlist::{self, plan_by_head};
use super::{Plan, ResponseHead};
use crate::dash::{Additions, MpdLinks, Protection, Rewriter};
use crate::http::headers;
use crate::http::incoming::SIGNED_PARAMETER;
use crate::http::reply::Reason;
use crate::http::route::Kind;
use crate::playlist::UriRewriter;
use crate::policy::Policy;
use crate::policy::encryption::SampleEncryption;
use crate::policy::tokens::Transport;
use crate::request::pending::{PendingRequest, PendingSession};
use crate::token::signed;

/// Plans the response for an MPD.
///
/// # Errors
/// The reason why it cannot be served.
pub fn plan(head: &ResponseHead<'_>) -> Result<Plan, Reason> {
    let ResponseHead { request, policy, headers, .. } = *head;
    let protected = match (policy.own_encryption(), policy.samples()) {
        (None, _) => None,
        // Players would take ciphertext for media.
        (Some(_), None) => return Err(Reason::Dash),
        (Some(_), Some(samples)) => Some(samples),
    };
    if let Some(plan) = plan_by_head(head, Reason::Mpd)? {
        return Ok(plan);
    }
    let pending = request.session.as_ref().ok_or(Reason::Missing)?;
    let marks = playlist::marks(request, policy).ok_or(Reason::Missing)?;
    let (parameter, protection) = match protected {
        Some(samples) => {
            let (parameter, protection) = protect(request, policy, &marks, samples).ok_or(Reason::Missing)?;
            (Some(parameter), Some(protection))
        }
        None => (None, None),
    };
    let links = MpdLinks::new(marks, parameter);
    let additions =
        Additions { location: location(request, pending, policy), base: base(request, pending, policy), protection };
    let length = headers::content_length(headers)?;
    let rewriter = Rewriter::new(links, additions);
    let body = (!request.head).then(|| Body::Mpd(Box::new(MpdBody::new(rewriter, head.hold, length))));
    Ok(Plan { kind: Kind::Playlist, edits: playlist::edits(head), body, reply: None })
}

/// The parameter of media, and the content protection. `None` if there is no session, or none that names the key.
fn protect(
    request: &PendingRequest,
    policy: &Policy,
    marks: &UriRewriter,
    samples: &SampleEncryption,
) -> Option<(String, Protection)> {
    let scope = request.playlist.keys.as_ref()?;
    let session = request.session.as_ref()?.session.id_text();
    let path = samples.license_path.as_str();
    let asks = signed::key(&marks.keyring, path, &policy.key_name, &session, scope, 0);
    let query = format!("{SIGNED_PARAMETER}={asks}");
    let link = marks.token.as_ref().and_then(|link| String::from_utf8(link.url(path, Some(&query), &[])).ok())?;
    let parameter = signed::samples(&marks.keyring, marks.session.as_ref(), scope);
    let protection = Protection {
        scheme: samples.scheme.code(),
        kid: marks.keyring.sample_kid(scope),
        // Absolute: some players do not resolve it against the MPD.
        license: [request.url.scheme.prefix(), &request.url.authority, &link].concat(),
    };
    Some((format!("{SIGNED_PARAMETER}={parameter}"), protection))
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
