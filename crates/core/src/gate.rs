//! Who gets in: the checks on a request, in order, and what the origin may see of it.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::derive::KeyScope;
use crate::enter::{Entered, client_address, enter, one, ours, single};
use crate::headers;
use crate::jar;
use crate::key;
use crate::policy::encryption::{Encryption, KeySharing, OnEncryptedOrigin};
use crate::policy::players::Players;
use crate::policy::targeting::{Denied, Facts};
use crate::policy::{Coverage, Policies, Policy, PolicyIndex, SIGNED_PARAMETER};
use crate::query;
use crate::reply::{Reason, Reply, header};
use crate::route::{Extension, Kind};
use crate::session::Session;
use crate::signed::{self, Form, Resource, Subject, Variable};
use crate::slice::Slice;
use crate::step::{Call, HeaderEdits, Request};
use crate::stream::Stream;
use crate::target::Target;
use crate::url::Scheme;

/// What asks the origin for a delta update (RFC 8216bis section 6.2.5.2).
const DELTA: &str = "_HLS_skip";

/// A request that may go on.
#[expect(clippy::large_enum_variant, reason = "taken apart at once; a box would only add an allocation")]
pub enum Admitted {
    /// Not covered: untouched.
    Pass,
    /// A key, answered here.
    Key {
        /// The policy's number.
        policy: PolicyIndex,
        /// The session whose key it is.
        session: Session,
        /// The answer.
        reply: Reply,
        /// Who is to be asked first.
        ask: Option<Call>,
    },
    /// A preflight request, answered here.
    Preflight {
        /// The policy's number.
        policy: PolicyIndex,
        /// The answer.
        reply: Reply,
    },
    /// To the origin, with these changes.
    Stream(Stream, HeaderEdits),
}

/// A request that was refused, and what is known of it.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// Its kind.
    pub kind: Kind,
    /// The policy's number.
    pub policy: Option<PolicyIndex>,
    /// Where the client is sent.
    pub redirect: Option<String>,
}

