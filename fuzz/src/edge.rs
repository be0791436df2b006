//! The client's view of an exchange: executes the core's steps as the filter and its proxy do, and panics on steps that
//! the proxy does not tolerate.

use std::rc::Rc;

use playlock_core::bytes::output::Output;
use playlock_core::exchange::Exchange;
use playlock_core::http::reply::{Header, Reason, Reply};
use playlock_core::media::batch::{Batch, StreamId};
use playlock_core::policy::Policies;
use playlock_core::step::{BodyStep, HeadStep, HeaderEdits, Known, Request, RequestStep, TrailersStep};

use crate::site::{NOW, SESSION};

/// A request on its way.
#[derive(Debug)]
pub enum Asked {
    /// The origin gets these headers.
    Forwarded(Exchange, Vec<Header>),
    /// The origin gets nothing.
    Answered(Exchange, Reply),
}

/// A header.
pub fn header(name: &str, value: impl Into<Vec<u8>>) -> Header {
    (name.into(), value.into())
}

/// A GET of `target` with these headers beside.
pub fn get(policies: &Rc<Policies>, target: &[u8], headers: &[Header]) -> Asked {
    let mut all = vec![
        header(":method", "GET"),
        header(":path", target),
        header(":authority", "tv.example"),
        header(":scheme", "https"),
    ];
    all.extend_from_slice(headers);
    ask(policies, &all, Some("203.0.113.7:4711"))
}

/// A request with these headers from `client`.
pub fn ask(policies: &Rc<Policies>, headers: &[Header], client: Option<&str>) -> Asked {
    let attributes = client.map_or_else(Known::default, Known::client);
    let request = Request { headers, attributes: &attributes, now: NOW, end_of_stream: true };
    let mut asked = 0;
    let (mut exchange, step) = Exchange::open(policies, &request, &mut || {
        asked += 1;
        SESSION
    });
    assert!(asked <= 1, "random bytes were asked for {asked} times");
    match step {
        RequestStep::Forward(edits) => Asked::Forwarded(exchange, edited(headers, &edits)),
        RequestStep::Reply(reply) => Asked::Answered(exchange, reply),
        RequestStep::Collect => panic!("no policy has a key server for packagers"),
        RequestStep::Ask(_) => {
            let reply = exchange.on_answer(Some(204));
            Asked::Answered(exchange, reply)
        }
    }
}

/// These headers with those changes. What comes of a change must be a header.
pub fn edited(headers: &[Header], edits: &HeaderEdits) -> Vec<Header> {
    let HeaderEdits { remove, set, add } = edits;
    for (name, value) in set.iter().chain(add) {
        assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{name} would split the message");
    }
    let gone = |name: &String| remove.contains(name) || set.iter().any(|(set, _)| set == name);
    let kept = headers.iter().filter(|(name, _)| !gone(name)).cloned();
    kept.chain(set.iter().cloned()).chain(add.iter().cloned()).collect()
}

/// The only value of a header; `None` if there is none.
pub fn value<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    let mut values = headers.iter().filter(|(found, _)| found == name);
    let value = values.next()?;
    assert!(values.next().is_none(), "{name} is there twice");
    std::str::from_utf8(&value.1).ok()
}

/// The state of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// More is to come.
    Open,
    /// Its end came as it should.
    Clean,
    /// It was broken off.
    Reset(Reason),
}

/// A response on its way.
#[derive(Debug)]
pub struct Flow {
    /// The exchange.
    pub exchange: Exchange,
    /// The headers that the client has received, `:status` among them; empty while they are held.
    pub headers: Vec<Header>,
    /// The bytes of the body that the client has received.
    pub body: Vec<u8>,
    /// Its state.
    pub end: End,
    /// This is not the origin's response but an answer in its place.
    pub replied: bool,
    held: Option<Vec<Header>>,
    paused: bool,
    /// It has gone on from another's callback, so that the next one of its own puts nothing out.
    resumed: bool,
}

impl Flow {
    /// A request that the origin got.
    pub fn new(exchange: Exchange) -> Self {
        Self {
            exchange,
            headers: Vec::new(),
            body: Vec::new(),
            end: End::Open,
            replied: false,
            held: None,
            paused: false,
            resumed: false,
        }
    }

