//! Playlist responses, rewritten line by line.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::body::{Body, IfLive, LiveProbeBody, PlaylistBody};
use super::{Plan, ResponseHead, without_untrue};
use crate::http::headers;
use crate::http::incoming::SIGNED_PARAMETER;
use crate::http::message::HeaderEdits;
use crate::http::reply::{Header, Reason, Reply, header};
use crate::http::route::Kind;
use crate::playlist::{Encryption, KeySource, LinkTarget, Rewriter, UriRewriter, Variables};
use crate::policy::Policy;
use crate::policy::encryption::{self, HlsMethod, Keys};
use crate::policy::key_url::Values;
use crate::policy::tokens::Transport;
use crate::request::pending::{PendingRequest, PendingSession};
use crate::session::Session;
use crate::token::acl::Acl;
use crate::token::derive::KeyScope;
use crate::token::signed;

/// Plans the response for a playlist.
///
/// # Errors
/// The reason why it cannot be served.
pub fn plan(head: &ResponseHead<'_>) -> Result<Plan, Reason> {
    let ResponseHead { request, policy, headers, .. } = *head;
    if let Some(plan) = plan_by_head(head, Reason::Playlist)? {
        return Ok(plan);
    }
    let kept = with_samples(marks(request, policy).ok_or(Reason::Missing)?, policy);
    let if_live = match reloads_open_sessions(request, policy) {
        true => Some(IfLive::Wrapped(single_variant(request, &kept))),
        false => renewed(request, policy).map(|marks| IfLive::Renewed(Box::new(Rewriter::new(marks)))),
    };
    let length = headers::content_length(headers)?;
    let body = PlaylistBody::new(Rewriter::new(kept), head.hold, length);
    let body = match if_live {
        _ if request.head => None,
        Some(if_live) => Some(Body::LiveProbe(LiveProbeBody::new(body, if_live, length))),
        None => Some(Body::Playlist(body)),
    };
    Ok(Plan { kind: Kind::Playlist, edits: edits(head), body, reply: None })
}

/// Plan for a response whose headers alone decide; `None` if the body is to be rewritten. `empty`: the reason why one
/// without a body is refused.
///
/// # Errors
/// The reason why it cannot be served.
pub fn plan_by_head(head: &ResponseHead<'_>, empty: Reason) -> Result<Option<Plan>, Reason> {
    if let Some(plan) = head.without_content(Kind::Playlist) {
        return Ok(Some(plan));
    }
    if head.status == 206 {
        return Err(Reason::Unasked);
    }
    head.check_content()?;
    if head.is_empty() {
        return Err(empty);
    }
    let renewed = head.request.renewed();
    Ok(renewed.iter().any(|(name, _)| name == "location").then(|| redirect(renewed)))
}

/// Header changes for a body that is rewritten for one viewer.
pub fn edits(head: &ResponseHead<'_>) -> HeaderEdits {
    let mut edits = without_untrue(head.headers);
    edits.remove.push("content-length".into());
    edits.set.push(header("cache-control", "private, no-store"));
    edits.add.extend(head.request.session_cookies(head.policy));
    edits.add.extend_from_slice(head.request.renewed());
    edits
}

/// Rewriter for the URIs of a live media playlist, if their tokens end before the session.
fn renewed(request: &PendingRequest, policy: &Policy) -> Option<UriRewriter> {
    let pending = request.session.as_ref()?;
    let token = pending.session.renewed(policy, request.now)?;
    let content = Some(pending.link_in_query(policy, &token));
    Some(with_samples(UriRewriter { content, ..marks_with(request, policy, &token)? }, policy))
}

/// `marks` of a policy, which may encrypt samples of HLS.
fn with_samples(marks: UriRewriter, policy: &Policy) -> UriRewriter {
    let Some((samples, encryption)) =
        policy.samples().filter(|samples| samples.hls == HlsMethod::SampleAes).zip(marks.encryption.as_ref())
    else {
        return marks;
    };
    let signed = signed::samples(&marks.keyring, marks.session.as_ref(), &encryption.scope);
    marks.with_samples(&samples.license_path, &format!("{SIGNED_PARAMETER}={signed}"))
}

