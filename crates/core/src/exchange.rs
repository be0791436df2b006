//! The state machine of one request and its response.

use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::http::headers;
use crate::http::incoming::RequestHead;
use crate::http::reply::{Header, Reason, Reply};
use crate::http::route::Kind;
use crate::media::batch::{Batch, StreamId};
use crate::playlist::Unservable;
use crate::policy::authorizer;
use crate::policy::cors;
use crate::policy::{Policies, PolicyIndex};
use crate::request::check::Observer;
use crate::request::pending::PendingRequest;
use crate::request::{self, Admitted, AdmittedKey};
use crate::response::body::{Body, Pushed};
use crate::response::{self, Plan};
use crate::step::{BodyStep, HeadStep, HeaderEdits, Request, RequestStep, TrailersStep};

/// How an exchange stands, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was let through, or answered.
    Allowed,
    /// It was refused by an answer of ours.
    Refused,
    /// Its response was broken off.
    Broken,
}

impl Verdict {
    /// All of them, in the order of [`Verdict::index`].
    pub const ALL: &[Self] = &[Self::Allowed, Self::Refused, Self::Broken];

    /// Its word in counters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Broken => "broken",
        }
    }

    /// Its place in [`Verdict::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// One request and its response.
#[derive(Debug)]
pub struct Exchange {
    policies: Rc<Policies>,
    state: State,
    request_id: Option<Vec<u8>>,
    kind: Kind,
    policy: Option<PolicyIndex>,
    session: Option<String>,
    reason: Option<Reason>,
    /// The request has the media type of gRPC, which proxies write their replies in.
    grpc: bool,
    /// The status of our own answer.
    answered: Option<u16>,
    /// What pages on other sites are told, with whatever answer.
    cors: Vec<Header>,
    unservable: Option<Rc<Unservable>>,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one of these per exchange; a box would only add an allocation")]
enum State {
    /// Nothing (more) to do: not covered, or our own answer on its way out.
    Idle,
    /// Whether this answer may go out is being asked.
    Asking(Reply),
    /// The request is with the origin.
    Asked(PendingRequest),
    /// The response's body is coming.
    Body(Body),
    /// The response has been broken off.
    Broken(Reason),
}

impl Exchange {
    /// Decides on a request. `random` is called at most once, when a session is opened.
    pub fn open(
        policies: &Rc<Policies>,
        request: &Request<'_>,
        random: &mut dyn FnMut() -> [u8; 16],
    ) -> (Self, RequestStep) {
        Self::open_observed(policies, request, random, &mut ())
    }

    /// [`Exchange::open`] with an observer of its checks.
    pub fn open_observed(
        policies: &Rc<Policies>,
        request: &Request<'_>,
        random: &mut dyn FnMut() -> [u8; 16],
        observer: &mut dyn Observer,
    ) -> (Self, RequestStep) {
        let head = RequestHead::read(request);
        let mut exchange = Self {
            policies: Rc::clone(policies),
            state: State::Idle,
            request_id: head.request_id.map(<[u8]>::to_vec),
            kind: Kind::Unknown,
            policy: None,
            session: None,
            reason: None,
            grpc: head.grpc,
            answered: None,
            cors: Vec::new(),
            unservable: None,
        };
        let admitted = request::admit(policies, &head, random, observer);
        exchange.policy = match &admitted {
            Ok(Admitted::Pass) => None,
            Ok(Admitted::Key(AdmittedKey { policy, .. }) | Admitted::Preflight { policy, .. }) => Some(*policy),
            Ok(Admitted::Pending(pending, _)) => Some(pending.policy),
            Err(refused) => refused.policy,
        };
        // A page must be able to read also what was refused before its policy was known.
        let policy =
            exchange.policy.and_then(|index| policies.get(index)).or_else(|| request::policy_for_cors(policies, &head));
        exchange.cors =
            policy.and_then(|policy| policy.cors.as_ref()).map(|cors| cors.headers(&head)).unwrap_or_default();
        let step = match admitted {
            Ok(Admitted::Pass) => {
                exchange.kind = Kind::Pass;
                RequestStep::Forward(HeaderEdits::default())
            }
            Ok(Admitted::Key(AdmittedKey { session, reply, ask, .. })) => {
                exchange.kind = Kind::Key;
                exchange.session = Some(session.id_text());
                let reply = exchange.with_cors(reply);
                match ask {
                    None => RequestStep::Reply(reply),
                    Some(call) => {
                        exchange.state = State::Asking(reply);
                        RequestStep::Ask(call)
                    }
                }
            }
            Ok(Admitted::Preflight { reply, .. }) => {
                exchange.kind = Kind::Preflight;
                RequestStep::Reply(exchange.with_cors(reply))
            }
            Ok(Admitted::Pending(pending, edits)) => {
                exchange.kind = pending.kind();
                exchange.session = pending.session.as_ref().map(|pending| pending.session.id_text());
                exchange.state = State::Asked(pending);
                RequestStep::Forward(edits)
            }
            Err(refused) => {
                exchange.kind = refused.kind;
                RequestStep::Reply(exchange.refusal_to(refused.denied.reason, refused.denied.redirect.as_deref()))
            }
        };
        if let RequestStep::Reply(reply) = &step {
            exchange.answered = Some(reply.status);
        }
        (exchange, step)
    }

