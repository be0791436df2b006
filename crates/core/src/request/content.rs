//! The checks on a request for a playlist or content, and its admission.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::admitted::Admitted;
use super::chain;
use super::check::{Check, Flow, Observer};
use super::door::Door;
use super::door::policy_for;
use super::edits::request_edits;
use super::resume_or_open::resume_or_open;
use super::shared_checks::{self, bodiless};
use super::signed_claim::SignedClaim;
use super::visit::Visit;
use crate::http::incoming::{Incoming, Method};
use crate::http::query;
use crate::http::reply::{Reason, Reply, header};
use crate::http::route::Extension;
use crate::media::client_range::ClientRange;
use crate::policy::{Match, Policy};
use crate::request::pending::{
    Asked, Claim, PendingMedia, PendingPlaylist, PendingRequest, PendingSamples, PendingSession, ViewerUrl,
};
use crate::token::signed::{Iv, Treatment};

/// The checks that find the policy.
pub const fn door<'a>() -> [Check<Door<'a>>; 1] {
    [Check { name: "assignment", run: assignment }]
}

/// The checks under the policy.
pub const fn checks<'a>() -> [Check<Visit<'a>>; 13] {
    [
        Check { name: "body", run: body },
        Check { name: "cors", run: preflight },
        Check { name: "targeting", run: shared_checks::targeting },
        Check { name: "player", run: player_of_open },
        Check { name: "open", run: open },
        Check { name: "method", run: method },
        Check { name: "chain", run: chain },
        Check { name: "session", run: session },
        Check { name: "player", run: shared_checks::player },
        Check { name: "redirect", run: redirect },
        Check { name: "forward", run: forward },
        Check { name: "parameter", run: parameter },
        Check { name: "key", run: key },
    ]
}

pub(super) fn assignment(door: &mut Door<'_>, _: &mut dyn Observer) -> Flow {
    let incoming = door.incoming;
    if let Err(reason) = incoming.path_token {
        return Flow::refuse(reason);
    }
    let found = policy_for(door.policies, incoming.head, &incoming.target.path);
    // The path of a request for other content must not begin with the marker: it has two meanings then.
    let takes_token =
        matches!(found, Match::Policy(_, policy) if !policy.is_open() && policy.session.transport.in_path());
    if incoming.path_token != Ok(None) && !takes_token && !matches!(found, Match::Deny) {
        return Flow::refuse(Reason::Target);
    }
    match found {
        Match::Policy(index, policy) => {
            door.policy = Some((index, policy));
            Flow::Next
        }
        Match::Pass => Flow::Admit(Admitted::Pass),
        Match::Deny => Flow::refuse(Reason::Unassigned),
    }
}

/// Whether the request is a preflight request that the policy answers.
fn is_preflight(visit: &Visit<'_>) -> bool {
    !visit.policy.is_open() && visit.policy.cors.as_ref().is_some_and(|cors| cors.is_preflight(visit.incoming.head))
}

fn body(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let answered_or_forwarded = visit.incoming.head.method.reads() || is_preflight(visit);
    if visit.policy.is_open() || !answered_or_forwarded { Flow::Skip } else { Flow::of(bodiless(visit.incoming)) }
}

/// Responds to preflight requests from any client: the response discloses only the policy's `cors`.
fn preflight(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    if visit.policy.is_open() {
        return Flow::Skip;
    }
    match visit.policy.cors.as_ref().and_then(|cors| cors.preflight(visit.incoming.head, "GET, HEAD")) {
        Some(reply) => Flow::Admit(Admitted::Preflight { policy: visit.index, reply }),
        None => Flow::Skip,
    }
}

fn player_of_open(visit: &mut Visit<'_>, observer: &mut dyn Observer) -> Flow {
    if visit.policy.is_open() { shared_checks::player(visit, observer) } else { Flow::Skip }
}

fn open(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    if visit.policy.is_open() { Flow::Admit(Admitted::Pass) } else { Flow::Skip }
}

fn method(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    Flow::of(if visit.incoming.head.method.reads() { Ok(()) } else { Err(Reason::Method) })
}

/// Verifies a signed token that is renewed in place of sessions.
fn chain(visit: &mut Visit<'_>, observer: &mut dyn Observer) -> Flow {
    match chain::verify(visit, observer) {
        None => Flow::Skip,
        Some(Ok(chained)) => {
            visit.chained = Some(chained);
            Flow::Next
        }
        Some(Err(reason)) => Flow::refuse(reason),
    }
}

fn session(visit: &mut Visit<'_>, observer: &mut dyn Observer) -> Flow {
    if visit.chained.is_some() {
        return Flow::Skip;
    }
    match resume_or_open(visit, observer) {
        Ok(pending) => {
            visit.session = Some(pending);
            Flow::Next
        }
        // Content that turns out to be a playlist is refused then.
        Err(_) if !visit.policy.session.on_content && !visit.extension.opens() => Flow::Skip,
        Err(reason) => Flow::refuse(reason),
    }
}

