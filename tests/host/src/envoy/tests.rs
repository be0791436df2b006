//! Tests each of Envoy's rules with the smallest filter that triggers it.

mod calls;
mod closures;
mod held_request;
mod traps;

use self::closures::Closures;
use super::*;
use crate::message::header;
use crate::stream::{Map, Status};

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