    /// Decides when what [`RequestStep::Ask`] asked for is answered: `status` is the answer's, `None` if it could not be
    /// asked.
    pub fn on_answer(&mut self, status: Option<u16>) -> Reply {
        let State::Asking(reply) = core::mem::replace(&mut self.state, State::Idle) else {
            return self.refusal(Reason::Unanswered);
        };
        match authorizer::verdict(status) {
            Ok(()) => reply,
            Err(reason) => self.refusal(reason),
        }
    }

    /// Decides on a response when its headers (`:status` among them) have come. `end_of_stream`: no body follows.
    pub fn on_response_head(&mut self, headers: &[Header], end_of_stream: bool) -> HeadStep {
        let State::Asked(pending) = core::mem::replace(&mut self.state, State::Idle) else {
            return HeadStep::Forward(self.as_answered(headers));
        };
        let Some(policy) = self.policies.get(pending.policy) else {
            return HeadStep::Reply(self.refusal(Reason::Unassigned));
        };
        let hold = self.policies.hold_headers && !end_of_stream;
        self.unservable = Some(Rc::clone(&pending.playlist.unservable));
        match response::plan(&pending, policy, headers, end_of_stream, hold) {
            Ok(Plan { kind, mut edits, body, reply }) => {
                self.kind = kind;
                if let Some(reply) = reply {
                    return HeadStep::Reply(self.with_cors(reply));
                }
                cors::edit(&mut edits, headers, &self.cors);
                let held = body.as_ref().is_some_and(Body::is_held);
                self.state = body.map_or(State::Idle, State::Body);
                if held { HeadStep::Hold(edits) } else { HeadStep::Forward(edits) }
            }
            Err(reason) => HeadStep::Reply(self.refusal(reason)),
        }
    }

    /// Whether the origin's response is waited for: not where nothing is covered, nor behind an answer of ours.
    pub fn awaits_response(&self) -> bool {
        matches!(self.state, State::Asked(_))
    }

    /// Whether [`Exchange::on_response_head`] has anything to decide: the origin's response, or our own answer on its way
    /// out if the proxy has made one of gRPC's of it.
    pub fn reads_response(&self) -> bool {
        self.awaits_response() || (self.grpc && self.answered.is_some())
    }

    /// The edits that restore our own answer, which has come back as one of gRPC's. Its body is gone.
    fn as_answered(&self, headers: &[Header]) -> HeaderEdits {
        let mut edits = HeaderEdits::default();
        if let Some(status) = self.answered.filter(|_| headers::first(headers, "grpc-status").is_some()) {
            edits.remove.extend(["content-type", "grpc-status", "grpc-message"].map(Into::into));
            edits.set.push((":status".into(), status.to_string().into_bytes()));
        }
        edits
    }

    /// Whether [`Exchange::on_body`] would let every chunk go as it is, so that its bytes need not be fetched.
    pub fn passes_body(&self) -> bool {
        matches!(self.state, State::Idle | State::Asking(_) | State::Asked(_))
    }

