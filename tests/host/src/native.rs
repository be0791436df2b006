//! The filter as the core's `Exchange`, without wasm: executes its steps like `src/http.rs`.

use std::collections::BTreeMap;
use std::rc::Rc;

use playlock_core::exchange::{Exchange, Verdict};
use playlock_core::http::reply::{Reason, Reply};
use playlock_core::http::route::Kind;
use playlock_core::policy::Policies;
use playlock_core::step::{self, BodyStep, HeadStep, HeaderEdits, RequestBodyStep, RequestStep, TrailersStep};

use crate::envoy::{Envoy, Filter, Trap};
use crate::message::{Header, HttpCall, Request, Response, Seen};
use crate::node::{Node, Random, Refused, Setup};
use crate::stream::{Action, LocalReply, Map, ROUTE_POLICY, Status, Stream};

/// Counter of keys that the authorizer has not decided on.
const UNAUTHORIZED: &str = "playlock.unauthorized_keys";

/// The configured core.
pub struct Native {
    policies: Rc<Policies>,
    warnings: Vec<String>,
    now: u64,
    random: Random,
    counters: BTreeMap<String, u64>,
}

impl Native {
    /// Parses the configuration.
    pub fn start(setup: &Setup) -> Result<Self, Refused> {
        let env = |name: &str| setup.env.get(name).cloned();
        let (policies, warnings) =
            playlock_config::parse(setup.config.as_bytes(), &env).map_err(|error| Refused(vec![error.to_string()]))?;
        let random = Random::new(setup.seed);
        let counters = Kind::ALL.iter().map(|kind| (requests(*kind), 0));
        let counters = counters.chain(Reason::ALL.iter().map(|reason| (refused(*reason), 0)));
        let counters = counters.chain([("playlock.batches".to_owned(), 0), (UNAUTHORIZED.to_owned(), 0)]);
        let requesters = policies.iter().filter_map(|(_, policy)| policy.encryption.as_ref()?.speke.as_ref());
        let requesters = requesters.flat_map(|speke| speke.requester_names());
        let verdicts = [Verdict::Allowed, Verdict::Refused];
        let requesters = requesters.flat_map(|name| verdicts.map(|verdict| (speke_requests(&name, verdict), 0)));
        let counters = counters.chain(requesters).collect();
        Ok(Self { policies: Rc::new(policies), warnings, now: setup.now, random, counters })
    }
}

fn requests(kind: Kind) -> String {
    format!("playlock.requests.{}", kind.word())
}

fn speke_requests(requester: &str, verdict: Verdict) -> String {
    format!("playlock.speke_requests.{requester}.{}", verdict.word())
}

fn refused(reason: Reason) -> String {
    format!("playlock.refused.{}", reason.word())
}

impl Node for Native {
    fn set_now(&mut self, seconds: u64) {
        self.now = seconds;
    }

    fn exchange(&mut self, envoy: &Envoy, request: Request, origin: &mut dyn FnMut(&[Header]) -> Response) -> Seen {
        let mut filter = NativeFilter { node: self, exchange: None };
        envoy.exchange(&mut filter, request, origin)
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        self.counters.clone()
    }

    fn log(&self) -> Vec<String> {
        self.warnings.clone()
    }
}

/// One stream's filter.
struct NativeFilter<'a> {
    node: &'a mut Native,
    exchange: Option<Exchange>,
}

