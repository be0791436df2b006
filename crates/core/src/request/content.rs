//! The checks on a request for a playlist or content, and its admission.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::check::{Check, Flow, Observer};
use super::door::Door;
use super::edits::request_edits;
use super::resume_or_open::{Entered, resume_or_open};
use super::signed_claim::SignedClaim;
use super::visit::{self, Visit, bodiless};
use super::{Admitted, policy_for};
use crate::config::Coverage;
use crate::config::document;
use crate::config::encryption::Encryption;
use crate::config::policy::Policy;
use crate::derive::KeyScope;
use crate::http::incoming::{Incoming, Method};
use crate::jar;
use crate::reply::Reason;
use crate::route::{Extension, Kind};
use crate::signed::{Form, Resource};
use crate::slice::Slice;
use crate::stream::Stream;

/// The checks that find the policy.
pub const fn door<'a>() -> [Check<Door<'a>>; 1] {
    [Check { name: "assignment", run: assignment }]
}

/// The checks under the policy.
pub const fn checks<'a>() -> [Check<Visit<'a>>; 10] {
    [
        Check { name: "body", run: body },
        Check { name: "cors", run: preflight },
        Check { name: "targeting", run: visit::targeting },
        Check { name: "player", run: player_of_open },
        Check { name: "open", run: open },
        Check { name: "method", run: method },
        Check { name: "session", run: session },
        Check { name: "player", run: visit::player },
        Check { name: "parameter", run: parameter },
        Check { name: "key", run: key },
    ]
}

