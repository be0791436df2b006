//! One HTTP context around one [`Exchange`]: carries out its steps, decides nothing.

use std::rc::Rc;

use playlock_core::bytes::output::Output;
use playlock_core::exchange::Exchange;
use playlock_core::http::reply::{Header, Reply};
use playlock_core::policy::Policies;
use playlock_core::step::{BodyStep, Call, HeadStep, HeaderEdits, Request, RequestStep, TrailersStep};
use playlock_proxy_wasm::contexts::{dispatch_http_call, is_alive};
use playlock_proxy_wasm::headers::Headers;
use playlock_proxy_wasm::host::{self, Map};
use playlock_proxy_wasm::pairs::Pair;
use playlock_proxy_wasm::{Action, Http};

use crate::metrics::{Ended, Metrics};
use crate::worker::Worker;

/// One request and its response.
pub struct Context {
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

impl Context {
    /// A context for the next request. Without policies, which the host does not do, every request is refused.
    pub fn new(id: u32, policies: Option<Rc<Policies>>, metrics: Rc<Metrics>, worker: Rc<Worker>) -> Self {
        let spent = id.is_multiple_of(TIMED).then_some(0);
        Self { id, policies, metrics, worker, exchange: None, active: false, origin_error: false, encrypted: 0, spent }
    }

    /// `None` if the host has not given what no request can be decided without: policies, a clock, random bytes.
    fn open(&self, headers: &[Header], end_of_stream: bool) -> Option<(Exchange, RequestStep)> {
        let policies = self.policies.as_ref()?;
        // Seconds. A clock at the epoch itself is one that was never set; without one no token can be called valid.
        let now = host::nanoseconds().map(|time| time / 1_000_000_000).filter(|seconds| *seconds > 0)?;
        let (client, route_policy) = (&host::client_address, &route_policy);
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

    /// Runs a callback, and counts its time if this request is timed.
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
            let reply = Reply { status: 500, headers: Vec::new(), body: Vec::new(), reason: None };
            return self.reply(&reply);
        };
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
        }
    }

    fn on_response(&mut self, end_of_stream: bool) -> Action {
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
        // Bytes that we do not get, or cannot replace, must not go out.
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
        // The host ends a stream that has no room for what it was given.
        if is_alive(self.id) { action } else { Action::Pause }
    }

    fn on_trailers(&mut self) -> Action {
        match self.exchange.as_mut().map(Exchange::on_trailers) {
            None => Action::Continue,
            Some(TrailersStep::Forward) if self.worker.finish_body(self.id) => Action::Continue,
            Some(TrailersStep::Forward | TrailersStep::Reset(_)) => self.reset(),
        }
    }

    /// Answers once it is known whether it may.
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

    /// Response headers that are not as they should be must not go out.
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
        // With Continue, Envoy crashes.
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
            });
        }
        self.spent.into_iter().for_each(|nanoseconds| self.metrics.time(nanoseconds));
    }
}

/// The host deletes the context when the stream is over, however it ended.
impl Drop for Context {
    fn drop(&mut self) {
        self.worker.forget(self.id);
        if self.active {
            self.metrics.count_active(-1);
        }
    }
}

/// The name of the policy in the route's metadata. What is there and cannot be read is a name that no policy has.
fn route_policy() -> Option<Vec<u8>> {
    host::property(b"xds\0route_metadata\0filter_metadata\0playlock\0policy").unwrap_or_else(|_| Some(Vec::new()))
}

/// The core's headers as the host gets them.
fn pairs(headers: &[Header]) -> impl Iterator<Item = Pair<'_>> + Clone {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
}

/// Carries header changes out. `false` if the headers have gone, so that not all of them are.
fn edit_headers(of: Map, edits: &HeaderEdits) -> bool {
    edits.remove.iter().all(|name| host::remove_header(of, name))
        && edits.set.iter().all(|(name, value)| host::set_header(of, name, value))
        && edits.add.iter().all(|(name, value)| host::add_header(of, name, value))
}

/// Makes `out` the whole body of a response whose headers are held. `false` if they have gone.
fn replace_whole_body(size: usize, out: &Output) -> bool {
    host::set_header(Map::Response, "content-length", out.len().to_string().as_bytes())
        && host::replace_response_body(size, out.parts())
}

/// Sends a request to an upstream, and expects its answer for `stream`. `false` if the host did not take it.
fn ask(stream: u32, call: &Call) -> bool {
    let milliseconds = u32::try_from(call.timeout.saturating_mul(1000)).unwrap_or(u32::MAX);
    dispatch_http_call(stream, &call.cluster, pairs(&call.headers), milliseconds)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use playlock_proxy_wasm::stand_in::{Answer, Call, UNKNOWN, install};

    use super::*;

    const CONFIG: &[u8] = br#"{"policies": [{"policyName": "vod", "tokenAuth": {"enabled": false}}], "assignments": [], "default": "pass"}"#;

    /// What the filter asks of a host that fails the call of this name, when a request comes.
    fn request(failing: &'static str, configured: bool) -> (Action, Vec<Call>) {
        let calls: Rc<RefCell<Vec<Call>>> = Rc::default();
        let seen = Rc::clone(&calls);
        let headers = [(":method", &b"GET"[..]), (":path", b"/a"), (":authority", b"tv.example")];
        let headers = playlock_proxy_wasm::pairs::write(headers.into_iter());
        install(move |call| {
            seen.borrow_mut().push(call.clone());
            match call.name {
                name if name == failing => Answer { status: UNKNOWN, ..Answer::default() },
                "proxy_get_header_map_pairs" => Answer { bytes: headers.clone(), ..Answer::default() },
                _ => Answer { number: 1_700_000_000_000_000_000, ..Answer::default() },
            }
        });
        let policies = playlock_core::config::parse(CONFIG, &|_| None).map(|(policies, _)| Rc::new(policies)).ok();
        let mut context = Context::new(1, policies.filter(|_| configured), Rc::default(), Rc::default());
        let action = context.on_request_headers(true);
        drop(context);
        (action, calls.take())
    }

    fn replied(calls: &[Call]) -> Option<u64> {
        calls.iter().find(|call| call.name == "proxy_send_local_response").map(|call| call.numbers[0])
    }

    #[test]
    fn a_request_that_nothing_is_assigned_to_passes() {
        let (action, calls) = request("", true);
        assert_eq!((action, replied(&calls)), (Action::Continue, None));
    }

    #[test]
    fn what_the_host_does_not_give_is_a_refusal() {
        let clock = "proxy_get_current_time_nanoseconds";
        for (failing, configured, status) in [("", false, 500), (clock, true, 500)] {
            let (action, calls) = request(failing, configured);
            assert_eq!((action, replied(&calls)), (Action::Pause, Some(status)), "without {failing}");
        }
        let (action, calls) = request("proxy_get_header_map_pairs", true);
        assert!(action == Action::Pause && replied(&calls).is_some_and(|status| status >= 400));
    }
}