impl NativeFilter<'_> {
    fn reply(&self, stream: &mut Stream, reply: Reply) -> Action {
        self.note(stream);
        stream.send_local_reply(LocalReply { status: reply.status, headers: reply.headers, body: reply.body });
        Action::Pause
    }

    fn ask(&mut self, stream: &mut Stream, call: step::Call) -> Result<Action, Trap> {
        let step::Call { cluster, headers, timeout } = call;
        let milliseconds = u32::try_from(timeout * 1000).map_err(|error| Trap(error.to_string()))?;
        match stream.dispatch(HttpCall { cluster, headers, milliseconds }) {
            Ok(_) => Ok(Action::Pause),
            Err(_) => Ok(self.answered(stream, None)),
        }
    }

    fn answered(&mut self, stream: &mut Stream, status: Option<u16>) -> Action {
        match self.exchange.as_mut().map(|exchange| exchange.on_answer(status)) {
            Some(reply) => self.reply(stream, reply),
            None => Action::Pause,
        }
    }

    fn reset(&self, stream: &mut Stream) -> Action {
        self.note(stream);
        stream.reset();
        Action::Pause
    }

    fn note(&self, stream: &mut Stream) {
        let facts = self.exchange.as_ref().map(Exchange::log_fields).unwrap_or_default();
        for (name, word) in facts {
            stream.set_property(&format!("playlock.{name}"), word.as_bytes());
        }
    }

    /// A reset by the filter is an error here: no case requires one.
    fn edit(stream: &mut Stream, map: Map, edits: &HeaderEdits) -> Result<(), Trap> {
        let mut edit = || -> Result<(), Status> {
            for name in &edits.remove {
                stream.remove_header(map, name)?;
            }
            for (name, value) in &edits.set {
                stream.set_header(map, name, value)?;
            }
            for (name, value) in &edits.add {
                stream.add_header(map, name, value)?;
            }
            Ok(())
        };
        edit().map_err(|status| Trap(format!("header change refused: {status:?}")))
    }
}

/// The attributes of a stream, by the names that the module asks for.
struct StreamAttributes<'a>(&'a Stream);

impl step::Attributes for StreamAttributes<'_> {
    fn client_address(&self) -> Option<Vec<u8>> {
        self.0.property("source\0address").ok()
    }

    fn route_policy(&self) -> Option<Vec<u8>> {
        self.0.property(ROUTE_POLICY).ok()
    }

    fn ja4(&self) -> Option<Vec<u8>> {
        self.0.property("filter_state\0playlock.ja4").ok()
    }

    fn protocol(&self) -> Option<Vec<u8>> {
        self.0.property("request\0protocol").ok()
    }

    fn metadata(&self, names: &[&str]) -> Option<Vec<u8>> {
        self.0.property(&[&["metadata", "filter_metadata"], names].concat().join("\0")).ok()
    }
}