/// Redirects a request for a playlist that opened a session to the URL with its token, if the policy says so. A request
/// with a signed parameter comes from a playlist, not from a site.
fn redirect(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let (policy, incoming) = (visit.policy, visit.incoming);
    let applies = policy.session.redirect_playlists
        && visit.extension.opens()
        && matches!(incoming.signed, Ok(None))
        && visit.session.as_ref().is_some_and(PendingSession::is_opened);
    let Some(pending) = visit.session.take_if(|_| applies) else { return Flow::Skip };
    let url = ViewerUrl::of(incoming);
    let location = pending.link(policy).url(&url.raw_path, url.query.as_deref(), policy.reserved_parameters());
    let left = pending.session.expires.saturating_sub(incoming.head.now);
    let mut headers = alloc::vec![("location".into(), location), header("cache-control", "private, no-store")];
    headers.extend(pending.cookies(policy, url.scheme, left));
    let reply = Reply { status: 302, headers, body: Vec::new(), reason: None };
    Flow::Admit(Admitted::Redirected { policy: visit.index, session: pending.session, reply })
}

/// Admits a request without a session: nothing in its response leads back to this policy's session tokens and keys.
fn forward(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    match visit.chained.take() {
        Some(chained) => Flow::Admit(Admitted::Chained(chained, request_edits(visit.policy, visit.incoming, false))),
        None => Flow::Skip,
    }
}

fn parameter(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let sent = match visit.incoming.signed {
        Err(reason) => return Flow::refuse(reason),
        Ok(None) => return Flow::Skip,
        Ok(Some(sent)) => sent,
    };
    let session = visit.session.as_ref().map(|pending| &pending.session);
    match SignedClaim::verify(visit.policy, &visit.incoming.target, session, sent) {
        None => Flow::refuse(Reason::Parameter),
        // The policy no longer encrypts samples.
        Some(claim) if claim.resource.form == Treatment::Samples && visit.policy.samples().is_none() => {
            Flow::refuse(Reason::Parameter)
        }
        Some(claim) => {
            visit.claim = claim;
            Flow::Next
        }
    }
}

/// The key of the content is known. Admits the request.
fn key(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let (policies, policy, incoming, extension) = (visit.policies, visit.policy, visit.incoming, visit.extension);
    let (head, target) = (incoming.head, &incoming.target);
    let SignedClaim { keyring, resource, shared, imports } = core::mem::take(&mut visit.claim);
    let session = visit.session.take();
    let claim = Claim::new(session.as_ref(), keyring, resource, shared);
    let segment_iv = segment_iv(policy, incoming, &claim);
    let asked = Asked::new(extension, policy.own_encryption().is_some(), claim, client_range(incoming), segment_iv);
    let needs_session = match &asked {
        Asked::Media(PendingMedia { claim, .. }) | Asked::Samples(PendingSamples { claim }) => claim.scope.is_none(),
        Asked::Document(_) => true,
        Asked::Playlist(_) | Asked::Clear(_) => false,
    };
    if session.is_none() && needs_session {
        return Flow::refuse(Reason::Missing);
    }
    let own_media = match &asked {
        Asked::Media(PendingMedia { claim, .. }) | Asked::Samples(PendingSamples { claim }) => !claim.shares_key(),
        Asked::Playlist(_) | Asked::Clear(_) | Asked::Document(_) => false,
    };
    // Under another session's key it would not decrypt. Without an extension only the response tells whether it is media.
    let certain = session.as_ref().is_none_or(PendingSession::is_certain);
    if own_media && !certain && extension == Extension::Other {
        return Flow::refuse(Reason::Session);
    }
    // A resource that may turn out to be a playlist must come whole and plain.
    let mut edits = request_edits(policy, incoming, asked.needs_all() || extension == Extension::Missing);
    let range = asked.origin_range().map(|(first, last)| header("range", &format!("bytes={first}-{last}")));
    edits.set.extend(range);
    let directory = policy.own_encryption().filter(|encryption| encryption.asks_for_stream()).map(|encryption| {
        policies.stream_directory(head.authority, &target.path, encryption.stream_depth, head.now).to_string()
    });
    let pending = PendingRequest {
        policy: visit.index,
        playlist: PendingPlaylist::new(policy.own_encryption(), session.as_ref(), directory, imports),
        session,
        url: ViewerUrl::of(incoming),
        head: head.method == Method::Head,
        now: head.now,
        asked,
    };
    Flow::Admit(Admitted::Pending(pending, edits))
}

/// The IV of media that has one of its own: it depends on the path and on the origin's part of the query.
fn segment_iv(policy: &Policy, incoming: &Incoming<'_>, claim: &Claim) -> Option<[u8; 16]> {
    if claim.resource.iv != Iv::Segment {
        return None;
    }
    let query = query::of_origin(incoming.target.query, policy.reserved_parameters())?;
    Some(claim.resource.segment_iv(policy.keyring(claim.keyring)?, &incoming.target.path, &query))
}

/// The client's Range, unless it is conditional.
fn client_range(incoming: &Incoming<'_>) -> Option<ClientRange> {
    if incoming.head.method == Method::Get { ClientRange::parse(incoming.head.range?) } else { None }
}
