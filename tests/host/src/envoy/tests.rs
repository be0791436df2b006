//! Tests each of Envoy's rules with the smallest filter that triggers it.

use super::*;
use crate::message::{HttpCall, Upstream, header};
use crate::stream::{Map, Status};

type Call = Box<dyn FnMut(&mut Stream, usize, bool) -> Action>;

/// A filter made of closures; what is not given continues.
struct Closures {
    request: Call,
    head: Call,
    body: Call,
    trailers: Call,
    answer: Call,
    calls: Vec<String>,
}

impl Closures {
    fn new() -> Self {
        let go = || -> Call { Box::new(|_, _, _| Action::Continue) };
        Self { request: go(), head: go(), body: go(), trailers: go(), answer: go(), calls: Vec::new() }
    }

    fn request(mut self, call: impl FnMut(&mut Stream, usize, bool) -> Action + 'static) -> Self {
        self.request = Box::new(call);
        self
    }

    fn head(mut self, call: impl FnMut(&mut Stream, usize, bool) -> Action + 'static) -> Self {
        self.head = Box::new(call);
        self
    }

    fn body(mut self, call: impl FnMut(&mut Stream, usize, bool) -> Action + 'static) -> Self {
        self.body = Box::new(call);
        self
    }

    fn trailers(mut self, call: impl FnMut(&mut Stream, usize, bool) -> Action + 'static) -> Self {
        self.trailers = Box::new(call);
        self
    }

    fn answer(mut self, call: impl FnMut(&mut Stream, usize, bool) -> Action + 'static) -> Self {
        self.answer = Box::new(call);
        self
    }

    fn run(&mut self, envoy: Envoy, method: &str, response: Response) -> Seen {
        envoy.exchange(self, Request::new(method, "/a?b=1"), &mut |_| response.clone())
    }

    fn get(&mut self, response: Response) -> Seen {
        self.run(Envoy::new(false), "GET", response)
    }

    fn get_held(&mut self, response: Response) -> Seen {
        self.run(Envoy::new(true), "GET", response)
    }
}

impl Filter for Closures {
    fn on_request_headers(&mut self, stream: &mut Stream, end: bool) -> Result<Action, Trap> {
        self.calls.push(format!("request {end}"));
        Ok((self.request)(stream, 0, end))
    }

    fn on_http_call_response(&mut self, stream: &mut Stream, token: u32) -> Result<(), Trap> {
        self.calls.push(format!("answer {token}"));
        (self.answer)(stream, 0, true);
        Ok(())
    }

    fn on_response_headers(&mut self, stream: &mut Stream, end: bool) -> Result<Action, Trap> {
        self.calls.push(format!("head {end}"));
        Ok((self.head)(stream, 0, end))
    }

    fn on_response_body(&mut self, stream: &mut Stream, size: usize, end: bool) -> Result<Action, Trap> {
        self.calls.push(format!("body {size} {end}"));
        Ok((self.body)(stream, size, end))
    }

    fn on_response_trailers(&mut self, stream: &mut Stream) -> Result<Action, Trap> {
        self.calls.push("trailers".to_owned());
        Ok((self.trailers)(stream, 0, true))
    }

    fn on_log(&mut self, stream: &mut Stream) -> Result<(), Trap> {
        let status = header(&stream.headers(Map::ResponseHeaders), ":status").map(<[u8]>::to_vec);
        self.calls.push(format!("log {}", String::from_utf8_lossy(&status.unwrap_or_default())));
        Ok(())
    }
}

/// A filter that asks a cluster and pauses for its answer.
fn asks(cluster: &'static str) -> Closures {
    Closures::new().request(move |stream, _, _| {
        let pair = |name: &str| (name.to_owned(), b"x".to_vec());
        let headers = vec![pair(":method"), pair(":path"), pair(":authority")];
        match stream.dispatch(HttpCall { cluster: cluster.to_owned(), headers, milliseconds: 1 }) {
            Ok(_) => {
                assert_eq!(stream.header(Map::CallResponseHeaders, ":status"), Err(Status::BadArgument));
                Action::Pause
            }
            Err(status) => {
                stream.send_local_reply(reply(format!("{status:?}").as_bytes()));
                Action::Pause
            }
        }
    })
}

