//! Requests of packagers to a policy's key server (SPEKE): who asks, the document that is collected, and the answer.
//!
//! They share nothing with the requests of viewers: their path belongs to the key server, sessions have no meaning there,
//! and a requester's token has none elsewhere.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use playlock_drm::Scheme;
use playlock_speke::document::limits;
use playlock_speke::request::{Endpoint, HEARTBEAT, headers as response_headers};
use playlock_speke::{Document, Request, SpekeError, Supply, Version};
use zeroize::Zeroizing;

use super::opened::Next;
use crate::bytes::bug;
use crate::http::headers;
use crate::http::incoming::RequestHead;
use crate::http::reply::{Reason, Reply, header};
use crate::policy::speke::Speke;
use crate::policy::{Policies, PolicyIndex};

/// A request for a key server, after its headers.
pub type Opened = super::opened::Opened<Collecting>;

/// A request whose body is awaited.
pub struct Collecting {
    policy: PolicyIndex,
    /// Position of the requester.
    requester: usize,
    version: Version,
    scheme: Option<Scheme>,
    body: Vec<u8>,
}

impl fmt::Debug for Collecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Collecting({:?}, {} bytes)", self.version, self.body.len())
    }
}

/// A refusal, with the words for the requester.
enum Refusal {
    /// In SPEKE's words.
    Speke(SpekeError),
    /// No token, or one of no requester.
    Unknown,
    /// Another address, or another content.
    Rights(&'static str),
    /// Something that cannot be.
    Bug,
}

impl From<SpekeError> for Refusal {
    fn from(error: SpekeError) -> Self {
        Self::Speke(error)
    }
}

/// Reads a request whose target is a key server's path as configured, or one below it; `None` for every other. `random`
/// supplies 16 random bytes.
pub fn open(policies: &Policies, head: &RequestHead<'_>, random: &mut dyn FnMut() -> [u8; 16]) -> Option<Opened> {
    if !policies.has_speke() {
        return None;
    }
    let target = core::str::from_utf8(head.raw_target?).ok()?;
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let (policy, below) = policies.speke_at(path)?;
    let speke = server(policies, policy)?;
    let mut opened = Opened { policy, path: speke.path().to_string(), requester: None, next: Next::Answer(nothing()) };
    let version = version(head);
    opened.next = match read(speke, head, below, query, &mut opened.requester) {
        Err(refusal) => Next::Answer(refused(version, &refusal, Reason::Speke)),
        Ok(None) => Next::Answer(reply(version, 200, HEARTBEAT.into(), false)),
        Ok(Some((requester, request))) => {
            let Request { version, scheme, .. } = request;
            let mut collecting = Collecting { policy, requester, version, scheme, body: Vec::new() };
            match head.bodiless {
                true => Next::Answer(collecting.finish(policies, random)),
                false => Next::Collect(collecting),
            }
        }
    };
    Some(opened)
}

/// The requester's position and the request, or nothing for a heartbeat. `name` becomes that of the requester.
fn read(
    speke: &Speke,
    head: &RequestHead<'_>,
    path: &str,
    query: Option<&str>,
    name: &mut Option<String>,
) -> Result<Option<(usize, Request)>, Refusal> {
    // A proxy turns local replies to gRPC requests into headers: no place for keys.
    if head.grpc {
        return Err(SpekeError::MediaType.into());
    }
    let method = headers::first(head.headers, ":method").and_then(|method| core::str::from_utf8(method).ok());
    let sent = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
    let request = Request::read(method.unwrap_or_default(), path, query, sent)?;
    if request.endpoint == Endpoint::Heartbeat {
        return Ok(None);
    }
    let (index, requester) =
        request.token.as_deref().and_then(|token| speke.requester(token)).ok_or(Refusal::Unknown)?;
    *name = Some(requester.name.to_string());
    if !requester.may_ask_from(head.client()) {
        return Err(Refusal::Rights("address: not one of this requester's networks"));
    }
    match headers::content_length(head.headers) {
        Ok(length) if length.is_none_or(|length| length <= limits::BODY as u64) => Ok(Some((index, request))),
        _ => Err(SpekeError::TooLarge.into()),
    }
}

impl Collecting {
    /// Takes the next bytes of the body, and returns the response if they are the last, or too many.
    pub fn push(
        &mut self,
        chunk: &[u8],
        end_of_stream: bool,
        policies: &Policies,
        random: &mut dyn FnMut() -> [u8; 16],
    ) -> Option<Reply> {
        if chunk.len() > limits::BODY.saturating_sub(self.body.len()) {
            self.body = Vec::new();
            return Some(refused(self.version, &SpekeError::TooLarge.into(), Reason::Speke));
        }
        self.body.extend_from_slice(chunk);
        end_of_stream.then(|| self.finish(policies, random))
    }

