//! Who gets in: the checks on a request, in order, and what the origin may see of it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::document::OnEncryptedOrigin;
use crate::config::policy::{Opening, Policy, SIGNED_PARAMETER};
use crate::config::{Coverage, Policies};
use crate::derive::{ContentKey, KeyScope};
use crate::enter::{client_address, enter, is_access_token, one, ours, session_token, single};
use crate::headers;
use crate::reply::{Reason, Reply, header};
use crate::route::{self, Extension, Kind};
use crate::session::Session;
use crate::signed::{self, Form, Resource};
use crate::slice::Slice;
use crate::step::{HeaderEdits, Request};
use crate::target::Target;
use crate::targeting::{Denied, Facts};
use crate::token::edge_auth::Presented;

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
        policy: usize,
        /// The session whose key it is.
        session: Session,
        /// The answer.
        reply: Reply,
    },
    /// A preflight request, answered here.
    Preflight {
        /// The policy's number.
        policy: usize,
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
    pub policy: Option<usize>,
    /// Where the client is sent.
    pub redirect: Option<String>,
}

/// What is kept of an admitted request until its response comes.
#[derive(Debug)]
pub struct Stream {
    /// The policy's number.
    pub policy: usize,
    /// The session that it belongs to.
    pub session: Session,
    /// The session was opened by this very request.
    pub opened: bool,
    /// Opened for a path that only the response can show to be a playlist; refused if it is none.
    pub tentative: bool,
    /// Its kind by path and parameters.
    pub kind: Kind,
    /// What the filter itself said of the resource.
    pub resource: Resource,
    /// Variables that the master playlist defined, for a media playlist to import.
    pub imports: Vec<(String, String)>,
    /// The part of the ciphertext that the client asked for.
    pub slice: Option<Slice>,
    /// A HEAD request.
    pub head: bool,
    /// It came over https.
    pub https: bool,
    /// `:authority`.
    pub authority: String,
    /// The path as it came, percent-encoded.
    pub raw_path: String,
    /// The query as it came.
    pub query: Option<String>,
    /// Seconds since the epoch.
    pub now: u64,
}

impl Stream {
    /// Whom this stream's keys are for.
    pub fn key_scope(&self) -> KeyScope {
        KeyScope::Session(self.session.id)
    }

    /// The content key and IV of this stream. A resource without a number of its own has the IV of its period: what a
    /// session was told stays true when the configuration changes.
    pub fn content_key(&self, policy: &Policy) -> Option<ContentKey> {
        let (keyring, scope) = (policy.keyrings.get(self.session.keyring)?, self.key_scope());
        let iv = match self.resource.number {
            Some(number) => u128::from(number).to_be_bytes(),
            None => keyring.iv(&scope, self.resource.period),
        };
        Some(ContentKey { key: keyring.key(&scope, self.resource.period), iv })
    }
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
        return admit_key(policies, request, &target, readable);
    }
    let (index, policy) = match covering(policies, request, &target.path) {
        Coverage::Policy(index, policy) => (index, policy),
        Coverage::Pass => return Ok(Admitted::Pass),
        Coverage::Deny => return Err(refused(Reason::Unassigned)),
    };
    let extension = route::extension(&target.path);
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
        return Ok(answer);
    }
    located(policies, policy, request)
        .map_err(|denied| Refused { redirect: denied.redirect, ..refused(denied.reason) })?;
    if policy.is_open() {
        return identified(policy, request, None).map(|()| Admitted::Pass).map_err(refused);
    }
    if !readable {
        return Err(refused(Reason::Method));
    }
    let (session, opened) = enter(policy, request, &target, extension, random).map_err(refused)?;
    identified(policy, request, session.payload.as_deref()).map_err(refused)?;
    let (resource, imports) = match one(target.values(SIGNED_PARAMETER)).map_err(refused)? {
        None => Default::default(),
        Some(sent) => said(policy, &session, &target, sent).ok_or_else(|| refused(Reason::Parameter))?,
    };
    // What is said of media must not take a playlist past the rewriter.
    let resource = if kind == Kind::Playlist { Resource::default() } else { resource };
    let kind = if resource.form == Form::Media { kind } else { Kind::Clear };
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
    let stream = Stream {
        policy: index,
        session,
        opened,
        tentative: opened && extension == Extension::Missing,
        kind,
        resource,
        imports,
        slice,
        head: method == b"HEAD",
        https: headers::first(request.headers, ":scheme") == Some(b"https"),
        authority: authority.into(),
        raw_path: target.raw_path.into(),
        query: target.query.map(Into::into),
        now: request.now,
    };
    Ok(Admitted::Stream(stream, edits))
}