fn with_clusters(filter: &mut Closures) -> Seen {
    let clusters = [
        ("yes", Upstream::Answers(204)),
        ("refuses", Upstream::Refuses),
        ("silent", Upstream::IsSilent),
        ("empty", Upstream::IsEmpty),
    ];
    let clusters = clusters.map(|(name, upstream)| (name.to_owned(), upstream)).into();
    let request = Request { clusters, ..Request::new("GET", "/") };
    Envoy::new(false).exchange(filter, request, &mut |_| abcdef())
}

#[test]
fn a_cluster_is_asked_while_the_request_pauses() {
    for (cluster, status) in [("yes", "204"), ("refuses", "503"), ("silent", "504")] {
        let mut filter = asks(cluster).answer(|stream, _, _| {
            let status = stream.header(Map::CallResponseHeaders, ":status").unwrap();
            stream.send_local_reply(reply(&status));
            Action::Continue
        });
        let seen = with_clusters(&mut filter);
        assert_eq!((seen.status, String::from_utf8_lossy(&seen.body).as_ref()), (Some(403), status));
        assert_eq!(filter.calls, ["request true", "answer 1", "head false", "body 3 true", "log 403"]);
        assert_eq!((seen.origin, seen.call.map(|call| call.cluster)), (None, Some(cluster.to_owned())));
    }
    let mut filter = asks("yes").answer(|stream, _, _| {
        stream.resume();
        Action::Continue
    });
    assert_eq!(with_clusters(&mut filter).body, b"abcdef");
    assert_eq!(with_clusters(&mut asks("yes")).outcome, Outcome::Hang);
}

#[test]
fn a_cluster_that_cannot_be_asked_is_known_at_once() {
    for (cluster, why) in [("empty", "InternalFailure"), ("unknown", "BadArgument")] {
        let mut filter = asks(cluster);
        let seen = with_clusters(&mut filter);
        assert_eq!((String::from_utf8_lossy(&seen.body).as_ref(), seen.call), (why, None));
        assert!(!filter.calls.iter().any(|call| call.starts_with("answer")));
    }
}

fn abcdef() -> Response {
    Response::new(200, b"abcdef")
}

fn trailers() -> Ending {
    Ending::Trailers(vec![("t".to_owned(), b"1".to_vec())])
}

fn reply(body: &[u8]) -> LocalReply {
    LocalReply { status: 403, headers: vec![("x".to_owned(), b"1".to_vec())], body: body.to_vec() }
}

#[test]
fn a_filter_that_continues_changes_nothing() {
    let mut filter = Closures::new();
    let seen = filter.get(abcdef().cut(4, Ending::WithData));
    assert_eq!(filter.calls, ["request true", "head false", "body 4 false", "body 2 true", "log 200"]);
    assert_eq!((seen.status, seen.body.as_slice(), seen.outcome), (Some(200), &b"abcdef"[..], Outcome::Complete));
    assert_eq!(header(&seen.origin.unwrap(), ":path"), Some(&b"/a?b=1"[..]));
}

#[test]
fn the_end_may_come_in_an_empty_chunk() {
    let mut filter = Closures::new();
    filter.get(abcdef().cut(6, Ending::EmptyChunk));
    assert_eq!(filter.calls, ["request true", "head false", "body 6 false", "body 0 true", "log 200"]);
}

#[test]
fn an_empty_body_gets_no_callback() {
    for ending in [Ending::WithData, Ending::EmptyChunk] {
        let mut filter = Closures::new();
        filter.get(Response::new(200, b"").cut(1, ending));
        assert_eq!(filter.calls, ["request true", "head true", "log 200"]);
    }
    let mut filter = Closures::new();
    let mut chunked = Response::new(200, b"").cut(1, Ending::EmptyChunk);
    chunked.headers.retain(|(name, _)| name != "content-length");
    filter.get(chunked);
    assert_eq!(filter.calls, ["request true", "head false", "body 0 true", "log 200"]);
}

#[test]
fn head_has_headers_only() {
    let mut filter = Closures::new();
    let seen = filter.run(Envoy::new(false), "HEAD", abcdef());
    assert_eq!(filter.calls, ["request true", "head true", "log 200"]);
    assert_eq!((seen.header("content-length").as_deref(), seen.outcome), (Some("6"), Outcome::Complete));
}

