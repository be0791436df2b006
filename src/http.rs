//! One HTTP context around one [`Exchange`]: carries out its steps, decides nothing.

use std::rc::Rc;

use playlock_core::config::Policies;
use playlock_core::exchange::Exchange;
use playlock_core::reply::{Header, Reply};
use playlock_core::step::{BodyStep, HeadStep, Request, RequestStep, TrailersStep};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host::{self, Message};
use crate::metrics::Metrics;

/// One request and its response.
pub struct Http {
    policies: Option<Rc<Policies>>,
    metrics: Rc<Metrics>,
    exchange: Option<Exchange>,
}

impl Http {
    /// A context for the next request. Without policies, which the host does not do, every request is refused.
    pub fn new(policies: Option<Rc<Policies>>, metrics: Rc<Metrics>) -> Self {
        Self { policies, metrics, exchange: None }
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

    fn reset(&self) -> Action {
        self.log_facts();
        host::reset_response();
        // With Continue, Envoy crashes.
        Action::Pause
    }
}

impl Context for Http {}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let Some((exchange, step)) = self.open(&host::headers(Message::Request)) else {
            let reply = Reply { status: 500, headers: Vec::new(), body: Vec::new(), reason: None };
            return self.reply(&reply);
        };
        self.exchange = Some(exchange);
        match step {
            RequestStep::Forward(edits) => {
                host::edit_headers(Message::Request, &edits);
                if !self.exchange.as_ref().is_some_and(Exchange::awaits_response) {
                    self.log_facts();
                }
                Action::Continue
            }
            RequestStep::Reply(reply) => self.reply(&reply),
        }
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        let Some(exchange) = self.exchange.as_mut().filter(|exchange| exchange.awaits_response()) else {
            return Action::Continue;
        };
        match exchange.on_response_head(&host::headers(Message::Response), end_of_stream) {
            HeadStep::Forward(edits) => {
                host::edit_headers(Message::Response, &edits);
                self.log_facts();
                Action::Continue
            }
            HeadStep::Hold(edits) => {
                host::edit_headers(Message::Response, &edits);
                self.log_facts();
                Action::Pause
            }
            HeadStep::Reply(reply) => self.reply(&reply),
        }
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        let Some(exchange) = &mut self.exchange else { return Action::Continue };
        if exchange.passes_body() {
            return Action::Continue;
        }
        // Bytes that we do not get, or cannot replace, must not go out.
        let Some(chunk) = host::body(size) else { return self.reset() };
        match exchange.on_body(chunk, end_of_stream) {
            BodyStep::Forward => Action::Continue,
            BodyStep::Replace(bytes) if host::replace_body(size, &bytes) => Action::Continue,
            BodyStep::Replace(_) => self.reset(),
            BodyStep::Wait => Action::Pause,
            BodyStep::Reply(reply) => self.reply(&reply),
            BodyStep::Reset(_) => self.reset(),
        }
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        match self.exchange.as_mut().map(Exchange::on_trailers) {
            None | Some(TrailersStep::Forward) => Action::Continue,
            Some(TrailersStep::Reset(_)) => self.reset(),
        }
    }

    fn on_log(&mut self) {
        if let Some(exchange) = &self.exchange {
            self.metrics.count(exchange.kind(), exchange.reason());
        }
    }
}