/// What holds for a request for this path: the policy that its route names, if routes may, else what is assigned.
fn covering<'a>(policies: &'a Policies, request: &Request<'_>, path: &str) -> Coverage<'a> {
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
fn located(policies: &Policies, policy: &Policy, request: &Request<'_>) -> Result<(), Denied> {
    let Some(targeting) = &policy.targeting else { return Ok(()) };
    let client = || (request.client)().as_deref().and_then(client_address);
    targeting.check(&Facts::new(request.headers, &policies.geo_headers, &client))
}

/// Whether a request's player may play; `payload` is that of its session's access token.
fn identified(policy: &Policy, request: &Request<'_>, payload: Option<&str>) -> Result<(), Reason> {
    policy.players.as_ref().map_or(Ok(()), |players| players.check(request.headers, payload, request.now))
}

/// What the filter itself said in the URL: of the resource, and which variables a playlist may import.
fn said(
    policy: &Policy,
    session: &Session,
    target: &Target<'_>,
    sent: &str,
) -> Option<(Resource, Vec<(String, String)>)> {
    let keyring = policy.keyrings.get(session.keyring)?;
    if signed::is_variables(sent) {
        return Some((Resource::default(), signed::open_variables(keyring, &target.path, sent)?));
    }
    Some((signed::open_resource(keyring, &target.path, sent)?, Vec::new()))
}

/// The answer to a preflight request, where the policy says what pages on other sites may do.
fn preflight(policy: &Policy, index: usize, request: &Request<'_>) -> Option<Admitted> {
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

fn admit_key(
    policies: &Policies,
    request: &Request<'_>,
    target: &Target<'_>,
    readable: bool,
) -> Result<Admitted, Refused> {
    let refused = |reason| Refused { reason, kind: Kind::Key, policy: None, redirect: None };
    let sent = one(target.values(SIGNED_PARAMETER)).map_err(refused)?;
    let claimed =
        sent.and_then(signed::claimed_policy).and_then(|name| policies.serving_keys(&target.path, &name, request.now));
    if !readable {
        let by_path = || match covering(policies, request, &target.path) {
            Coverage::Policy(index, policy) => Some((index, policy)),
            Coverage::Pass | Coverage::Deny => None,
        };
        let answer = claimed.or_else(by_path).and_then(|(index, policy)| preflight(policy, index, request));
        return answer.ok_or_else(|| refused(Reason::Method));
    }
    let (Some(sent), Some((index, policy))) = (sent, claimed) else { return Err(refused(Reason::Parameter)) };
    let refused = |reason| Refused { policy: Some(index), ..refused(reason) };
    located(policies, policy, request)
        .map_err(|denied| Refused { redirect: denied.redirect, ..refused(denied.reason) })?;
    let (session, key) = content_key(policy, request, target, sent).map_err(refused)?;
    let left = session.expires.saturating_sub(request.now);
    let reply = Reply {
        status: 200,
        headers: alloc::vec![
            header("content-type", "application/octet-stream"),
            header("cache-control", &format!("private, max-age={left}")),
        ],
        body: key.to_vec(),
        reason: None,
    };
    Ok(Admitted::Key { policy: index, session, reply })
}

/// The key that a request is for, and the session whose it is.
fn content_key(
    policy: &Policy,
    request: &Request<'_>,
    target: &Target<'_>,
    sent: &str,
) -> Result<(Session, [u8; 16]), Reason> {
    let token = session_token(policy, request, target)?.ok_or(Reason::Missing)?;
    let session = Session::verify(policy, token, request).map_err(|reason| {
        let context = Presented { target, query: None, client: None, now: request.now };
        let swapped = reason == Reason::Signature && is_access_token(policy, token, &context);
        if swapped { Reason::Swapped } else { reason }
    })?;
    identified(policy, request, session.payload.as_deref())?;
    let keyring = policy.keyrings.get(session.keyring).ok_or(Reason::Parameter)?;
    // Any period that was ever given out: its segments may be in a playlist, or in a player's buffer, for long.
    let (owner, period) = signed::key_fields(keyring, &target.path, sent).ok_or(Reason::Parameter)?;
    if owner != session.id_text() {
        return Err(Reason::Session);
    }
    let key = keyring.key(&KeyScope::Session(session.id), period);
    Ok((session, key))
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
    let mut cookies = alloc::vec![policy.session.name.as_str()];
    if let Opening::AccessToken(access) = &policy.opening {
        cookies.push(&access.cookie);
        if headers::first(request.headers, &access.header).is_some() {
            edits.remove.push(access.header.clone());
        }
    }
    if let Some(kept) = headers::cookies_without(request.headers, &cookies) {
        edits.remove.push("cookie".into());
        if !kept.is_empty() {
            edits.set.push(("cookie".into(), kept.into_bytes()));
        }
    }
    if whole {
        let present = |name: &&&str| headers::first(request.headers, name).is_some();
        edits.remove.extend(headers::CONDITIONAL.iter().filter(present).map(|name| String::from(*name)));
    }
    edits
}
