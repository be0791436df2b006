//! Redirects from the origin: the session token and the signed parameter are added to the location.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::http::headers;
use crate::http::incoming::SIGNED_PARAMETER;
use crate::http::message::HeaderEdits;
use crate::http::query;
use crate::http::reply::{Header, header};
use crate::http::target;
use crate::http::url;
use crate::playlist::SessionLink;
use crate::policy::Policy;
use crate::request::pending::PendingRequest;
use crate::token::signed::{self, Subject};

/// Adds the session token and the signed parameter to a `location` that leads back to playlock.
pub fn redirect(request: &PendingRequest, policy: &Policy, headers: &[Header]) -> HeaderEdits {
    let mut edits = HeaderEdits::default();
    let base = request.url.base(policy);
    if let Some(location) = headers::text(headers, "location")
        && let Some(path) = base.own_path(location)
    {
        let claim = resign(request, policy, &path, url::query(location));
        let claim = claim.map(|value| format!("{SIGNED_PARAMETER}={value}"));
        let link = request.session_link(policy);
        let (placed, token) = match &link {
            None => (Cow::Borrowed(location), None),
            Some(SessionLink::Parameter(token) | SessionLink::Rooted(token)) => {
                (Cow::Borrowed(location), Some(token.as_str()))
            }
            Some(SessionLink::Segment(segment)) => (segment.place(&base, location, &path, true), None),
        };
        let parameters: Vec<_> = claim.as_deref().into_iter().chain(token).collect();
        let mut rewritten = Vec::with_capacity(location.len() + 1024);
        url::push_with_parameters(
            &mut rewritten,
            &base.secured(&placed),
            &parameters.join("&"),
            policy.reserved_parameters(),
        );
        edits.set.push(("location".into(), rewritten));
    }
    edits.set.push(header("cache-control", "private, no-store"));
    edits.add.extend(request.session_cookies(policy));
    edits
}

/// Signs the request's claim for another path (percent-encoded) and query. `None` for paths outside the session's ACL,
/// and without a session.
fn resign(request: &PendingRequest, policy: &Policy, path: &str, query: Option<&str>) -> Option<String> {
    let path = target::normal_path(path).ok()?;
    let session = &request.session.as_ref()?.session;
    session.covers(&path).ok()?;
    let imports = &request.playlist.imports;
    let claim = match request.asked.claim() {
        Some(claim) if imports.is_empty() => claim,
        // Claims on playlists consist of variables only.
        _ => return signed::variables(policy.keyring(session.keyring)?, &path, imports),
    };
    let query = query::of_origin(query, policy.reserved_parameters())?;
    let subject = Subject { path: &path, query: &query, session: policy.session.on_content.then_some(&session.id) };
    signed::resource(policy.keyring(claim.keyring)?, subject, &claim.resource, claim.scope.as_ref())
}