#[test]
fn with_trailers_no_body_callback_ends_the_stream_and_trailers_cannot_set_the_body() {
    let mut filter = Closures::new().trailers(|stream, _, _| {
        assert_eq!(stream.set_body(0, 0, b"x"), Err(Status::BadArgument));
        Action::Continue
    });
    let seen = filter.get(abcdef().cut(6, trailers()));
    assert_eq!(filter.calls, ["request true", "head false", "body 6 false", "trailers", "log 200"]);
    assert_eq!(seen.body, b"abcdef");
}

#[test]
fn trailers_can_set_a_body_that_was_paused() {
    let mut filter = Closures::new().body(|_, _, _| Action::Pause).trailers(|stream, _, _| {
        assert_eq!(stream.set_body(6, 0, b"!!"), Ok(()));
        Action::Continue
    });
    let mut response = abcdef().cut(3, trailers());
    response.headers.retain(|(name, _)| name != "content-length");
    assert_eq!(filter.get(response).body, b"abcdef!!");
    assert_eq!(filter.calls[2..4], ["body 3 false", "body 6 false"]);
}

#[test]
fn pause_on_response_headers_needs_the_flag_and_a_body() {
    let mut filter = Closures::new().head(|_, _, _| Action::Pause);
    assert_eq!(filter.get(abcdef()).outcome, Outcome::Hang);
    let seen = filter.get_held(abcdef());
    assert_eq!((seen.outcome, seen.body.as_slice()), (Outcome::Complete, &b"abcdef"[..]));
    assert_eq!(filter.get_held(Response::new(200, b"")).outcome, Outcome::Hang);
    assert_eq!(filter.run(Envoy::new(true), "HEAD", abcdef()).outcome, Outcome::Hang);
}

#[test]
fn held_headers_may_change_until_the_body_goes() {
    let mut first = true;
    let mut filter = Closures::new().head(|_, _, _| Action::Pause).body(move |stream, _, _| {
        let changed = stream.set_header(Map::ResponseHeaders, "X", b"late");
        assert_eq!(changed.is_ok(), std::mem::take(&mut first));
        Action::Continue
    });
    let seen = filter.get_held(abcdef().cut(3, Ending::WithData));
    assert_eq!(seen.header("x").as_deref(), Some("late"));
}

#[test]
fn headers_that_have_gone_cannot_change() {
    let mut filter = Closures::new().body(|stream, _, _| {
        let map = Map::ResponseHeaders;
        assert_eq!(stream.set_header(map, "x", b"1"), Err(Status::BadArgument));
        assert_eq!(stream.add_header(map, "x", b"1"), Err(Status::BadArgument));
        assert_eq!(stream.remove_header(map, "x"), Err(Status::BadArgument));
        assert_eq!(stream.header(map, "x"), Err(Status::BadArgument));
        assert_eq!(stream.set_header(Map::RequestHeaders, "x", b"1"), Err(Status::BadArgument));
        assert!(stream.headers(map).is_empty());
        Action::Continue
    });
    assert_eq!(filter.get(abcdef()).outcome, Outcome::Complete);
}

#[test]
fn a_paused_body_gathers() {
    let mut filter = Closures::new().body(|_, _, end| if end { Action::Continue } else { Action::Pause });
    let seen = filter.get(abcdef().cut(4, Ending::EmptyChunk));
    assert_eq!(filter.calls[2..5], ["body 4 false", "body 6 false", "body 6 true"]);
    assert_eq!(seen.body, b"abcdef");
    assert_eq!(Closures::new().body(|_, _, _| Action::Pause).get(abcdef()).outcome, Outcome::Hang);
}

#[test]
fn what_a_paused_callback_leaves_is_what_the_next_one_sees() {
    let mut filter = Closures::new().body(|stream, size, end| {
        let seen = stream.body(0, size).unwrap();
        if end {
            assert_eq!(seen, b"xef");
            return Action::Continue;
        }
        stream.set_body(0, size, b"x").unwrap();
        Action::Pause
    });
    let mut response = abcdef().cut(4, Ending::WithData);
    response.headers.retain(|(name, _)| name != "content-length");
    assert_eq!(filter.get(response).body, b"xef");
}

