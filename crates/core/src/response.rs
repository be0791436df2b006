//! What becomes of the origin's response: rewritten, encrypted, passed, or refused; decided from its headers.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::batch::SharedEncryptor;
use crate::body::{Body, Window};
use crate::derive::KeyScope;
use crate::enter::ours;
use crate::headers;
use crate::output::Output;
use crate::playlist::{Encryption, Entry, KeySource, Lead, Marks, Rewriter, Variables};
use crate::policy::encryption::{self, Keys};
use crate::policy::key_url::Values;
use crate::policy::{Opening, Policy};
use crate::redirect::redirect;
use crate::reply::{Header, Reason, Reply, header};
use crate::route::Kind;
use crate::segment::{SegmentEncryptor, ciphertext_len};
use crate::session::Session;
use crate::signed::Form;
use crate::slice::{Part, Place, Slice};
use crate::start::Start;
use crate::step::HeaderEdits;
use crate::stream::Stream;
use crate::token::acl::Acl;
use crate::url::Base;

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

/// Decides from a response's headers. `hold`: its headers may be held.
///
/// # Errors
/// Why it cannot be served.
pub fn plan(
    stream: &Stream,
    policy: &Policy,
    headers: &[Header],
    end_of_stream: bool,
    hold: bool,
) -> Result<Plan, Reason> {
    let status = headers::text(headers, ":status").and_then(|status| status.parse::<u16>().ok()).unwrap_or(0);
    let kind =
        if stream.kind != Kind::Playlist && headers::is_playlist_type(headers) { Kind::Playlist } else { stream.kind };
    let untouched = |edits| Ok(Plan { kind, edits, body: None, reply: None });
    // What the origin has to say may pass; the media that it might send along may not.
    let guarded = policy.encryption.is_some() && kind != Kind::Clear && !end_of_stream;
    let words = |edits| Ok(Plan { kind, edits, body: guarded.then_some(Body::Words), reply: None });
    match status {
        200..=299 => {}
        301 | 302 | 303 | 307 | 308 => return words(redirect(stream, policy, headers)),
        416 if stream.resource.range.is_some() => return Err(Reason::Byterange),
        // Conditions and ranges pass for what is served in clear; for all else they were taken out.
        304 if kind != Kind::Clear => return Err(Reason::Unasked),
        300..=599 => return words(HeaderEdits::default()),
        // An upgrade would let the origin's bytes by.
        _ => return Err(Reason::Unasked),
    }
    if stream.tentative && kind != Kind::Playlist && policy.session.on_content {
        // It was opened by an access token, if the policy wants one.
        return Err(if matches!(policy.opening(), Opening::Free) { Reason::Missing } else { Reason::Content });
    }
    if kind == Kind::Segment && !stream.certain && !stream.shares_key() {
        return Err(Reason::Session);
    }
    if stream.lacks_period && kind != Kind::Playlist {
        return Err(Reason::Parameter);
    }
    if kind == Kind::Clear && stream.resource.form != Form::Document && stream.resource.range.is_none() {
        return untouched(clear_edits(stream, policy, headers));
    }
    match status {
        204 | 205 if end_of_stream => return untouched(HeaderEdits::default()),
        204 | 205 => return Ok(Plan { kind, edits: HeaderEdits::default(), body: Some(Body::nothing()), reply: None }),
        206 if kind == Kind::Playlist || stream.resource.form == Form::Document => return Err(Reason::Unasked),
        206 if stream.resource.range.is_none() && stream.slice.and_then(|slice| slice.plaintext_last()).is_none() => {
            return Err(Reason::Unasked);
        }
        _ => {}
    }
    if headers::is_encoded(headers) {
        return Err(Reason::Encoding);
    }
    let empty = end_of_stream && !stream.head;
    if empty && headers::content_length(headers).is_ok_and(|announced| announced.is_some_and(|length| length > 0)) {
        return Err(Reason::Length);
    }
    if kind == Kind::Playlist {
        if empty {
            return Err(Reason::Playlist);
        }
        let marks = marks(stream, policy).ok_or(Reason::Missing)?;
        let master = reloads_open_sessions(stream, policy).then(|| single_variant(stream, &marks));
        let rewriter = Rewriter::new(marks);
        let length = headers::content_length(headers)?;
        let body = match master {
            _ if stream.head => None,
            Some(master) => Some(Body::Entry {
                rewriter,
                entry: Entry::default(),
                master,
                seen: Vec::new(),
                ready: Vec::new(),
                length,
                start: Start::new(hold, length),
            }),
            None => Some(Body::Playlist { rewriter, start: Start::new(hold, length) }),
        };
        return Ok(Plan { kind, edits: playlist_edits(stream, policy, headers), body, reply: None });
    }
    if stream.resource.form == Form::Document {
        let marks = marks(stream, policy).ok_or(Reason::Missing)?;
        let body = (!stream.head && !empty).then(|| Body::Document {
            marks,
            collected: Vec::new(),
            held: hold,
            complete: false,
        });
        return Ok(Plan { kind, edits: playlist_edits(stream, policy, headers), body, reply: None });
    }
    let announced = headers::content_length(headers)?;
    if let Some(slice) = stream.slice
        && let Some(part) = Part::of(slice, status, headers, announced)?
        && !empty
        && let Some(plan) = slice_plan(stream, policy, headers, slice, &part)?
    {
        return Ok(plan);
    }
    let window = match stream.resource.range {
        Some(range) => Some(Window::of_range(range, status, headers, announced, stream.head)?),
        None => announced.map(Window::whole),
    };
    let clear = kind == Kind::Clear;
    let mut edits = if clear { clear_edits(stream, policy, headers) } else { segment_edits(stream, policy, headers) };
    if let Some(window) = &window {
        let length = if clear { Some(window.left) } else { ciphertext_len(window.left) };
        edits.set.push(header("content-length", &format!("{}", length.ok_or(Reason::Length)?)));
    }
    if stream.resource.range.is_some() {
        // A resource of its own, whole.
        edits.remove.push("content-range".into());
        edits.remove.extend(headers.iter().filter(|(name, _)| headers::is_untrue(name)).map(|(name, _)| name.clone()));
        edits.set.push(header(":status", "200"));
    }
    let encryptor =
        if clear { None } else { Some(SegmentEncryptor::new(&stream.content_key(policy).ok_or(Reason::Missing)?)) };
    if empty {
        if stream.resource.range.is_some() {
            return Err(Reason::Byterange);
        }
        return empty_segment(encryptor, headers, edits, kind);
    }
    let body = (!stream.head).then(|| Body::Segment {
        encryptor: encryptor.map(shared),
        window,
        padded: true,
        slice: None,
        complete: false,
    });
    Ok(Plan { kind, edits, body, reply: None })
}

