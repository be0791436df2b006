//! Playlist responses, rewritten line by line.

use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::body::{Body, LiveProbeBody, PlaylistBody};
use super::{Plan, ResponseHead, without_untrue};
use crate::http::headers;
use crate::http::message::HeaderEdits;
use crate::http::reply::{Header, Reason, Reply, header};
use crate::http::route::Kind;
use crate::playlist::{Encryption, KeySource, LinkTarget, Rewriter, UriRewriter, Variables};
use crate::policy::Policy;
use crate::policy::encryption::{self, Keys};
use crate::policy::key_url::Values;
use crate::request::pending::{PendingRequest, PendingSession};
use crate::session::Session;
use crate::token::acl::Acl;
use crate::token::derive::KeyScope;

/// Plans the response for a playlist.
///
/// # Errors
/// The reason why it cannot be served.
pub fn plan(head: &ResponseHead<'_>) -> Result<Plan, Reason> {
    let ResponseHead { request, policy, headers, .. } = *head;
    if let Some(plan) = head.without_content(Kind::Playlist) {
        return Ok(plan);
    }
    if head.status == 206 {
        return Err(Reason::Unasked);
    }
    head.check_content()?;
    if head.is_empty() {
        return Err(Reason::Playlist);
    }
    if request.renewed().iter().any(|(name, _)| name == "location") {
        return Ok(redirect(request.renewed()));
    }
    let marks = marks(request, policy).ok_or(Reason::Missing)?;
    let master = reloads_open_sessions(request, policy).then(|| single_variant(request, &marks));
    let length = headers::content_length(headers)?;
    let body = PlaylistBody::new(Rewriter::new(marks), head.hold, length);
    let body = match master {
        _ if request.head => None,
        Some(master) => Some(Body::LiveProbe(LiveProbeBody::new(body, master, length))),
        None => Some(Body::Playlist(body)),
    };
    Ok(Plan { kind: Kind::Playlist, edits: edits(head), body, reply: None })
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

/// Plan for a request that is repeated with a new access token. The session that it opened is forgotten.
fn redirect(renewed: &[Header]) -> Plan {
    let mut headers = renewed.to_vec();
    headers.push(header("cache-control", "no-store"));
    let reply = Reply { status: 302, headers, body: Vec::new(), reason: None };
    Plan { kind: Kind::Playlist, edits: HeaderEdits::default(), body: None, reply: Some(reply) }
}

/// Rewriter for the URIs of the response; `None` without a session.
pub fn marks(request: &PendingRequest, policy: &Policy) -> Option<UriRewriter> {
    let PendingSession { session, .. } = request.session.as_ref()?;
    let playlist = &request.playlist;
    let encryption = match &policy.encryption {
        None => None,
        Some(encryption) => Some(Encryption {
            scope: playlist.keys.clone()?,
            source: key_source(request, policy, encryption, session)?,
            rotation: encryption.rotation,
            iv_mode: encryption.iv_mode,
            on_encrypted_origin: encryption.on_encrypted_origin,
        }),
    };
    // With cookies, media under a shared key needs no reference: any session that covers its path is sufficient.
    let shared = playlist.keys.as_ref().is_some_and(|scope| !matches!(scope, KeyScope::Session(_)));
    Some(UriRewriter {
        base: request.url.base(policy),
        token: request.token_parameter(policy),
        token_on_content: policy.session.on_content && (policy.session.transport.in_query() || !shared),
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
) -> Option<KeySource> {
    let id = session.id_text();
    Some(match &encryption.keys {
        Keys::Endpoint { path, .. } => {
            KeySource::Endpoint { path: path.as_str().into(), policy: policy.name.clone(), session: id }
        }
        Keys::External { url, .. } => KeySource::External(url.filled(&Values {
            session: &id,
            stream: request.playlist.directory.as_deref(),
            secret: policy.keyring(session.keyring)?.secret_id(),
            token: &session.token,
        })),
    })
}

/// Whether each reload of this URL would open another session.
fn reloads_open_sessions(request: &PendingRequest, policy: &Policy) -> bool {
    request.session.as_ref().is_some_and(PendingSession::is_opened)
        && policy.session.transport.in_query()
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
