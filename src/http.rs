//! HTTP context around an [`Exchange`]: executes its steps and makes no decisions.

use std::rc::Rc;

use playlock_core::bytes::output::Output;
use playlock_core::exchange::Exchange;
use playlock_core::http::reply::{Header, Reply};
use playlock_core::policy::Policies;
use playlock_core::step::{
    Attributes, BodyStep, Call, HeadStep, HeaderEdits, Request, RequestBodyStep, RequestStep, TrailersStep,
};
use playlock_proxy_wasm::contexts::{dispatch_http_call, is_alive};
use playlock_proxy_wasm::headers::Headers;
use playlock_proxy_wasm::host::{self, Map};
use playlock_proxy_wasm::pairs::Pair;
use playlock_proxy_wasm::{Action, Http};

use crate::metrics::{Ended, Metrics};
use crate::worker::Worker;

/// A request and its response.
pub struct Context {
    id: u32,
    policies: Option<Rc<Policies>>,
    metrics: Rc<Metrics>,
    worker: Rc<Worker>,
    exchange: Option<Exchange>,
    /// Whether the origin's response is pending or in progress.
    active: bool,
    origin_error: bool,
    /// Number of media bytes received for encryption.
    encrypted: u64,
    /// Nanoseconds spent in the filter so far; `None` if this request is not timed.
    spent: Option<u64>,
}

/// One in this many requests is timed.
const TIMED: u32 = 16;

impl Context {
    /// Creates the context of a request. Without policies, which hosts never cause, every request is denied.
    pub fn new(id: u32, policies: Option<Rc<Policies>>, metrics: Rc<Metrics>, worker: Rc<Worker>) -> Self {
        let spent = id.is_multiple_of(TIMED).then_some(0);
        Self { id, policies, metrics, worker, exchange: None, active: false, origin_error: false, encrypted: 0, spent }
    }

    /// Opens the exchange; `None` if the host does not provide policies, a clock or random bytes. All of them are
    /// required.
    fn open(&self, headers: &[Header], end_of_stream: bool) -> Option<(Exchange, RequestStep)> {
        let policies = self.policies.as_ref()?;
        // In seconds. A clock at the epoch was never set. Without a clock, the validity of a token cannot be checked.
        let now = host::nanoseconds().map(|time| time / 1_000_000_000).filter(|seconds| *seconds > 0)?;
        let request = Request { headers, attributes: &HostAttributes, now, end_of_stream };
        // A session must not have a predictable id.
        unpredictable(|random| Exchange::open(policies, &request, random))
    }

    /// Runs a callback, and adds its duration if this request is timed.
    fn timed(&mut self, callback: impl FnOnce(&mut Self) -> Action) -> Action {
        let began = self.spent.and_then(|_| host::nanoseconds());
        let action = callback(self);
        if let (Some(spent), Some(began)) = (&mut self.spent, began) {
            let ended = host::nanoseconds().unwrap_or(0);
            *spent = spent.saturating_add(ended.saturating_sub(began));
        }
        action
    }