#[test]
fn the_buffer_has_a_limit() {
    let envoy = |allow_hold| Envoy { allow_hold, buffer_limit: 4 };
    let mut filter = Closures::new().body(|_, _, _| Action::Pause);
    let seen = filter.run(envoy(false), "GET", abcdef().cut(3, Ending::EmptyChunk));
    assert_eq!((seen.outcome, seen.status), (Outcome::Broken, Some(200)));
    let mut filter = Closures::new().head(|_, _, _| Action::Pause).body(|_, _, _| Action::Pause);
    let seen = filter.run(envoy(true), "GET", abcdef().cut(3, Ending::EmptyChunk));
    assert_eq!((seen.outcome, seen.status), (Outcome::Complete, Some(500)));
}

#[test]
fn a_chunk_may_become_nothing_and_the_last_one_more() {
    let mut filter = Closures::new()
        .head(|stream, _, _| {
            stream.set_header(Map::ResponseHeaders, "content-length", b"2").unwrap();
            Action::Continue
        })
        .body(|stream, size, end| {
            stream.set_body(0, size, if end { b"zz" } else { b"" }).unwrap();
            Action::Continue
        });
    for ending in [Ending::WithData, Ending::EmptyChunk] {
        let seen = filter.get(abcdef().cut(2, ending));
        assert_eq!((seen.outcome, seen.body.as_slice()), (Outcome::Complete, &b"zz"[..]));
    }
}

#[test]
fn a_wrong_length_is_no_response() {
    let mut filter = Closures::new().body(|stream, size, _| {
        stream.set_body(0, size, b"abc").unwrap();
        Action::Continue
    });
    let seen = filter.get(abcdef());
    assert_eq!((seen.outcome, seen.why.as_str()), (Outcome::Malformed, "content-length 6, body of 3"));
}

#[test]
fn a_reply_on_the_request_comes_back_through_the_filter_and_never_asks_the_origin() {
    let mut filter = Closures::new().request(|stream, _, _| {
        stream.send_local_reply(reply(b"no"));
        Action::Pause
    });
    let seen = filter.get(abcdef());
    assert_eq!(filter.calls, ["request true", "head false", "body 2 true", "log 403"]);
    assert_eq!((seen.origin.as_ref(), seen.status, seen.body.as_slice()), (None, Some(403), &b"no"[..]));
    assert_eq!(seen.header("content-length").as_deref(), Some("2"));
    let mut filter = Closures::new().request(|stream, _, _| {
        stream.send_local_reply(reply(b"no"));
        Action::Pause
    });
    let seen = filter.run(Envoy::new(false), "HEAD", abcdef());
    assert_eq!(filter.calls, ["request true", "head true", "log 403"]);
    assert_eq!((seen.header("content-length").as_deref(), seen.body.len()), (Some("2"), 0));
}

#[test]
fn a_reply_on_the_response_replaces_it_while_headers_are_held() {
    let send = |stream: &mut Stream, _: usize, _: bool| {
        stream.send_local_reply(reply(b"no"));
        Action::Pause
    };
    let mut filter = Closures::new().head(send);
    let seen = filter.get(abcdef());
    assert_eq!((seen.status, seen.body.as_slice(), seen.outcome), (Some(403), &b"no"[..], Outcome::Complete));
    assert_eq!(filter.calls, ["request true", "head false", "log 403"]);
    let mut filter = Closures::new().head(|_, _, _| Action::Pause).body(send);
    let seen = filter.get_held(abcdef().cut(2, Ending::WithData));
    assert_eq!((seen.status, seen.body.as_slice(), seen.outcome), (Some(403), &b"no"[..], Outcome::Complete));
    let mut filter = Closures::new().body(send);
    let seen = filter.get(abcdef().cut(2, Ending::WithData));
    assert_eq!((seen.status, seen.body.len(), seen.outcome), (Some(200), 0, Outcome::Broken));
}

#[test]
fn a_reset_is_seen_unless_every_promised_byte_is_out() {
    let mut filter = Closures::new().body(|stream, _, end| {
        if end {
            stream.reset();
            return Action::Pause;
        }
        Action::Continue
    });
    assert_eq!(filter.get(abcdef().cut(4, Ending::WithData)).outcome, Outcome::Broken);
    assert_eq!(filter.get(abcdef().cut(4, Ending::EmptyChunk)).outcome, Outcome::Malformed);
    let mut filter = Closures::new().head(|stream, _, _| {
        stream.reset();
        Action::Pause
    });
    assert_eq!(filter.get(abcdef()).status, None);
}