/// Checks a request.
///
/// # Errors
/// The first check that it fails.
pub fn admit(
    policies: &Policies,
    request: &Request<'_>,
    random: &mut dyn FnMut() -> [u8; 16],
) -> Result<Admitted, Refused> {
    let refused = |reason| Refused { reason, kind: Kind::Unknown, policy: None, redirect: None };
    let raw_target = single(request, ":path").ok_or_else(|| refused(Reason::Target))?;
    let target = Target::parse(raw_target).map_err(|_| refused(Reason::Target))?;
    let authority = headers::text(request.headers, ":authority").unwrap_or_default();
    let method = headers::first(request.headers, ":method").unwrap_or_default();
    let readable = matches!(method, b"GET" | b"HEAD");

    if policies.is_key_path(&target.path) {
        return key::admit(policies, request, &target, readable);
    }
    let (index, policy) = match covering(policies, request, &target.path) {
        Coverage::Policy(index, policy) => (index, policy),
        Coverage::Pass => return Ok(Admitted::Pass),
        Coverage::Deny => return Err(refused(Reason::Unassigned)),
    };
    let extension = policy.extension(&target.path);
    let kind = match extension {
        Extension::Playlist => Kind::Playlist,
        _ if policy.encryption.is_some() => Kind::Segment,
        _ => Kind::Clear,
    };
    let refused = |reason| Refused { reason, kind, policy: Some(index), redirect: None };
    // Answered wherever it comes from: it tells nothing but the policy's `cors`.
    if !readable
        && !policy.is_open()
        && let Some(answer) = preflight(policy, index, request)
    {
        return bodiless(request).map(|()| answer).map_err(refused);
    }
    if readable && !policy.is_open() {
        bodiless(request).map_err(refused)?;
    }
    located(policies, policy, request)
        .map_err(|denied| Refused { redirect: denied.redirect, ..refused(denied.reason) })?;
    if policy.is_open() {
        return identified(policy, request, None).map(|()| Admitted::Pass).map_err(refused);
    }
    if !readable {
        return Err(refused(Reason::Method));
    }
    let (session, opened, certain, named) = match enter(policy, request, &target, extension, random) {
        Ok(Entered { session, opened, certain, named }) => (Some(session), opened, certain, named),
        // What turns out to be a playlist is refused then.
        Err(_) if !policy.session.on_content && extension != Extension::Playlist => (None, false, true, false),
        Err(reason) => return Err(refused(reason)),
    };
    let by_session = policy.players.as_ref().is_some_and(Players::are_named_by_session);
    if session.is_some() || !by_session {
        let payload = session.as_ref().and_then(|session| session.payload.as_deref());
        identified(policy, request, payload).map_err(refused)?;
    }
    let Said { keyring, resource, shared, imports } = match one(target.values(SIGNED_PARAMETER)).map_err(refused)? {
        None => Said::default(),
        Some(sent) => said(policy, &target, session.as_ref(), sent).ok_or_else(|| refused(Reason::Parameter))?,
    };
    // What is said of media must not take a playlist past the rewriter.
    let resource = if kind == Kind::Playlist { Resource::default() } else { resource };
    let keyring = session.as_ref().filter(|_| shared.is_none()).map_or(keyring, |session| session.keyring);
    let own_key = session.as_ref().map(|session| KeyScope::Session(session.id));
    // What says nothing is under the session's own key, whatever the configuration says by now.
    let media_key = shared.or_else(|| own_key.clone().filter(|_| !opened));
    let directory =
        policy.encryption.as_ref().filter(|encryption| encryption.asks_for_stream()).map(|encryption| {
            policies.stream(authority, &target.path, encryption.stream_depth, request.now).to_string()
        });
    let playlist_keys = match &policy.encryption {
        Some(encryption) if encryption.configured_key().is_some() => Some(KeyScope::Configured),
        Some(Encryption { scope: KeySharing::Application, .. }) => Some(KeyScope::Application),
        Some(Encryption { scope: KeySharing::Stream, .. }) => directory.clone().map(KeyScope::Stream),
        _ => own_key,
    };
    let kind = if resource.form == Form::Media { kind } else { Kind::Clear };
    let tells_nothing = kind == Kind::Segment && media_key.is_none();
    if session.is_none() && (tells_nothing || resource.form == Form::Document) {
        return Err(refused(Reason::Missing));
    }
    let rotates = policy.encryption.as_ref().is_some_and(|encryption| encryption.rotation.changes());
    let lacks_period = rotates && kind == Kind::Segment && resource.period.is_none();
    let own_media = kind == Kind::Segment && matches!(media_key, Some(KeyScope::Session(_)));
    // Under the other session's key it would not decrypt. Only the response tells of what has no extension.
    if own_media && !certain && extension == Extension::Other {
        return Err(refused(Reason::Session));
    }
    // What may turn out to be a playlist must come whole and plain.
    let whole = kind != Kind::Clear
        || extension == Extension::Missing
        || resource.range.is_some()
        || resource.form == Form::Document;
    let mut edits = request_edits(policy, request, &target, whole);
    let slice = wanted_slice(request, kind, &resource, method);
    if let Some(range) = resource.range {
        edits.set.push(header("range", &format!("bytes={}-{}", range.offset, range.last())));
    } else if let Some(last) = slice.and_then(|slice| slice.plaintext_last()) {
        edits.set.push(header("range", &format!("bytes=0-{last}")));
    }
    let in_cookie = opened && policy.session.transport.in_cookie();
    let stream = Stream {
        policy: index,
        session,
        opened,
        certain,
        named,
        surplus: if in_cookie { jar::surplus(request.headers, &policy.session.name) } else { Vec::new() },
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
        head: method == b"HEAD",
        scheme: scheme(request),
        authority: authority.into(),
        raw_path: target.raw_path.into(),
        query: target.query.map(Into::into),
        unservable: Rc::default(),
        now: request.now,
    };
    Ok(Admitted::Stream(stream, edits))
}

/// The viewer's scheme, to the proxy or to a balancer before it. Over HTTP/2 `:scheme` is what the peer writes, and a
/// balancer may write `http` for what came by TLS; Envoy takes `x-forwarded-proto` from those that it trusts and sets it
/// itself otherwise. Whoever of them speaks of https is believed: a viewer who pretends harms only himself.
fn scheme(request: &Request<'_>) -> Scheme {
    let mut said = [":scheme", "x-forwarded-proto"].into_iter().flat_map(|name| headers::all(request.headers, name));
    if said.any(|value| value.eq_ignore_ascii_case(b"https")) { Scheme::Https } else { Scheme::Http }
}

/// Whether a request ends with its headers, however one reads them: an origin that ignores bodies would take one for the
/// next request on its connection, which has passed no check (request smuggling, "CL.0").
///
/// # Errors
/// [`Reason::Body`]
pub fn bodiless(request: &Request<'_>) -> Result<(), Reason> {
    if request.end_of_stream && !headers::announce_body(request.headers) { Ok(()) } else { Err(Reason::Body) }
}

/// What holds for a request for this path: the policy that its route names, if routes may, else what is assigned.
pub fn covering<'a>(policies: &'a Policies, request: &Request<'_>, path: &str) -> Coverage<'a> {
    let named = if policies.route_policy { (request.route_policy)() } else { None };
    match named {
        Some(name) => policies.named(&name),
        None => {
            let authority = headers::text(request.headers, ":authority").unwrap_or_default();
            policies.covering(authority, path, request.now)
        }
    }
}