    fn finish(&mut self, policies: &Policies, random: &mut dyn FnMut() -> [u8; 16]) -> Reply {
        let body = core::mem::take(&mut self.body);
        match self.answer(&body, policies, random) {
            Ok(document) => reply(self.version, 200, document, true),
            Err(refusal) => refused(self.version, &refusal, Reason::Cpix),
        }
    }

    fn answer(
        &self,
        body: &[u8],
        policies: &Policies,
        random: &mut dyn FnMut() -> [u8; 16],
    ) -> Result<String, Refusal> {
        let speke = server(policies, self.policy).ok_or(Refusal::Bug)?;
        let requester = speke.requesters.get(self.requester).ok_or(Refusal::Bug)?;
        let document = Document::read(body, self.version)?;
        if !requester.may_have(document.content_id().as_str()) {
            return Err(Refusal::Rights("content ID: not one of this requester's"));
        }
        let mut seed = Zeroizing::new([0; 32]);
        if document.is_encrypted() {
            seed.chunks_mut(16).for_each(|half| half.copy_from_slice(&random()));
        }
        Ok(document.answer(&Supply { keys: speke, settings: &speke.settings, scheme: self.scheme, seed: &seed })?)
    }
}

fn server(policies: &Policies, policy: PolicyIndex) -> Option<&Speke> {
    policies.get(policy)?.encryption.as_ref()?.speke.as_deref()
}

/// The version that the headers of a response name: the request's, if it is one.
fn version(head: &RequestHead<'_>) -> Version {
    head.sole("x-speke-version").and_then(Version::parse).unwrap_or(Version::V1)
}

fn nothing() -> Reply {
    Reply { status: 500, headers: Vec::new(), body: Vec::new(), reason: None }
}

/// The response to a refused request; `reason` is the one for refusals in SPEKE's words.
fn refused(version: Version, refusal: &Refusal, reason: Reason) -> Reply {
    let (reason, status, words) = match refusal {
        Refusal::Speke(error) => (reason, error.status(), error.message()),
        Refusal::Unknown => (Reason::Requester, 401, "token: missing or unknown; expected a requester's".into()),
        Refusal::Rights(words) => (Reason::Rights, 403, (*words).into()),
        Refusal::Bug => (bug::instead(Reason::Speke), 500, String::new()),
    };
    let mut reply = reply(version, status, words, false);
    match status {
        // Clients with a name and a password may send them only if asked (RFC 9110, section 11.6.1).
        401 => reply.headers.push(header("www-authenticate", "Basic realm=\"SPEKE\", charset=\"UTF-8\"")),
        405 => reply.headers.push(header("allow", "POST, GET, HEAD")),
        _ => {}
    }
    reply.reason = Some(reason);
    reply
}

fn reply(version: Version, status: u16, body: String, is_answer: bool) -> Reply {
    let headers = response_headers(version, is_answer).into_iter().map(|(name, value)| header(name, value)).collect();
    Reply { status, headers, body: body.into_bytes(), reason: None }
}
