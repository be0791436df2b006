//! One HTTP context around one [`Exchange`]: carries out its steps, decides nothing.

use std::rc::Rc;

use playlock_core::config::Policies;
use playlock_core::exchange::Exchange;
use playlock_core::output::Output;
use playlock_core::reply::{Header, Reply};
use playlock_core::step::{BodyStep, HeadStep, HeaderEdits, Request, RequestStep, TrailersStep};

use crate::contexts;
use crate::host::{self, Map};
use crate::metrics::Metrics;
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
}

impl Http {
    /// A context for the next request. Without policies, which the host does not do, every request is refused.
    pub fn new(id: u32, policies: Option<Rc<Policies>>, metrics: Rc<Metrics>, worker: Rc<Worker>) -> Self {
        Self { id, policies, metrics, worker, exchange: None }
    }

    fn open(&self, headers: &[Header]) -> Option<(Exchange, RequestStep)> {
        let policies = self.policies.as_ref()?;
        let request = Request { headers, client: &host::client, route_policy: &host::route_policy, now: host::now() };
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
        for (name, value) in self.exchange.iter().flat_map(Exchange::facts) {
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
        if !host::edit_headers(Map::ResponseHeaders, edits) {
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
    }
}

impl Http {
    /// The request's headers have come.
    pub fn on_request_headers(&mut self) -> Action {
        let Some((exchange, step)) = self.open(&host::headers(Map::RequestHeaders)) else {
            let reply = Reply { status: 500, headers: Vec::new(), body: Vec::new(), reason: None };
            return self.reply(&reply);
        };
        self.exchange = Some(exchange);
        match step {
            RequestStep::Forward(edits) => {
                if !host::edit_headers(Map::RequestHeaders, &edits) {
                    return self.reset();
                }
                if !self.exchange.as_ref().is_some_and(Exchange::awaits_response) {
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
        let Some(exchange) = self.exchange.as_mut().filter(|exchange| exchange.awaits_response()) else {
            return Action::Continue;
        };
        match exchange.on_response_head(&host::headers(Map::ResponseHeaders), end_of_stream) {
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
        let action = match self.worker.on_body(exchange, chunk, end_of_stream, self.id) {
            BodyStep::Forward => Action::Continue,
            BodyStep::Replace(out) if host::replace_body(size, &out) => Action::Continue,
            BodyStep::Hold if host::replace_body(size, &Output::default()) => Action::Pause,
            BodyStep::Replace(_) | BodyStep::Hold => self.reset(),
            BodyStep::Reply(reply) => self.reply(&reply),
            BodyStep::Reset(_) => self.reset(),
        };
        self.worker.release();
        // The host ends a stream that has no room for what it was given.
        if contexts::is_alive(self.id) { action } else { Action::Pause }
    }

    /// The response's trailers have come.
    pub fn on_response_trailers(&mut self) -> Action {
        match self.exchange.as_mut().map(Exchange::on_trailers) {
            None | Some(TrailersStep::Forward) => Action::Continue,
            Some(TrailersStep::Reset(_)) => self.reset(),
        }
    }

    /// The stream is over.
    pub fn on_log(&mut self) {
        if let Some(exchange) = &self.exchange {
            self.metrics.count(exchange.kind(), exchange.reason());
        }
    }
}