#[test]
fn a_reset_in_trailers_wants_pause() {
    let filter = |action| {
        Closures::new().trailers(move |stream, _, _| {
            stream.reset();
            action
        })
    };
    let mut response = abcdef().cut(6, trailers());
    response.headers.retain(|(name, _)| name != "content-length");
    assert_eq!(filter(Action::Pause).get(response.clone()).outcome, Outcome::Broken);
    assert_eq!(filter(Action::Continue).get(response).outcome, Outcome::Crash);
    assert_eq!(
        Closures::new().trailers(|_, _, _| Action::Pause).get(abcdef().cut(6, trailers())).outcome,
        Outcome::Hang
    );
}

#[test]
fn the_origin_breaking_off_is_passed_on() {
    let seen = Closures::new().get(Response::new(200, b"abcdef").cut(3, Ending::Abort));
    assert_eq!(seen.outcome, Outcome::Malformed, "all its bytes were out");
    let mut short = abcdef().cut(3, Ending::Abort);
    short.chunks.pop();
    assert_eq!(Closures::new().get(short).outcome, Outcome::Broken);
}

#[test]
fn the_origin_sees_the_changed_request() {
    let mut filter = Closures::new().request(|stream, _, _| {
        stream.set_header(Map::RequestHeaders, ":path", b"/z").unwrap();
        stream.add_header(Map::RequestHeaders, "Range", b"bytes=0-1").unwrap();
        Action::Continue
    });
    let origin = filter.get(abcdef()).origin.unwrap();
    assert_eq!(header(&origin, ":path"), Some(&b"/z"[..]));
    assert_eq!(header(&origin, "range"), Some(&b"bytes=0-1"[..]));
}

#[test]
fn pause_on_the_request_hangs_unless_answered_or_resumed() {
    assert_eq!(Closures::new().request(|_, _, _| Action::Pause).get(abcdef()).outcome, Outcome::Hang);
    let resume = |stream: &mut Stream, _: usize, _: bool| {
        stream.resume();
        Action::Continue
    };
    assert_eq!(Closures::new().head(resume).get(abcdef()).outcome, Outcome::Malformed);
}

#[test]
fn a_split_header_and_a_body_on_304_are_no_response() {
    let mut filter = Closures::new().head(|stream, _, _| {
        stream.set_header(Map::ResponseHeaders, "x", b"1\r\ny: 2").unwrap();
        Action::Continue
    });
    assert_eq!(filter.get(abcdef()).outcome, Outcome::Malformed);
    assert_eq!(Closures::new().get(Response::new(304, b"x")).outcome, Outcome::Malformed);
}

#[test]
fn properties_and_filter_state() {
    let mut filter = Closures::new().request(|stream, _, _| {
        assert_eq!(stream.property("source\0address").unwrap(), b"203.0.113.7:4711");
        assert_eq!(stream.property("request\0url_path").unwrap(), b"/a");
        assert_eq!(stream.property("request\0query").unwrap(), b"b=1");
        assert_eq!(stream.property("nothing"), Err(Status::NotFound));
        stream.set_property("playlock.kind", b"key");
        Action::Continue
    });
    assert_eq!(filter.get(abcdef()).state["wasm.playlock.kind"], "key");
}

/// A filter that traps in the callback of this number.
struct Traps(usize);

impl Traps {
    fn step(&mut self) -> Result<Action, Trap> {
        self.0 = self.0.wrapping_sub(1);
        if self.0 == usize::MAX { Err(Trap("boom".to_owned())) } else { Ok(Action::Continue) }
    }
}

impl Filter for Traps {
    fn on_request_headers(&mut self, _: &mut Stream, _: bool) -> Result<Action, Trap> {
        self.step()
    }
    fn on_http_call_response(&mut self, _: &mut Stream, _: u32) -> Result<(), Trap> {
        self.step().map(|_| ())
    }
    fn on_response_headers(&mut self, _: &mut Stream, _: bool) -> Result<Action, Trap> {
        self.step()
    }
    fn on_response_body(&mut self, _: &mut Stream, _: usize, _: bool) -> Result<Action, Trap> {
        self.step()
    }
    fn on_response_trailers(&mut self, _: &mut Stream) -> Result<Action, Trap> {
        self.step()
    }
    fn on_log(&mut self, _: &mut Stream) -> Result<(), Trap> {
        self.step().map(|_| ())
    }
}

