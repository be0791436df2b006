//! The state machine of one request and its response.

mod collected;
mod facts;
mod verdict;

pub use self::verdict::Verdict;

use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::http::headers;
use crate::http::incoming::RequestHead;
use crate::http::reply::{Header, Reason, Reply};
use crate::http::route::Kind;
use crate::media::batch::{Batch, StreamId};
use crate::playlist::Unservable;
use crate::policy::authorizer::{self, OnUnavailable, Permission};
use crate::policy::{Policies, PolicyIndex, cors};
use crate::request::chained::ChainedRequest;
use crate::request::check::Observer;
use crate::request::collecting::Collecting;
use crate::request::pending::PendingRequest;
use crate::request::{self, Admitted, AdmittedKey};
use crate::response::body::OriginFault;
use crate::response::body::{Body, Pushed};
use crate::response::{self, Plan};
use crate::step::{BodyStep, HeadStep, HeaderEdits, Request, RequestStep, TrailersStep};

/// One request and its response.
#[derive(Debug)]
pub struct Exchange {
    policies: Rc<Policies>,
    state: State,
    request_id: Option<Vec<u8>>,
    kind: Kind,
    policy: Option<PolicyIndex>,
    session: Option<String>,
    /// Name of the packager that asks for keys.
    requester: Option<String>,
    reason: Option<Reason>,
    fault: Option<OriginFault>,
    /// The response has keys that the authorizer has not decided on.
    unauthorized: bool,
    /// The request has a gRPC media type; proxies convert local replies to such requests to gRPC.
    grpc: bool,
    /// The target of a request that is answered here, without the token in its path; `None` if it had none.
    plain_target: Option<String>,
    /// The policy that the proxy's route named, if the proxy chose it by a path with a token and will choose it anew.
    route_policy: Option<Option<Vec<u8>>>,
    /// The status of the filter's own response, if it sent one.
    answered: Option<u16>,
    /// CORS headers for every response to this request.
    cors: Vec<Header>,
    unservable: Option<Rc<Unservable>>,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one of these per exchange; a box would only add an allocation")]
enum State {
    /// Nothing left to do: the request is not covered, was answered here, or its response body passes unchanged.
    Idle,
    /// The authorizer is being asked whether this key response may be sent; its handling without a decision.
    Asking(Reply, OnUnavailable),
    /// The request's body is awaited.
    Collecting(Collecting),
    /// The request was forwarded to the origin; its response is pending.
    Asked(PendingRequest),
    /// As [`State::Asked`], for a request whose signed token is renewed with the response.
    Chained(ChainedRequest),
    /// The response body is being processed.
    Body(Body),
    /// The response was reset.
    Broken(Reason),
}

impl Exchange {
    /// Decides whether a request is admitted.
    ///
    /// `random` supplies 16 random bytes. It is called when a session is opened, and for keys that a packager wants
    /// encrypted.
    pub fn open(
        policies: &Rc<Policies>,
        request: &Request<'_>,
        random: &mut dyn FnMut() -> [u8; 16],
    ) -> (Self, RequestStep) {
        Self::open_observed(policies, request, random, &mut ())
    }

