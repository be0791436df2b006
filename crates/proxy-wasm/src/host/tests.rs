//! Tests of body replacement, response headers, and unexpected results of the host.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::abi::stand_in::{Answer, Call, UNKNOWN, install};

/// Installs a host that returns `answer` for all calls, and returns the calls.
fn host(answer: Answer) -> Rc<RefCell<Vec<Call>>> {
    let calls: Rc<RefCell<Vec<Call>>> = Rc::default();
    let seen = Rc::clone(&calls);
    install(move |call| {
        seen.borrow_mut().push(call.clone());
        answer.clone()
    });
    calls
}

fn bytes(bytes: &[u8]) -> Answer {
    Answer { bytes: Some(bytes.to_vec()), ..Answer::default() }
}

#[test]
fn a_body_is_whole_or_none() {
    host(bytes(b"four"));
    assert_eq!(response_body(4).as_deref(), Some(&b"four"[..]));
    assert_eq!(response_body(5), None);
    assert_eq!(response_body(3), None);
    let calls = host(Answer::default());
    assert_eq!(response_body(0), Some(Vec::new()));
    assert_eq!(calls.take(), [], "nothing is asked for in vain");
}

#[test]
fn only_the_parts_that_are_there_are_put() {
    for (parts, places) in [
        ([&b""[..], b"m", b""], vec![0]),
        ([b"h", b"m", b""], vec![0, 0]),
        ([b"", b"", b"t"], vec![0, usize::MAX as u64]),
        ([b"h", b"m", b"t"], vec![0, 0, usize::MAX as u64]),
    ] {
        let calls = host(Answer::default());
        assert!(replace_response_body(9, parts));
        assert_eq!(calls.take().iter().map(|call| call.numbers[1]).collect::<Vec<_>>(), places);
    }
    let calls = host(Answer::default());
    assert!(prepend_response_body(&[b"h", b"", b"t"]));
    let put: Vec<_> = calls.take().into_iter().flat_map(|call| call.bytes).collect();
    assert_eq!(put, [b"t", b"h"], "from behind");
    host(Answer { status: UNKNOWN, ..Answer::default() });
    assert!(!replace_response_body(9, [b"h", b"m", b"t"]) && !prepend_response_body(&[b"x"]));
}

#[test]
fn a_reply_is_not_split_by_its_headers() {
    let calls = host(Answer::default());
    let headers = [("a", &b"1"[..]), ("b", b"2\r\nx: y"), ("c", b"\0"), ("d", b"\xff")];
    send_response(403, headers.into_iter(), b"no");
    let call = calls.take().remove(0);
    assert_eq!(headers_of(&call), [("a", &b"1"[..]), ("d", b"\xff")]);
    assert_eq!((call.numbers[0], call.bytes[1].as_slice()), (403, &b"no"[..]));
}

fn headers_of(call: &Call) -> Vec<Pair<'_>> {
    headers(&call.bytes[2])
}

#[test]
fn malformed_headers_are_none() {
    host(bytes(&[0xff; 12]));
    assert_eq!(headers(&header_buffer(Map::Request)), []);
    host(Answer { status: 2, ..Answer::default() });
    assert_eq!(headers(&header_buffer(Map::Request)), []);
}

#[test]
fn an_environment_may_hold_what_is_no_text() {
    host(bytes(b"A=1\0\xff=2\0none\0B==\0\0"));
    assert_eq!(environment(), [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "=".to_owned())]);
}

#[test]
fn another_stream_is_reset_only_in_its_own_context() {
    let calls = host(Answer { status: UNKNOWN, ..Answer::default() });
    reset_paused(7);
    tick_every(1, Duration::from_millis(1));
    let names: Vec<_> = calls.take().into_iter().map(|call| call.name).collect();
    assert_eq!(names, ["proxy_set_effective_context"; 2]);
}

#[test]
fn a_tick_longer_than_a_number_can_say_is_the_longest() {
    let calls = host(Answer::default());
    tick_every(1, Duration::MAX);
    assert_eq!(calls.take()[1].numbers, [u64::from(u32::MAX)]);
}