    fn on_request(&mut self, end_of_stream: bool) -> Action {
        let Some((exchange, step)) = self.open(Headers::read(Map::Request).all(), end_of_stream) else {
            return self.reply(&failure());
        };
        if let Some(target) = exchange.plain_target()
            && !host::set_header(Map::Request, ":path", target.as_bytes())
        {
            return self.reset();
        }
        self.exchange = Some(exchange);
        match step {
            RequestStep::Forward(edits) => {
                if !edit_headers(Map::Request, &edits) {
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
            RequestStep::Ask(call) if ask(self.id, &call) => Action::Pause,
            RequestStep::Ask(_) => self.answered(None),
            RequestStep::Collect => Action::Pause,
        }
    }

    /// Passes `size` bytes of the request's body to the exchange, if it collects them. The proxy's buffer, which is
    /// limited, keeps none.
    fn on_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        let Some(exchange) = &mut self.exchange else { return Action::Pause };
        if !exchange.collects() {
            return if exchange.is_answered() { Action::Pause } else { Action::Continue };
        }
        let step = host::request_body(size).filter(|_| host::drop_request_body(size)).and_then(|chunk| {
            // Nor must the keys of a document.
            unpredictable(|random| exchange.on_request_body(&chunk, end_of_stream, random))
        });
        match step {
            Some(RequestBodyStep::Hold) => Action::Pause,
            Some(RequestBodyStep::Reply(reply)) => self.reply(&reply),
            Some(RequestBodyStep::Ask(call)) if ask(self.id, &call) => Action::Pause,
            Some(RequestBodyStep::Ask(_)) => self.answered(None),
            None => self.reply(&failure()),
        }
    }

    fn on_response(&mut self, end_of_stream: bool) -> Action {
        if let Some(reply) = self.exchange.as_mut().and_then(|exchange| exchange.confirm_route(&route_policy)) {
            return self.reply(&reply);
        }
        let Some(exchange) = self.exchange.as_mut().filter(|exchange| exchange.reads_response()) else {
            return Action::Continue;
        };
        let headers = Headers::read(Map::Response);
        let is_error = |(name, value): &Header| name == ":status" && value.starts_with(b"5");
        self.origin_error = headers.all().iter().any(is_error);
        let step = exchange.on_response_head(headers.all(), end_of_stream);
        match step {
            HeadStep::Forward(edits) => self.let_go(&edits, Action::Continue),
            HeadStep::Hold(edits) => self.let_go(&edits, Action::Pause),
            HeadStep::Reply(reply) => self.reply(&reply),
        }
    }

    fn on_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        let Some(exchange) = &mut self.exchange else { return Action::Continue };
        if exchange.passes_body() {
            return Action::Continue;
        }
        // Bytes that cannot be read or replaced must not be sent.
        let Some(chunk) = host::response_body(size) else { return self.reset() };
        if exchange.encrypts() {
            self.encrypted = self.encrypted.saturating_add(chunk.len() as u64);
        }
        let action = match self.worker.on_body(exchange, chunk, end_of_stream, self.id) {
            BodyStep::Forward => Action::Continue,
            BodyStep::Replace(out) if self.worker.replace_body(self.id, size, &out) => Action::Continue,
            BodyStep::Whole(out) if replace_whole_body(size, &out) => Action::Continue,
            BodyStep::Hold if host::replace_response_body(size, [&[]; 3]) => Action::Pause,
            BodyStep::Replace(_) | BodyStep::Whole(_) | BodyStep::Hold => self.reset(),
            BodyStep::Reply(reply) => self.reply(&reply),
            BodyStep::Reset(_) => self.reset(),
        };
        self.worker.release(Some(self.id));
        // The host ends a stream if its buffer has no room for the output.
        if is_alive(self.id) { action } else { Action::Pause }
    }

    fn on_trailers(&mut self) -> Action {
        match self.exchange.as_mut().map(Exchange::on_trailers) {
            None => Action::Continue,
            Some(TrailersStep::Forward) if self.worker.finish_body(self.id) => Action::Continue,
            Some(TrailersStep::Forward | TrailersStep::Reset(_)) => self.reset(),
        }
    }

    /// Responds to a request after the authorizer's verdict; `status` is that of the authorizer's response.
    fn answered(&mut self, status: Option<u16>) -> Action {
        match self.exchange.as_mut().map(|exchange| exchange.on_answer(status)) {
            Some(reply) => self.reply(&reply),
            None => Action::Pause,
        }
    }

    fn reply(&self, reply: &Reply) -> Action {
        self.log_facts();
        host::send_response(reply.status, pairs(&reply.headers), &reply.body);
        Action::Pause
    }

    /// Applies the response header edits. Resets the response if that fails: incorrect headers must not be sent.
    fn let_go(&self, edits: &HeaderEdits, action: Action) -> Action {
        if !edit_headers(Map::Response, edits) {
            return self.reset();
        }
        self.log_facts();
        action
    }

    fn reset(&self) -> Action {
        self.log_facts();
        host::reset_response();
        // Returning Continue after a reset crashes Envoy.
        Action::Pause
    }

    /// Sets `wasm.playlock.NAME` in the filter state, for the access log.
    fn log_facts(&self) {
        for (name, value) in self.exchange.iter().flat_map(Exchange::log_fields) {
            let mut path = Vec::with_capacity(32);
            path.extend_from_slice(b"playlock.");
            path.extend_from_slice(name.as_bytes());
            host::set_property(&path, value.as_bytes());
        }
    }
}

impl Http for Context {
    fn on_request_headers(&mut self, end_of_stream: bool) -> Action {
        self.timed(|context| context.on_request(end_of_stream))
    }

