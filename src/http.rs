//! One HTTP context around one [`Exchange`]: carries out its steps, decides nothing.

use std::rc::Rc;

use playlock_core::bytes::output::Output;
use playlock_core::exchange::Exchange;
use playlock_core::http::reply::{Header, Reply};
use playlock_core::policy::Policies;
use playlock_core::step::{BodyStep, HeadStep, HeaderEdits, Request, RequestStep, TrailersStep};

use crate::contexts;
use crate::host::{self, Map};
use crate::metrics::{Ended, Metrics};
use crate::worker::Worker;

/// What a callback answers, by its number in the ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Action {
    /// Go on.
    Continue = 0,
    /// Stop here.
    Pause = 1,
}

/// One request and its response.
pub struct Http {
    id: u32,
    policies: Option<Rc<Policies>>,
    metrics: Rc<Metrics>,
    worker: Rc<Worker>,
    exchange: Option<Exchange>,
    /// The origin is answering.
    active: bool,
    origin_error: bool,
    /// Bytes of media that came to be encrypted.
    encrypted: u64,
    /// Nanoseconds spent here so far, of a request that is timed.
    spent: Option<u64>,
}

/// One request in so many is timed.
const TIMED: u32 = 16;

impl Http {
    /// A context for the next request. Without policies, which the host does not do, every request is refused.
    pub fn new(id: u32, policies: Option<Rc<Policies>>, metrics: Rc<Metrics>, worker: Rc<Worker>) -> Self {
        let spent = id.is_multiple_of(TIMED).then_some(0);
        Self { id, policies, metrics, worker, exchange: None, active: false, origin_error: false, encrypted: 0, spent }
    }

    /// `None` if the host has not given what no request can be decided without: policies, a clock, random bytes.
    fn open(&self, headers: &[Header], end_of_stream: bool) -> Option<(Exchange, RequestStep)> {
        let policies = self.policies.as_ref()?;
        let now = host::now()?;
        let (client, route_policy) = (&host::client, &host::route_policy);
        let request = Request { headers, client, route_policy, now, end_of_stream };
        let mut failed = false;
        let opened = Exchange::open(policies, &request, &mut || {
            host::random().unwrap_or_else(|| {
                failed = true;
                [0; 16]
            })
        });
        // A session whose id anyone can guess must not exist.
        if failed { None } else { Some(opened) }
    }

    fn log_facts(&self) {
        for (name, value) in self.exchange.iter().flat_map(Exchange::log_fields) {
            host::set_filter_state(name, &value);
        }
    }

    fn reply(&self, reply: &Reply) -> Action {
        self.log_facts();
        host::reply(reply);
        Action::Pause
    }

    /// Response headers that are not as they should be must not go out.
    fn let_go(&self, edits: &HeaderEdits, action: Action) -> Action {
        if !host::edit_headers(Map::Response, edits) {
            return self.reset();
        }
        self.log_facts();
        action
    }

    /// Answers once it is known whether it may.
    pub fn answered(&mut self, status: Option<u16>) -> Action {
        match self.exchange.as_mut().map(|exchange| exchange.on_answer(status)) {
            Some(reply) => self.reply(&reply),
            None => Action::Pause,
        }
    }

    fn reset(&self) -> Action {
        self.log_facts();
        host::reset_response();
        // With Continue, Envoy crashes.
        Action::Pause
    }
}

/// The host deletes the context when the stream is over, however it ended.
impl Drop for Http {
    fn drop(&mut self) {
        self.worker.forget(self.id);
        if self.active {
            self.metrics.count_active(-1);
        }
    }
}

