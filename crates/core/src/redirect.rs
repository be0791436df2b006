//! Redirects of the origin's: the token and the signature go along.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::enter::ours;
use crate::headers;
use crate::policy::{Policy, SIGNED_PARAMETER};
use crate::query;
use crate::reply::{Header, header};
use crate::route::Kind;
use crate::signed::{self, Subject};
use crate::step::HeaderEdits;
use crate::stream::Stream;
use crate::target;
use crate::url::{self, Base};

/// Token and what was said of the resource go along with a redirect to where playlock is asked again.
pub fn redirect(stream: &Stream, policy: &Policy, headers: &[Header]) -> HeaderEdits {
    let mut edits = HeaderEdits::default();
    let base = Base::new(stream.scheme, &stream.authority, &stream.raw_path, &policy.session.hosts);
    if let Some(location) = headers::text(headers, "location")
        && let Some(path) = base.own_path(location)
    {
        let said =
            said_again(stream, policy, &path, url::query(location)).map(|value| format!("{SIGNED_PARAMETER}={value}"));
        let token = stream.token_parameter(policy);
        let parameters: Vec<_> = said.into_iter().chain(token).collect();
        let ours: Vec<_> = ours(policy).into_iter().map(Into::into).collect();
        let mut rewritten = Vec::with_capacity(location.len() + 1024);
        url::push_with_parameters(&mut rewritten, &base.secured(location), &parameters.join("&"), &ours);
        edits.set.push(("location".into(), rewritten));
    }
    edits.set.push(header("cache-control", "private, no-store"));
    edits.add.extend(stream.session_cookies(policy));
    edits
}

/// The stream's signed parameter, signed anew for another path (percent-encoded) and query. `None` beyond the session's paths,
/// and without a session, which alone could tell them.
fn said_again(stream: &Stream, policy: &Policy, path: &str, query: Option<&str>) -> Option<String> {
    let path = target::normal_path(path).ok()?;
    let session = stream.session.as_ref().filter(|session| session.covers(&path).is_ok())?;
    let keyring = policy.keyrings.get(stream.keyring)?;
    if stream.kind == Kind::Playlist || !stream.imports.is_empty() {
        return signed::variables(keyring, &path, &stream.imports);
    }
    let query = query::of_origin(query, &ours(policy))?;
    let subject = Subject { path: &path, query: &query, session: policy.session.on_content.then_some(&session.id) };
    signed::resource(keyring, subject, &stream.resource, stream.media_key.as_ref())
}