    fn on_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.timed(|context| context.on_request_body(size, end_of_stream))
    }

    fn on_request_trailers(&mut self) -> Action {
        self.timed(|context| context.on_request_body(0, true))
    }

    fn on_http_call_response(&mut self, headers: &[Pair<'_>]) {
        let status = headers.iter().find(|(name, _)| *name == ":status");
        let status = status.and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok());
        self.timed(|context| context.answered(status));
    }

    fn on_response_headers(&mut self, end_of_stream: bool) -> Action {
        self.timed(|context| context.on_response(end_of_stream))
    }

    fn on_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.timed(|context| context.on_body(size, end_of_stream))
    }

    fn on_response_trailers(&mut self) -> Action {
        self.timed(Self::on_trailers)
    }

    fn on_log(&mut self) {
        if let Some(exchange) = &self.exchange {
            self.metrics.count(&Ended {
                policy: exchange.policy(),
                kind: exchange.kind(),
                verdict: exchange.verdict(),
                reason: exchange.reason(),
                encrypted: self.encrypted,
                origin_error: self.origin_error,
                unservable: exchange.unservable(),
                fault: exchange.fault(),
                unauthorized_keys: exchange.has_unauthorized_keys(),
                requester: exchange.requester(),
            });
        }
        self.spent.into_iter().for_each(|nanoseconds| self.metrics.time(nanoseconds));
    }
}

/// The host deletes the context at the end of the stream, whether complete or reset.
impl Drop for Context {
    fn drop(&mut self) {
        self.worker.forget(self.id);
        if self.active {
            self.metrics.count_active(-1);
        }
    }
}

/// The response if the host does not provide what every request needs.
fn failure() -> Reply {
    Reply { status: 500, headers: Vec::new(), body: Vec::new(), reason: None }
}

/// Runs `make` with a source of random bytes; `None` if the host did not provide those that were asked for.
fn unpredictable<T>(make: impl FnOnce(&mut dyn FnMut() -> [u8; 16]) -> T) -> Option<T> {
    let mut failed = false;
    let made = make(&mut || {
        host::random().unwrap_or_else(|| {
            failed = true;
            [0; 16]
        })
    });
    if failed { None } else { Some(made) }
}

/// Attributes of the request that the current callback is about.
struct HostAttributes;

impl Attributes for HostAttributes {
    fn client_address(&self) -> Option<Vec<u8>> {
        host::client_address()
    }

    fn route_policy(&self) -> Option<Vec<u8>> {
        route_policy()
    }

    /// The fingerprint that an Envoy filter before this one puts into the filter state.
    fn ja4(&self) -> Option<Vec<u8>> {
        host::property(b"filter_state\0playlock.ja4").ok().flatten()
    }

    fn protocol(&self) -> Option<Vec<u8>> {
        host::property(b"request\0protocol").ok().flatten()
    }

    /// A value that cannot be read counts as none.
    fn metadata(&self, names: &[&str]) -> Option<Vec<u8>> {
        let path = [&["metadata", "filter_metadata"], names].concat().join("\0");
        host::property(path.as_bytes()).unwrap_or_default()
    }
}

/// Returns the policy name in the route's metadata. An unreadable value becomes the empty name, which no policy has.
///
/// Envoy chooses a route before the filter runs, and anew once the filter has returned, if it has changed the path. During
/// the callback this is the first route's, even after the change.
fn route_policy() -> Option<Vec<u8>> {
    host::property(b"xds\0route_metadata\0filter_metadata\0playlock\0policy").unwrap_or_else(|_| Some(Vec::new()))
}

/// Converts the core's headers for the host.
fn pairs(headers: &[Header]) -> impl Iterator<Item = Pair<'_>> + Clone {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
}

/// Applies header edits. `false` if one fails because the header map is no longer available.
fn edit_headers(of: Map, edits: &HeaderEdits) -> bool {
    edits.remove.iter().all(|name| host::remove_header(of, name))
        && edits.set.iter().all(|(name, value)| host::set_header(of, name, value))
        && edits.add.iter().all(|(name, value)| host::add_header(of, name, value))
}

/// Makes `out` the complete body of a response whose headers are held back. `false` if the headers are no longer
/// available.
fn replace_whole_body(size: usize, out: &Output) -> bool {
    host::set_header(Map::Response, "content-length", out.len().to_string().as_bytes())
        && host::replace_response_body(size, out.parts())
}

/// Sends a request to an upstream; `stream` receives the response. `false` if the host rejects the request.
fn ask(stream: u32, call: &Call) -> bool {
    let milliseconds = u32::try_from(call.timeout.saturating_mul(1000)).unwrap_or(u32::MAX);
    dispatch_http_call(stream, &call.cluster, pairs(&call.headers), milliseconds)
}

// Its path, because the trial of the SDK includes this file from elsewhere.
#[cfg(test)]
#[path = "http/tests.rs"]
mod tests;