#[test]
fn a_trap_is_503_before_the_headers_and_a_break_after_them() {
    for (callback, status, origin) in [(0, 503, false), (1, 503, true), (2, 200, true), (3, 200, true)] {
        let seen = Envoy::new(false).exchange(&mut Traps(callback), Request::new("GET", "/"), &mut |_| abcdef());
        assert_eq!((seen.outcome, seen.status), (Outcome::Trap, Some(status)));
        assert_eq!((seen.origin.is_some(), seen.why.as_str()), (origin, "boom"));
    }
}

/// A filter that holds a request, notes the sizes of its body and drops the bytes or not. It lets go at the end if `goes_on`.
#[derive(Default)]
struct Holds {
    drops: bool,
    goes_on: bool,
    calls: Vec<(usize, bool)>,
}

impl Filter for Holds {
    fn on_request_headers(&mut self, _: &mut Stream, _: bool) -> Result<Action, Trap> {
        Ok(Action::Pause)
    }
    fn on_request_body(&mut self, stream: &mut Stream, size: usize, end_of_stream: bool) -> Result<Action, Trap> {
        self.calls.push((size, end_of_stream));
        if self.drops {
            assert_eq!(stream.body(0, size).map(|body| body.len()), Ok(size));
            stream.set_body(0, size, &[]).unwrap();
        }
        Ok(if end_of_stream && self.goes_on { Action::Continue } else { Action::Pause })
    }
    fn on_request_trailers(&mut self, stream: &mut Stream) -> Result<Action, Trap> {
        self.on_request_body(stream, 0, true)
    }
    fn on_http_call_response(&mut self, _: &mut Stream, _: u32) -> Result<(), Trap> {
        Ok(())
    }
    fn on_response_headers(&mut self, _: &mut Stream, _: bool) -> Result<Action, Trap> {
        Ok(Action::Continue)
    }
    fn on_response_body(&mut self, _: &mut Stream, _: usize, _: bool) -> Result<Action, Trap> {
        Ok(Action::Continue)
    }
    fn on_response_trailers(&mut self, _: &mut Stream) -> Result<Action, Trap> {
        Ok(Action::Continue)
    }
    fn on_log(&mut self, _: &mut Stream) -> Result<(), Trap> {
        Ok(())
    }
}

/// A POST of two chunks of 600,000 bytes with this end: what Envoy does, and the calls of the filter.
fn post(envoy: Envoy, mut filter: Holds, ending: Ending) -> (Outcome, bool, Vec<(usize, bool)>) {
    let body = vec![vec![0; 600_000]; 2];
    let request = Request { has_body: true, body, ending, ..Request::new("POST", "/") };
    let seen = envoy.exchange(&mut filter, request, &mut |_| abcdef());
    (seen.outcome, seen.origin.is_some(), filter.calls)
}

#[test]
fn a_held_request_gets_its_body_with_the_flag_alone() {
    let (flag, size) = (Envoy::new(true), 600_000);
    let holds = |drops, goes_on| Holds { drops, goes_on, ..Holds::default() };
    assert_eq!(post(Envoy::new(false), holds(true, true), Ending::WithData), (Outcome::Hang, false, vec![]));
    let calls = vec![(size, false), (size, true)];
    assert_eq!(post(flag, holds(true, true), Ending::WithData), (Outcome::Complete, true, calls.clone()));
    assert_eq!(post(flag, holds(true, false), Ending::WithData), (Outcome::Hang, false, calls));
    let calls = vec![(size, false), (size, false), (0, true)];
    assert_eq!(post(flag, holds(true, true), Ending::EmptyChunk), (Outcome::Complete, true, calls.clone()));
    assert_eq!(post(flag, holds(true, true), Ending::Trailers(vec![])), (Outcome::Complete, true, calls));
    let kept = vec![(size, false), (2 * size, false)];
    assert_eq!(post(flag, holds(false, true), Ending::EmptyChunk), (Outcome::Broken, false, kept));
}