    /// The status code that the client has got; 0 if it has got none.
    pub fn status(&self) -> u16 {
        value(&self.headers, ":status").and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// Whether the next bytes can be given to it.
    pub fn is_open(&self) -> bool {
        self.end == End::Open
    }

    /// The origin's headers come. `hold`: they may be held.
    pub fn head(&mut self, headers: &[Header], end: bool, hold: bool) {
        match self.exchange.on_response_head(headers, end) {
            HeadStep::Forward(edits) => self.headers = edited(headers, &edits),
            HeadStep::Hold(edits) => {
                assert!(hold && !end, "headers were held that must not be");
                self.held = Some(edited(headers, &edits));
            }
            HeadStep::Reply(reply) => return self.reply(&reply),
        }
        if end {
            self.end = End::Clean;
        }
    }

    /// More of the origin's body comes.
    pub fn chunk(&mut self, chunk: &[u8], end: bool, stream: StreamId, batch: &mut Batch) {
        assert!(self.is_open());
        let resumed = std::mem::take(&mut self.resumed);
        match self.exchange.on_body_batched(chunk.to_vec(), end, stream, batch) {
            BodyStep::Forward => {
                assert!(self.held.is_none(), "bytes went by while the headers were held");
                self.body.extend_from_slice(chunk);
            }
            // It goes out before anything that follows, or by itself a moment later.
            BodyStep::Replace(out) if resumed && !end && !out.is_empty() => {
                batch.owe(stream, out);
                self.paused = true;
                return;
            }
            BodyStep::Replace(out) => {
                self.release();
                batch.take_owed(stream).iter().for_each(|owed| self.put(owed));
                self.put(&out);
            }
            BodyStep::Whole(out) => {
                let held = self.held.as_mut().expect("the length of a response whose headers have gone");
                let out = out.into_vec();
                held.retain(|(name, _)| name != "content-length");
                held.push(header("content-length", out.len().to_string()));
                self.release();
                self.put(&out.into());
            }
            BodyStep::Hold => {
                assert!(!end, "the last chunk was held");
                self.paused = true;
                return;
            }
            BodyStep::Reply(reply) => {
                assert!(self.held.is_some(), "an answer after the headers");
                return self.reply(&reply);
            }
            BodyStep::Reset(reason) => {
                assert!(self.held.is_none(), "a break where an answer was possible");
                return self.reset(reason, batch);
            }
        }
        self.paused = false;
        if end {
            self.end = End::Clean;
        }
    }

    /// The output of chunks that were held, after the one that was owed.
    pub fn ready(&mut self, outputs: &[Output]) {
        assert!(self.is_open() && self.paused, "bytes came for a response that waits for none");
        (self.paused, self.resumed) = (false, true);
        outputs.iter().for_each(|out| self.put(out));
    }

    /// The origin's trailers come.
    pub fn trailers(&mut self, batch: &mut Batch) {
        assert!(self.is_open());
        match self.exchange.on_trailers() {
            TrailersStep::Forward => {
                // The proxy lets held headers go with them, and what is paused.
                self.release();
                assert!(!self.paused, "trailers let a response go of which bytes are held");
                self.end = End::Clean;
            }
            TrailersStep::Reset(reason) => self.reset(reason, batch),
        }
    }

    fn put(&mut self, out: &Output) {
        for part in out.parts() {
            self.body.extend_from_slice(part);
        }
    }

    fn release(&mut self) {
        if let Some(held) = self.held.take() {
            self.headers = held;
        }
    }

    fn reply(&mut self, reply: &Reply) {
        assert!(self.body.is_empty());
        self.held = None;
        self.replied = true;
        self.headers = answer(reply);
        self.body.clone_from(&reply.body);
        self.end = End::Clean;
        quiet(&mut self.exchange, reply);
    }

    fn reset(&mut self, reason: Reason, batch: &mut Batch) {
        self.end = End::Reset(reason);
        assert_eq!(self.exchange.reason(), Some(reason));
        // The proxy may have had more on its way already.
        for (chunk, end) in [(&b"more"[..], false), (b"", false), (b"more", true)] {
            let step = self.exchange.on_body_batched(chunk.to_vec(), end, StreamId::MAX, batch);
            assert!(matches!(step, BodyStep::Reset(again) if again == reason), "{step:?} after a reset");
        }
        assert_eq!(self.exchange.on_trailers(), TrailersStep::Reset(reason));
    }
}

/// The headers of an answer of the filter's own.
pub fn answer(reply: &Reply) -> Vec<Header> {
    for (name, value) in &reply.headers {
        assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{name} would split the message");
    }
    let status = header(":status", reply.status.to_string());
    std::iter::once(status).chain(reply.headers.iter().cloned()).collect()
}

/// The proxy shows the filter its own answers too: they must go as they are.
pub fn quiet(exchange: &mut Exchange, reply: &Reply) {
    assert!(!exchange.awaits_response() && exchange.passes_body());
    assert_eq!(exchange.on_response_head(&answer(reply), false), HeadStep::Forward(HeaderEdits::default()));
    assert!(matches!(exchange.on_body(reply.body.clone(), true), BodyStep::Forward));
    assert_eq!(exchange.on_trailers(), TrailersStep::Forward);
}