/// Answers a slice of the ciphertext: 206, or 416 if it lies beyond the end. `None`: the client gets all of it.
fn slice_plan(
    stream: &Stream,
    policy: &Policy,
    headers: &[Header],
    slice: Slice,
    part: &Part,
) -> Result<Option<Plan>, Reason> {
    let kind = stream.kind;
    let mut edits = segment_edits(stream, policy, headers);
    let (first, last, length) = match slice.resolve(part.total, part.length) {
        Place::Part { first, last, length } => (first, last, length),
        // The beginning alone is not the whole; no slice that the origin is asked for a part for wastes so much.
        Place::Whole if part.length < part.total => return Err(Reason::Unasked),
        Place::Whole => return Ok(None),
        Place::Beyond { length } => {
            let headers = alloc::vec![header("content-range", &format!("bytes */{length}"))];
            let reply = Reply { status: 416, headers, body: Vec::new(), reason: None };
            return Ok(Some(Plan { kind, edits, body: None, reply: Some(reply) }));
        }
    };
    let served = last.saturating_sub(first).saturating_add(1);
    edits.set.push(header(":status", "206"));
    edits.set.push(header("content-range", &format!("bytes {first}-{last}/{length}")));
    edits.set.push(header("content-length", &format!("{served}")));
    let key = stream.content_key(policy).ok_or(Reason::Missing)?;
    let body = Body::Segment {
        encryptor: Some(shared(SegmentEncryptor::new(&key))),
        window: Some(Window::whole(part.length)),
        padded: part.length == part.total,
        slice: Some(Window { skip: first, left: served, more: true }),
        complete: false,
    };
    Ok(Some(Plan { kind, edits, body: Some(body), reply: None }))
}

fn shared(encryptor: SegmentEncryptor) -> SharedEncryptor {
    Rc::new(RefCell::new(encryptor))
}

/// No body callback comes for an empty body, and the padding block must go out: it is an answer of ours.
fn empty_segment(
    encryptor: Option<SegmentEncryptor>,
    headers: &[Header],
    edits: HeaderEdits,
    kind: Kind,
) -> Result<Plan, Reason> {
    let mut body = Output::default();
    if let Some(mut encryptor) = encryptor {
        encryptor.finish(&mut body);
    }
    let kept = headers::first(headers, "content-type").map(|value| ("content-type".into(), value.to_vec()));
    let cache_control = edits.set.into_iter().filter(|(name, _)| name == "cache-control");
    let headers = kept.into_iter().chain(cache_control).collect();
    let reply = Reply { status: 200, headers, body: body.into_vec(), reason: None };
    Ok(Plan { kind, edits: HeaderEdits::default(), body: None, reply: Some(reply) })
}

/// Whether reloads of this very URL would each open another session.
fn reloads_open_sessions(stream: &Stream, policy: &Policy) -> bool {
    stream.opened && policy.session.transport.in_query() && policy.session.wrap_live_playlists
}