/// Plan for a request that is repeated with a new access token. The session that it opened is forgotten.
fn redirect(renewed: &[Header]) -> Plan {
    let mut headers = renewed.to_vec();
    headers.push(header("cache-control", "no-store"));
    let reply = Reply { status: 302, headers, body: Vec::new(), reason: None };
    Plan { kind: Kind::Playlist, edits: HeaderEdits::default(), body: None, reply: Some(reply) }
}

/// Rewriter for the URIs of the response; `None` without a session.
pub fn marks(request: &PendingRequest, policy: &Policy) -> Option<UriRewriter> {
    marks_with(request, policy, &request.session.as_ref()?.session.token)
}

/// [`marks`] with another token of the session for the URLs of external key servers.
fn marks_with(request: &PendingRequest, policy: &Policy, key_token: &str) -> Option<UriRewriter> {
    let pending = request.session.as_ref()?;
    let session = &pending.session;
    let playlist = &request.playlist;
    let encryption = match policy.own_encryption() {
        None => None,
        Some(encryption) => Some(Encryption {
            scope: playlist.keys.clone()?,
            source: key_source(request, policy, encryption, session, key_token)?,
            rotation: encryption.rotation,
            iv_mode: encryption.iv_mode,
            on_encrypted_origin: encryption.on_encrypted_origin,
            samples: None,
            packaged: encryption.packaged().cloned(),
        }),
    };
    let by_reference = policy.session.transport == Transport::Cookie;
    // With cookies, media under a shared key needs no reference: any session that covers its path is sufficient.
    let shared = playlist.keys.as_ref().is_some_and(|scope| !matches!(scope, KeyScope::Session(_)));
    // The token may differ from reload to reload, because each reload with an access token opens a session, or because
    // tokens end before the session. Players compare the paths of segments then, so it must not be there.
    let passing = policy.session.transport.in_path() && (pending.is_opened() || policy.session.renewal.is_some());
    Some(UriRewriter {
        base: request.url.base(policy),
        token: request.session_link(policy),
        content: passing.then(|| pending.link_in_query(policy, &session.token)),
        token_on_content: policy.session.on_content && (!by_reference || !shared),
        acl: Acl::parse(session.acl()),
        session: policy.session.on_content.then_some(session.id),
        ours: Rc::clone(policy.reserved_parameters()),
        keyring: policy.keyring(session.keyring)?.clone(),
        encryption,
        variables: Variables::new(request.url.query.clone(), playlist.imports.clone()),
        unservable: Rc::clone(&playlist.unservable),
    })
}

/// Source of the content keys of this playlist.
fn key_source(
    request: &PendingRequest,
    policy: &Policy,
    encryption: &encryption::Encryption,
    session: &Session,
    key_token: &str,
) -> Option<KeySource> {
    let id = session.id_text();
    Some(match &encryption.keys {
        Keys::Endpoint { path, .. } => {
            KeySource::Endpoint { path: path.as_str().into(), policy: policy.key_name.clone(), session: id }
        }
        Keys::External { url, .. } => KeySource::External(url.filled(&Values {
            session: &id,
            stream: request.playlist.directory.as_deref(),
            secret: policy.keyring(session.keyring)?.secret_id(),
            token: key_token,
        })),
    })
}

/// Whether each reload of this URL would open another session.
fn reloads_open_sessions(request: &PendingRequest, policy: &Policy) -> bool {
    request.session.as_ref().is_some_and(PendingSession::is_opened)
        && policy.session.transport != Transport::Cookie
        && policy.session.wrap_live_playlists
}

/// Builds a multivariant playlist with one variant: the requested playlist, with the session's token.
fn single_variant(request: &PendingRequest, marks: &UriRewriter) -> Vec<u8> {
    // BANDWIDTH is required but unknown. Players do not need it to choose from one variant.
    let mut master = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n".to_vec();
    let query = request.url.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    marks.push(&mut master, format!("{}{query}", request.url.raw_path).as_bytes(), LinkTarget::Sibling);
    master.push(b'\n');
    master
}