    /// [`Exchange::open`], reporting each check to `observer`.
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
            requester: None,
            reason: None,
            fault: None,
            unauthorized: false,
            grpc: head.grpc,
            plain_target: None,
            route_policy: None,
            answered: None,
            cors: Vec::new(),
            unservable: None,
        };
        if let Some(opened) = request::speke::open(policies, &head, random) {
            let step = exchange.begin_speke(opened);
            observer.speke(exchange.reason);
            return (exchange, step);
        }
        let admitted = request::admit(policies, &head, random, observer);
        exchange.policy = match &admitted {
            Ok(Admitted::Pass) => None,
            Ok(
                Admitted::Key(AdmittedKey { policy, .. })
                | Admitted::Preflight { policy, .. }
                | Admitted::Redirected { policy, .. },
            ) => Some(*policy),
            Ok(Admitted::License(request)) => Some(request.policy),
            Ok(Admitted::Pending(pending, _)) => Some(pending.policy),
            Ok(Admitted::Chained(chained, _)) => Some(chained.policy()),
            Err(refused) => refused.policy,
        };
        // Pages must be able to read a refusal even if it came before the policy was known.
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
                    Some(inquiry) => {
                        exchange.state = State::Asking(reply, inquiry.on_unavailable);
                        RequestStep::Ask(inquiry.call)
                    }
                }
            }
            Ok(Admitted::License(request)) => exchange.begin_license(request),
            Ok(Admitted::Preflight { reply, .. }) => {
                exchange.kind = Kind::Preflight;
                RequestStep::Reply(exchange.with_cors(reply))
            }
            Ok(Admitted::Redirected { session, reply, .. }) => {
                exchange.kind = Kind::Playlist;
                exchange.session = Some(session.id_text());
                RequestStep::Reply(exchange.with_cors(reply))
            }
            Ok(Admitted::Pending(pending, edits)) => {
                exchange.kind = pending.kind();
                exchange.session = pending.session.as_ref().map(|pending| pending.session.id_text());
                exchange.state = State::Asked(pending);
                RequestStep::Forward(edits)
            }
            Ok(Admitted::Chained(chained, edits)) => {
                exchange.kind = chained.kind();
                exchange.state = State::Chained(chained);
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
        if !matches!(step, RequestStep::Forward(_)) {
            exchange.plain_target = request::plain_target(policies, &head);
        } else if policies.route_policy && request::plain_target(policies, &head).is_some() {
            exchange.route_policy = Some(head.route_policy().map(Into::into));
        }
        (exchange, step)
    }

    /// The target that the access log must show for a request that is answered here: the token in its path is a secret.
    /// `None` if it had none.
    pub fn plain_target(&self) -> Option<&str> {
        self.plain_target.as_deref()
    }

    /// Resumes after the response to [`RequestStep::Ask`]. `status` is its status, `None` if the call failed.
    pub fn on_answer(&mut self, status: Option<u16>) -> Reply {
        let State::Asking(reply, on_unavailable) = core::mem::replace(&mut self.state, State::Idle) else {
            return self.refusal(Reason::Unanswered);
        };
        match authorizer::verdict(status, on_unavailable) {
            Ok(permission) => {
                self.unauthorized = permission == Permission::Unauthorized;
                reply
            }
            Err(reason) => self.refusal(reason),
        }
    }

    /// Confirms the policy when the origin's response headers have arrived: `ask` is [`Attributes::route_policy`] again.
    /// By then the proxy has chosen its route by the target without the token. A client can make up the target that the
    /// first choice was made by, so the response is refused if the two routes name different policies.
    ///
    /// [`Attributes::route_policy`]: crate::step::Attributes::route_policy
    pub fn confirm_route(&mut self, ask: &dyn Fn() -> Option<Vec<u8>>) -> Option<Reply> {
        let named = self.route_policy.take()?;
        if named == ask() {
            return None;
        }
        self.state = State::Idle;
        Some(self.refusal(Reason::Route))
    }

    /// Decides on the origin's response headers, which include `:status`. `end_of_stream`: there is no body.
    pub fn on_response_head(&mut self, headers: &[Header], end_of_stream: bool) -> HeadStep {
        let pending = match core::mem::replace(&mut self.state, State::Idle) {
            State::Asked(pending) => pending,
            State::Chained(chained) => return self.on_chained_head(&chained, headers),
            _ => return HeadStep::Forward(self.as_answered(headers)),
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

    /// Decides on the origin's response headers to a request whose signed token is renewed.
    fn on_chained_head(&mut self, chained: &ChainedRequest, headers: &[Header]) -> HeadStep {
        let policy = self.policies.get(chained.policy()).ok_or(Reason::Unassigned);
        match policy.and_then(|policy| response::renew(chained, policy, headers)) {
            Ok(mut edits) => {
                cors::edit(&mut edits, headers, &self.cors);
                HeadStep::Forward(edits)
            }
            Err(reason) => HeadStep::Reply(self.refusal(reason)),
        }
    }

    /// Whether the origin's response is pending: false for requests that are not covered or were answered here.
    pub fn awaits_response(&self) -> bool {
        matches!(self.state, State::Asked(_) | State::Chained(_))
    }

    /// Whether [`Exchange::on_response_head`] has work to do: the origin's response is pending, or the proxy may have
    /// converted the filter's own response to gRPC.
    pub fn reads_response(&self) -> bool {
        self.awaits_response() || (self.grpc && self.answered.is_some())
    }

    /// The edits that restore the filter's own response after the proxy converted it to gRPC. Its body is lost.
    fn as_answered(&self, headers: &[Header]) -> HeaderEdits {
        let mut edits = HeaderEdits::default();
        if let Some(status) = self.answered.filter(|_| headers::first(headers, "grpc-status").is_some()) {
            edits.remove.extend(["content-type", "grpc-status", "grpc-message"].map(Into::into));
            edits.set.push((":status".into(), status.to_string().into_bytes()));
        }
        edits
    }

    /// Whether [`Exchange::on_body`] forwards every chunk unchanged, so that the host need not read the bytes.
    pub fn passes_body(&self) -> bool {
        !matches!(self.state, State::Body(_) | State::Broken(_))
    }

    /// Whether [`Exchange::on_body`] encrypts chunks.
    pub fn encrypts(&self) -> bool {
        matches!(&self.state, State::Body(body) if body.encrypts())
    }

    /// Processes the next chunk of the response body.
    pub fn on_body(&mut self, chunk: Vec<u8>, end_of_stream: bool) -> BodyStep {
        self.on_body_batched(chunk, end_of_stream, 0, &mut Batch::default())
    }

    /// [`Exchange::on_body`] for one of several streams whose chunks may be encrypted together. On return, `batch`
    /// holds the output that became ready for the others.
    pub fn on_body_batched(
        &mut self,
        chunk: Vec<u8>,
        end_of_stream: bool,
        stream: StreamId,
        batch: &mut Batch,
    ) -> BodyStep {
        match &mut self.state {
            State::Broken(reason) => BodyStep::Reset(*reason),
            State::Body(body) => {
                let held = body.is_held();
                match body.push(chunk, end_of_stream, stream, batch) {
                    Ok(Pushed::Last(out)) if held => BodyStep::Whole(out),
                    Ok(Pushed::Out(out) | Pushed::Last(out)) => BodyStep::Replace(out),
                    Ok(Pushed::Kept) => BodyStep::Hold,
                    Err(reason) if held => {
                        self.fault = body.fault();
                        self.state = State::Idle;
                        BodyStep::Reply(self.refusal(reason))
                    }
                    Err(reason) => {
                        self.fault = body.fault();
                        batch.forget(stream);
                        self.broken(reason);
                        BodyStep::Reset(reason)
                    }
                }
            }
            State::Idle | State::Asking(..) | State::Collecting(_) | State::Asked(_) | State::Chained(_) => {
                BodyStep::Forward
            }
        }
    }

    /// Decides on trailers. No chunk had `end_of_stream` set, and the body can no longer be extended.
    pub fn on_trailers(&mut self) -> TrailersStep {
        match &self.state {
            State::Broken(reason) => TrailersStep::Reset(*reason),
            State::Body(body) => match body.is_complete() {
                true => TrailersStep::Forward,
                false => {
                    self.broken(Reason::Trailers);
                    TrailersStep::Reset(Reason::Trailers)
                }
            },
            State::Idle | State::Asking(..) | State::Collecting(_) | State::Asked(_) | State::Chained(_) => {
                TrailersStep::Forward
            }
        }
    }

    fn refusal(&mut self, reason: Reason) -> Reply {
        self.refusal_to(reason, None)
    }

    /// A refusal, as a redirect to `redirect` if there is one.
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