impl Filter for NativeFilter<'_> {
    fn on_request_headers(&mut self, stream: &mut Stream, end_of_stream: bool) -> Result<Action, Trap> {
        let headers = stream.headers(Map::RequestHeaders);
        let request = step::Request {
            headers: &headers,
            attributes: &StreamAttributes(stream),
            now: self.node.now,
            end_of_stream,
        };
        let random = &mut self.node.random;
        let (exchange, step) = Exchange::open(&self.node.policies, &request, &mut || {
            let mut bytes = [0; 16];
            random.fill(&mut bytes);
            bytes
        });
        if let Some(target) = exchange.plain_target() {
            let set = vec![(":path".to_owned(), target.as_bytes().to_vec())];
            Self::edit(stream, Map::RequestHeaders, &step::HeaderEdits { set, ..step::HeaderEdits::default() })?;
        }
        self.exchange = Some(exchange);
        match step {
            RequestStep::Forward(edits) => {
                Self::edit(stream, Map::RequestHeaders, &edits)?;
                Ok(Action::Continue)
            }
            RequestStep::Reply(reply) => Ok(self.reply(stream, reply)),
            RequestStep::Collect => Ok(Action::Pause),
            RequestStep::Ask(call) => self.ask(stream, call),
        }
    }

    fn on_request_body(&mut self, stream: &mut Stream, size: usize, end_of_stream: bool) -> Result<Action, Trap> {
        let Some(exchange) = self.exchange.as_mut() else { return Ok(Action::Pause) };
        if !exchange.collects() {
            return Ok(if exchange.is_answered() { Action::Pause } else { Action::Continue });
        }
        let chunk = stream.body(0, size).unwrap_or_default();
        stream.set_body(0, size, &[]).map_err(|status| Trap(format!("body change refused: {status:?}")))?;
        let random = &mut self.node.random;
        let step = exchange.on_request_body(&chunk, end_of_stream, &mut || {
            let mut bytes = [0; 16];
            random.fill(&mut bytes);
            bytes
        });
        match step {
            RequestBodyStep::Hold => Ok(Action::Pause),
            RequestBodyStep::Reply(reply) => Ok(self.reply(stream, reply)),
            RequestBodyStep::Ask(call) => self.ask(stream, call),
        }
    }

    fn on_request_trailers(&mut self, stream: &mut Stream) -> Result<Action, Trap> {
        self.on_request_body(stream, 0, true)
    }

    fn on_http_call_response(&mut self, stream: &mut Stream, _token: u32) -> Result<(), Trap> {
        let status = stream.header(Map::CallResponseHeaders, ":status").ok();
        let status = status.and_then(|status| std::str::from_utf8(&status).ok()?.parse().ok());
        self.answered(stream, status);
        Ok(())
    }

    fn on_response_headers(&mut self, stream: &mut Stream, end_of_stream: bool) -> Result<Action, Trap> {
        let Some(exchange) = self.exchange.as_mut() else { return Ok(Action::Continue) };
        if let Some(reply) = exchange.confirm_route(&|| stream.property(ROUTE_POLICY).ok()) {
            return Ok(self.reply(stream, reply));
        }
        match exchange.on_response_head(&stream.headers(Map::ResponseHeaders), end_of_stream) {
            HeadStep::Forward(edits) => {
                Self::edit(stream, Map::ResponseHeaders, &edits)?;
                self.note(stream);
                Ok(Action::Continue)
            }
            HeadStep::Hold(edits) => {
                Self::edit(stream, Map::ResponseHeaders, &edits)?;
                self.note(stream);
                Ok(Action::Pause)
            }
            HeadStep::Reply(reply) => Ok(self.reply(stream, reply)),
        }
    }

    fn on_response_body(&mut self, stream: &mut Stream, size: usize, end_of_stream: bool) -> Result<Action, Trap> {
        let Some(exchange) = self.exchange.as_mut() else { return Ok(Action::Continue) };
        if exchange.passes_body() {
            return Ok(Action::Continue);
        }
        let chunk = stream.body(0, size).unwrap_or_default();
        match exchange.on_body(chunk, end_of_stream) {
            BodyStep::Forward => Ok(Action::Continue),
            BodyStep::Replace(bytes) => {
                let set = stream.set_body(0, size, &bytes.into_vec());
                set.map_err(|status| Trap(format!("body change refused: {status:?}")))?;
                Ok(Action::Continue)
            }
            BodyStep::Whole(bytes) => {
                let bytes = bytes.into_vec();
                let length = bytes.len().to_string();
                let set = stream
                    .set_header(Map::ResponseHeaders, "content-length", length.as_bytes())
                    .and_then(|()| stream.set_body(0, size, &bytes));
                set.map_err(|status| Trap(format!("length or body refused: {status:?}")))?;
                Ok(Action::Continue)
            }
            BodyStep::Hold => {
                let set = stream.set_body(0, size, &[]);
                set.map_err(|status| Trap(format!("body change refused: {status:?}")))?;
                Ok(Action::Pause)
            }
            BodyStep::Reply(reply) => Ok(self.reply(stream, reply)),
            BodyStep::Reset(_) => Ok(self.reset(stream)),
        }
    }

    fn on_response_trailers(&mut self, stream: &mut Stream) -> Result<Action, Trap> {
        let Some(exchange) = self.exchange.as_mut() else { return Ok(Action::Continue) };
        match exchange.on_trailers() {
            TrailersStep::Forward => Ok(Action::Continue),
            TrailersStep::Reset(_) => Ok(self.reset(stream)),
        }
    }

    fn on_log(&mut self, _stream: &mut Stream) -> Result<(), Trap> {
        let Some(exchange) = &self.exchange else { return Ok(()) };
        let requester = exchange.requester().map(|name| speke_requests(name, exchange.verdict()));
        let unauthorized = exchange.has_unauthorized_keys().then(|| UNAUTHORIZED.to_owned());
        let names = [Some(requests(exchange.kind())), exchange.reason().map(refused), requester, unauthorized];
        for name in names.into_iter().flatten() {
            *self.node.counters.entry(name).or_default() += 1;
        }
        Ok(())
    }
}