    /// Whether [`Exchange::on_body`] would encrypt a chunk.
    pub fn encrypts(&self) -> bool {
        matches!(&self.state, State::Body(body) if body.encrypts())
    }

    /// Decides on the next chunk of the response's body.
    pub fn on_body(&mut self, chunk: Vec<u8>, end_of_stream: bool) -> BodyStep {
        self.on_body_among(chunk, end_of_stream, 0, &mut Batch::default())
    }

    /// [`Exchange::on_body`] for one `stream` of several whose chunks may be encrypted together. What has become ready
    /// of the others is in `batch` afterwards.
    pub fn on_body_among(
        &mut self,
        chunk: Vec<u8>,
        end_of_stream: bool,
        stream: StreamId,
        batch: &mut Batch,
    ) -> BodyStep {
        match &mut self.state {
            State::Idle | State::Asking(_) | State::Asked(_) => BodyStep::Forward,
            State::Broken(reason) => BodyStep::Reset(*reason),
            State::Body(body) => {
                let held = body.is_held();
                match body.push(chunk, end_of_stream, stream, batch) {
                    Ok(Pushed::Last(out)) if held => BodyStep::Whole(out),
                    Ok(Pushed::Out(out) | Pushed::Last(out)) => BodyStep::Replace(out),
                    Ok(Pushed::Kept) => BodyStep::Hold,
                    Err(reason) if held => {
                        self.state = State::Idle;
                        BodyStep::Reply(self.refusal(reason))
                    }
                    Err(reason) => {
                        batch.forget(stream);
                        self.broken(reason);
                        BodyStep::Reset(reason)
                    }
                }
            }
        }
    }

    /// Decides when trailers come; no chunk had `end_of_stream` then, and nothing can be added to the body.
    pub fn on_trailers(&mut self) -> TrailersStep {
        match &self.state {
            State::Idle | State::Asking(_) | State::Asked(_) => TrailersStep::Forward,
            State::Broken(reason) => TrailersStep::Reset(*reason),
            State::Body(body) => match body.is_complete() {
                true => TrailersStep::Forward,
                false => {
                    self.broken(Reason::Trailers);
                    TrailersStep::Reset(Reason::Trailers)
                }
            },
        }
    }

    /// What kind of exchange this is, as far as is known.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The number of its policy, if that is known.
    pub fn policy(&self) -> Option<PolicyIndex> {
        self.policy
    }

    /// How it stands.
    pub fn verdict(&self) -> Verdict {
        match (&self.state, self.reason) {
            (State::Broken(_), _) => Verdict::Broken,
            (_, Some(_)) => Verdict::Refused,
            (_, None) => Verdict::Allowed,
        }
    }

    /// Why it was refused or broken off.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// URIs of its playlist that nobody will get.
    pub fn unservable(&self) -> Option<&Unservable> {
        self.unservable.as_deref().filter(|unservable| unservable.count() > 0)
    }

    /// What the access log says of this exchange so far, as name and word: `kind`, `policy`, `session`, `reason`.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let policy = self.policy.and_then(|index| self.policies.get(index));
        let mut facts = Vec::with_capacity(4);
        facts.push(("kind", self.kind.word().into()));
        facts.extend(policy.map(|policy| ("policy", policy.name.clone())));
        facts.extend(self.session.iter().map(|session| ("session", session.clone())));
        facts.extend(self.reason.map(|reason| ("reason", reason.word().into())));
        facts
    }

    fn refusal(&mut self, reason: Reason) -> Reply {
        self.refusal_to(reason, None)
    }

    /// A refusal that sends the client to `redirect`.
    fn refusal_to(&mut self, reason: Reason, redirect: Option<&str>) -> Reply {
        self.reason = Some(reason);
        self.with_cors(Reply::refusal(reason, redirect, self.request_id.as_deref()))
    }

    fn with_cors(&self, mut reply: Reply) -> Reply {
        reply.headers.extend_from_slice(&self.cors);
        reply
    }

    fn broken(&mut self, reason: Reason) {
        self.reason = Some(reason);
        self.state = State::Broken(reason);
    }
}