/// Whether a request may come from where it does.
pub fn located(policies: &Policies, policy: &Policy, request: &Request<'_>) -> Result<(), Denied> {
    let Some(targeting) = &policy.targeting else { return Ok(()) };
    let client = || (request.client)().as_deref().and_then(client_address);
    targeting.check(&Facts::new(request.headers, &policies.geo_headers, &client))
}

/// Whether a request's player may play; `payload` is that of its session's access token.
pub fn identified(policy: &Policy, request: &Request<'_>, payload: Option<&str>) -> Result<(), Reason> {
    policy.players.as_ref().map_or(Ok(()), |players| players.check(request.headers, payload, request.now))
}

/// What the filter itself said in a URL.
#[derive(Debug, Default)]
pub struct Said {
    /// The number of the keyring that signed it.
    pub keyring: usize,
    /// Of the resource.
    pub resource: Resource,
    /// Whose key it is under, if not the session's own.
    pub shared: Option<KeyScope>,
    /// The variables that a playlist may import.
    pub imports: Vec<Variable>,
}

/// Opens the signed parameter `sent` of `target` in this session, whichever of the policy's secrets signed it: there may
/// be no session that tells. `None` if none of them did.
pub fn said(policy: &Policy, target: &Target<'_>, session: Option<&Session>, sent: &str) -> Option<Said> {
    let query = query::of_origin(target.query, &ours(policy))?;
    let session = session.filter(|_| policy.session.on_content).map(|session| &session.id);
    let place = Subject { path: &target.path, query: &query, session };
    policy.keyrings.iter().enumerate().find_map(|(keyring, signer)| {
        if signed::is_variables(sent) {
            return Some(Said { imports: signed::open_variables(signer, place.path, sent)?, ..Said::default() });
        }
        let (resource, shared) = signed::open_resource(signer, place, sent)?;
        Some(Said { keyring, resource, shared, imports: Vec::new() })
    })
}

/// The answer to a preflight request, where the policy says what pages on other sites may do.
pub fn preflight(policy: &Policy, index: PolicyIndex, request: &Request<'_>) -> Option<Admitted> {
    let reply = policy.cors.as_ref()?.preflight(request.headers)?;
    Some(Admitted::Preflight { policy: index, reply })
}

/// The policy of the path as it came, good for nothing but saying who may read a refusal.
pub fn claimed<'a>(policies: &'a Policies, request: &Request<'_>) -> Option<&'a Policy> {
    let path = headers::text(request.headers, ":path")?.split('?').next()?;
    match covering(policies, request, path) {
        Coverage::Policy(_, policy) => Some(policy),
        Coverage::Pass | Coverage::Deny => None,
    }
}

/// The client's Range, where it can be answered: on a whole encrypted resource, without a condition that it was made
/// under.
fn wanted_slice(request: &Request<'_>, kind: Kind, resource: &Resource, method: &[u8]) -> Option<Slice> {
    let plain = kind == Kind::Segment && resource.range.is_none() && method == b"GET";
    let conditional = headers::first(request.headers, "if-range").is_some();
    if plain && !conditional { Slice::parse(single(request, "range")?) } else { None }
}

fn request_edits(policy: &Policy, request: &Request<'_>, target: &Target<'_>, whole: bool) -> HeaderEdits {
    let mut edits = HeaderEdits::default();
    let mut names = ours(policy);
    // A delta update could begin amid media that the origin encrypts without saying so.
    if policy.encryption.as_ref().is_some_and(|it| it.on_encrypted_origin == OnEncryptedOrigin::Passthrough) {
        names.push(DELTA);
    }
    let ours_in_query =
        target.parameters().any(|(name, _)| names.iter().any(|ours| crate::target::is_named(name, ours)));
    if ours_in_query {
        let path = match target.query_without(&names) {
            Some(query) => format!("{}?{query}", target.raw_path),
            None => target.raw_path.into(),
        };
        edits.set.push((":path".into(), path.into_bytes()));
    }
    let access = policy.access_token.as_ref();
    if let Some(access) = access.filter(|access| headers::first(request.headers, &access.header).is_some()) {
        edits.remove.push(access.header.to_string());
    }
    let is_ours = |cookie: &[u8]| {
        jar::is_cookie(&policy.session.name, cookie) || access.is_some_and(|it| it.cookie.as_bytes() == cookie)
    };
    if let Some(kept) = headers::cookies_without(request.headers, is_ours) {
        edits.remove.push("cookie".into());
        if !kept.is_empty() {
            edits.set.push(("cookie".into(), kept));
        }
    }
    if whole {
        let present = |name: &&&str| headers::first(request.headers, name).is_some();
        edits.remove.extend(headers::CONDITIONAL.iter().filter(present).map(|name| String::from(*name)));
    }
    edits
}