/// A master playlist with one variant: the playlist that was asked for, under the session's token.
fn single_variant(stream: &Stream, marks: &Marks) -> Vec<u8> {
    // BANDWIDTH is required and not known; with one variant nothing is chosen by it.
    let mut master = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n".to_vec();
    let query = stream.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    marks.push(&mut master, format!("{}{query}", stream.raw_path).as_bytes(), Lead::Sibling);
    master.push(b'\n');
    master
}

/// What a playlist of this stream is rewritten with; `None` without a session.
fn marks(stream: &Stream, policy: &Policy) -> Option<Marks> {
    let session = stream.session.as_ref()?;
    let encryption = match &policy.encryption {
        None => None,
        Some(encryption) => Some(Encryption {
            scope: stream.playlist_keys.clone()?,
            source: key_source(stream, policy, encryption, session)?,
            rotation: encryption.rotation,
            iv_mode: encryption.iv_mode,
            on_encrypted_origin: encryption.on_encrypted_origin,
        }),
    };
    // With cookies, media under a shared key needs no reference: any session that covers it will do.
    let shared = stream.playlist_keys.as_ref().is_some_and(|scope| !matches!(scope, KeyScope::Session(_)));
    Some(Marks {
        base: Base::new(stream.scheme, &stream.authority, &stream.raw_path, &policy.session.hosts),
        token: stream.token_parameter(policy),
        token_on_content: policy.session.on_content && (policy.session.transport.in_query() || !shared),
        acl: Acl::parse(session.acl()),
        session: policy.session.on_content.then_some(session.id),
        ours: ours(policy).into_iter().map(Into::into).collect(),
        keyring: policy.keyrings.get(session.keyring)?.clone(),
        encryption,
        variables: Variables::new(stream.query.clone(), stream.imports.clone()),
        unservable: Rc::clone(&stream.unservable),
    })
}

/// Where players of this stream get its keys.
fn key_source(
    stream: &Stream,
    policy: &Policy,
    encryption: &encryption::Encryption,
    session: &Session,
) -> Option<KeySource> {
    let id = session.id_text();
    Some(match &encryption.keys {
        Keys::Endpoint { path, .. } => {
            KeySource::Endpoint { path: path.to_string(), policy: policy.name.clone(), session: id }
        }
        Keys::External { url, .. } => KeySource::External(url.filled(&Values {
            session: &id,
            stream: stream.directory.as_deref(),
            secret: policy.keyrings.get(session.keyring)?.secret_id(),
            token: &session.query_value(),
        })),
    })
}

fn playlist_edits(stream: &Stream, policy: &Policy, headers: &[Header]) -> HeaderEdits {
    let mut edits = without_untrue(headers);
    edits.remove.push("content-length".into());
    edits.set.push(header("cache-control", "private, no-store"));
    edits.add.extend(stream.session_cookies(policy));
    edits
}

fn segment_edits(stream: &Stream, policy: &Policy, headers: &[Header]) -> HeaderEdits {
    let mut edits = without_untrue(headers);
    // The same for everyone, whether it comes from here or from a cache.
    if !policy.session.on_content && stream.shares_key() {
        return edits;
    }
    // A URL that does not say which session it is of is the same in every one, and what one left in a cache does not
    // decrypt in another.
    let distinct = stream.named || stream.shares_key();
    let cache_control = match (distinct, headers::max_age(headers)) {
        (false, _) => "private, no-store".into(),
        (true, Some(seconds)) => {
            format!("private, max-age={}", seconds.min(stream.time_left()))
        }
        (true, None) => "private".into(),
    };
    edits.set.push(header("cache-control", &cache_control));
    edits
}

/// What is served in clear is the origin's own, but for the token that let it out.
fn clear_edits(stream: &Stream, policy: &Policy, headers: &[Header]) -> HeaderEdits {
    let mut edits = HeaderEdits::default();
    if !policy.session.on_content {
        return edits;
    }
    edits.remove.extend(headers.iter().filter(|(name, _)| is_for_shared_caches(name)).map(|(name, _)| name.clone()));
    let cache_control = match headers::max_age(headers) {
        Some(seconds) => format!("private, max-age={}", seconds.min(stream.time_left())),
        None => "private".into(),
    };
    edits.set.push(header("cache-control", &cache_control));
    edits
}

fn is_for_shared_caches(name: &str) -> bool {
    name == "surrogate-control" || name == "expires" || name.ends_with("cdn-cache-control")
}

fn without_untrue(headers: &[Header]) -> HeaderEdits {
    let mut remove: Vec<String> = Vec::new();
    for (name, _) in headers.iter().filter(|(name, _)| headers::is_untrue(name)) {
        if !remove.contains(name) {
            remove.push(name.clone());
        }
    }
    HeaderEdits { remove, ..HeaderEdits::default() }
}