impl Http {
    /// The request's headers have come; `end_of_stream`: and nothing follows them.
    pub fn on_request_headers(&mut self, end_of_stream: bool) -> Action {
        let Some((exchange, step)) = self.open(&host::headers(Map::Request), end_of_stream) else {
            let reply = Reply { status: 500, headers: Vec::new(), body: Vec::new(), reason: None };
            return self.reply(&reply);
        };
        self.exchange = Some(exchange);
        match step {
            RequestStep::Forward(edits) => {
                if !host::edit_headers(Map::Request, &edits) {
                    return self.reset();
                }
                self.active = self.exchange.as_ref().is_some_and(Exchange::awaits_response);
                if self.active {
                    self.metrics.count_active(1);
                } else {
                    self.log_facts();
                }
                Action::Continue
            }
            RequestStep::Reply(reply) => self.reply(&reply),
            RequestStep::Ask(call) if host::ask(self.id, &call) => Action::Pause,
            RequestStep::Ask(_) => self.answered(None),
        }
    }

    /// The response's headers have come.
    pub fn on_response_headers(&mut self, end_of_stream: bool) -> Action {
        let Some(exchange) = self.exchange.as_mut().filter(|exchange| exchange.reads_response()) else {
            return Action::Continue;
        };
        let headers = host::headers(Map::Response);
        self.origin_error = headers.iter().any(|(name, value)| name == ":status" && value.starts_with(b"5"));
        match exchange.on_response_head(&headers, end_of_stream) {
            HeadStep::Forward(edits) => self.let_go(&edits, Action::Continue),
            HeadStep::Hold(edits) => self.let_go(&edits, Action::Pause),
            HeadStep::Reply(reply) => self.reply(&reply),
        }
    }

    /// More of the response's body has come.
    pub fn on_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        let Some(exchange) = &mut self.exchange else { return Action::Continue };
        if exchange.passes_body() {
            return Action::Continue;
        }
        // Bytes that we do not get, or cannot replace, must not go out.
        let Some(chunk) = host::body(size) else { return self.reset() };
        if exchange.encrypts() {
            self.encrypted = self.encrypted.saturating_add(chunk.len() as u64);
        }
        let action = match self.worker.on_body(exchange, chunk, end_of_stream, self.id) {
            BodyStep::Forward => Action::Continue,
            BodyStep::Replace(out) if self.worker.replace_body(self.id, size, &out) => Action::Continue,
            BodyStep::Whole(out) if host::set_length(out.len()) && host::replace_body(size, &out) => Action::Continue,
            BodyStep::Hold if host::replace_body(size, &Output::default()) => Action::Pause,
            BodyStep::Replace(_) | BodyStep::Whole(_) | BodyStep::Hold => self.reset(),
            BodyStep::Reply(reply) => self.reply(&reply),
            BodyStep::Reset(_) => self.reset(),
        };
        self.worker.release(Some(self.id));
        // The host ends a stream that has no room for what it was given.
        if contexts::is_alive(self.id) { action } else { Action::Pause }
    }

    /// The response's trailers have come.
    pub fn on_response_trailers(&mut self) -> Action {
        match self.exchange.as_mut().map(Exchange::on_trailers) {
            None => Action::Continue,
            Some(TrailersStep::Forward) if self.worker.finish_body(self.id) => Action::Continue,
            Some(TrailersStep::Forward | TrailersStep::Reset(_)) => self.reset(),
        }
    }

    /// The stream is over.
    pub fn on_log(&mut self) {
        if let Some(exchange) = &self.exchange {
            self.metrics.count(&Ended {
                policy: exchange.policy(),
                kind: exchange.kind(),
                verdict: exchange.verdict(),
                reason: exchange.reason(),
                encrypted: self.encrypted,
                origin_error: self.origin_error,
                unservable: exchange.unservable(),
            });
        }
        self.spent.into_iter().for_each(|nanoseconds| self.metrics.time(nanoseconds));
    }

    /// When a callback begins, if this request is timed: nanoseconds since the epoch.
    pub fn begins(&self) -> Option<u64> {
        self.spent.map(|_| host::nanoseconds())
    }

    /// The callback that began then has ended.
    pub fn ends(&mut self, began: Option<u64>) {
        if let (Some(spent), Some(began)) = (&mut self.spent, began) {
            *spent = spent.saturating_add(host::nanoseconds().saturating_sub(began));
        }
    }
}