fn assignment(door: &mut Door<'_>, _: &mut dyn Observer) -> Flow {
    match policy_for(door.policies, door.incoming.head, &door.incoming.target.path) {
        Coverage::Policy(index, policy) => {
            door.policy = Some((index, policy));
            Flow::Next
        }
        Coverage::Pass => Flow::Admit(Admitted::Pass),
        Coverage::Deny => Flow::refuse(Reason::Unassigned),
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

/// A preflight request is answered wherever it comes from: the answer gives away nothing but the policy's `cors`.
fn preflight(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    if visit.policy.is_open() {
        return Flow::Skip;
    }
    match visit.policy.cors.as_ref().and_then(|cors| cors.preflight(visit.incoming.head)) {
        Some(reply) => Flow::Admit(Admitted::Preflight { policy: visit.index, reply }),
        None => Flow::Skip,
    }
}

fn player_of_open(visit: &mut Visit<'_>, observer: &mut dyn Observer) -> Flow {
    if visit.policy.is_open() { visit::player(visit, observer) } else { Flow::Skip }
}

fn open(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    if visit.policy.is_open() { Flow::Admit(Admitted::Pass) } else { Flow::Skip }
}

fn method(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    Flow::of(if visit.incoming.head.method.reads() { Ok(()) } else { Err(Reason::Method) })
}

fn session(visit: &mut Visit<'_>, observer: &mut dyn Observer) -> Flow {
    match resume_or_open(visit, observer) {
        Ok(entered) => {
            visit.session = Some(entered);
            Flow::Next
        }
        // Content that turns out to be a playlist is refused then.
        Err(_) if !visit.policy.session.on_content && visit.extension != Extension::Playlist => Flow::Skip,
        Err(reason) => Flow::refuse(reason),
    }
}

fn parameter(visit: &mut Visit<'_>, _: &mut dyn Observer) -> Flow {
    let sent = match visit.incoming.signed {
        Err(reason) => return Flow::refuse(reason),
        Ok(None) => return Flow::Skip,
        Ok(Some(sent)) => sent,
    };
    let session = visit.session.as_ref().map(|entered| &entered.session);
    match SignedClaim::verify(visit.policy, &visit.incoming.target, session, sent) {
        None => Flow::refuse(Reason::Parameter),
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
    let kind = visit.kind();
    let SignedClaim { keyring, resource, shared, imports } = core::mem::take(&mut visit.claim);
    let (session, opened, certain, named) = match visit.session.take() {
        Some(Entered { session, opened, certain, named }) => (Some(session), opened, certain, named),
        None => (None, false, true, false),
    };
    // A statement about media must not take a playlist past the rewriter.
    let resource = if kind == Kind::Playlist { Resource::default() } else { resource };
    let keyring = session.as_ref().filter(|_| shared.is_none()).map_or(keyring, |session| session.keyring);
    let own_key = session.as_ref().map(|session| KeyScope::Session(session.id));
    // A URL without a statement is under the session's own key, whatever the configuration is by now.
    let media_key = shared.or_else(|| own_key.clone().filter(|_| !opened));
    let directory =
        policy.encryption.as_ref().filter(|encryption| encryption.asks_for_stream()).map(|encryption| {
            policies.stream(head.authority, &target.path, encryption.stream_depth, head.now).to_string()
        });
    let playlist_keys = match &policy.encryption {
        Some(encryption) if encryption.configured_key().is_some() => Some(KeyScope::Configured),
        Some(Encryption { scope: document::KeyScope::Application, .. }) => Some(KeyScope::Application),
        Some(Encryption { scope: document::KeyScope::Stream, .. }) => directory.clone().map(KeyScope::Stream),
        _ => own_key,
    };
    let kind = if resource.form == Form::Media { kind } else { Kind::Clear };
    let has_no_key = kind == Kind::Segment && media_key.is_none();
    if session.is_none() && (has_no_key || resource.form == Form::Document) {
        return Flow::refuse(Reason::Missing);
    }
    let own_media = kind == Kind::Segment && matches!(media_key, Some(KeyScope::Session(_)));
    // Under another session's key it would not decrypt. Without an extension only the response tells whether it is media.
    if own_media && !certain && extension == Extension::Other {
        return Flow::refuse(Reason::Session);
    }
    let rotates = policy.encryption.as_ref().is_some_and(|encryption| encryption.rotation.changes());
    let lacks_period = rotates && kind == Kind::Segment && resource.period.is_none();
    // A resource that may turn out to be a playlist must come whole and plain.
    let whole = kind != Kind::Clear
        || extension == Extension::Missing
        || resource.range.is_some()
        || resource.form == Form::Document;
    let mut edits = request_edits(policy, incoming, whole);
    let slice = client_range(incoming, kind, &resource);
    if let Some(range) = resource.range {
        edits.set.push(("range".into(), format!("bytes={}-{}", range.offset, range.last()).into_bytes()));
    } else if let Some(last) = slice.and_then(|slice| slice.plaintext_last()) {
        edits.set.push(("range".into(), format!("bytes=0-{last}").into_bytes()));
    }
    let stream = Stream {
        policy: visit.index,
        session,
        opened,
        certain,
        named,
        surplus: surplus(policy, incoming, opened),
        tentative: opened && extension == Extension::Missing,
        kind,
        resource,
        lacks_period,
        keyring,
        media_key,
        playlist_keys,
        directory,
        imports,
        slice,
        head: head.method == Method::Head,
        scheme: head.scheme,
        authority: head.authority.into(),
        raw_path: target.raw_path.into(),
        query: target.query.map(Into::into),
        unservable: Rc::default(),
        now: head.now,
    };
    Flow::Admit(Admitted::Stream(stream, edits))
}

/// References of the sessions whose cookies make room for a new one's.
fn surplus(policy: &Policy, incoming: &Incoming<'_>, opened: bool) -> Vec<alloc::string::String> {
    let in_cookie = opened && policy.session.transport.in_cookie();
    if in_cookie { jar::surplus(incoming.head.headers, &policy.session.name) } else { Vec::new() }
}

/// The client's Range, where it can be answered: on a whole encrypted resource, unless it is conditional.
fn client_range(incoming: &Incoming<'_>, kind: Kind, resource: &Resource) -> Option<Slice> {
    let plain = kind == Kind::Segment && resource.range.is_none() && incoming.head.method == Method::Get;
    if plain { Slice::parse(incoming.head.range?) } else { None }
}
