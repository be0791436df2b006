//! Tests with every failing status of a call, and with unexpected results.

use std::cell::RefCell;
use std::rc::Rc;

use super::memory::allocate;
use super::stand_in::{Answer, Call, UNKNOWN, install};
use super::*;

/// All statuses of the ABI except success, and some that are not in it.
const FAILURES: [u32; 10] = [1, 2, 3, 6, 7, 10, 11, 12, UNKNOWN, u32::MAX];

fn every_call() -> Vec<(&'static str, bool)> {
    vec![
        ("now", now().is_some()),
        ("set_tick_period", set_tick_period(1)),
        ("set_effective_context", set_effective_context(1)),
        ("buffer", buffer(Buffer::ResponseBody, 0, 9).is_some()),
        ("set_buffer", set_buffer(Buffer::ResponseBody, 0, 9, b"x")),
        ("header_pairs", header_pairs(Map::Request).is_some()),
        ("remove_header", remove_header(Map::Request, "a")),
        ("set_header", set_header(Map::Request, "a", b"b")),
        ("add_header", add_header(Map::Request, "a", b"b")),
        ("set_property", set_property(b"a", b"b")),
        ("shared", shared(b"a").is_some()),
        ("set_shared", set_shared(b"a", b"b", 1)),
        ("continue_response", continue_response()),
        ("close_response", close_response()),
        ("send_local_response", send_local_response(200, &[0; 4], b"")),
        ("http_call", http_call("a", &[0; 4], 1).is_some()),
        ("define_metric", define_metric(Metric::Counter, "a").is_some()),
        ("increment", increment(1, -1)),
        ("record", record(1, 1)),
        ("random", random().is_some()),
        ("environment", environment().is_some()),
        ("property", property(b"a").is_ok_and(|value| value.is_some())),
    ]
}

#[test]
fn every_status_but_success_is_a_failure() {
    for status in FAILURES {
        install(move |_| Answer { status, bytes: Some(b"left over".to_vec()), number: 7 });
        for (name, succeeded) in every_call() {
            assert!(!succeeded, "{name} with status {status}");
        }
        log(Level::Info, "of no interest");
        let expected = if status == NOT_FOUND { Ok(None) } else { Err(status) };
        assert_eq!(property(b"a"), expected, "not there is no failure");
    }
    install(|_| Answer { bytes: Some(b"left over".to_vec()), number: 1, ..Answer::default() });
    for (name, succeeded) in every_call() {
        assert!(succeeded, "{name} with success");
    }
}

#[test]
fn without_a_host_every_call_fails() {
    assert!(every_call().into_iter().all(|(_, succeeded)| !succeeded));
}

#[test]
fn what_is_handed_over_is_owned() {
    install(|call| match call.name {
        "proxy_get_buffer_bytes" => Answer { bytes: Some(vec![0xff; 3]), ..Answer::default() },
        "proxy_get_property" => Answer { bytes: Some(Vec::new()), ..Answer::default() },
        "proxy_get_shared_data" => Answer { bytes: Some(b"value".to_vec()), number: 5, ..Answer::default() },
        // Envoy leaves the pointers unchanged if there is nothing to return.
        _ => Answer::default(),
    });
    assert_eq!(buffer(Buffer::ResponseBody, 0, 3), Some(vec![0xff; 3]));
    assert_eq!(property(b"a"), Ok(Some(Vec::new())));
    assert_eq!(shared(b"a"), Some((b"value".to_vec(), 5)));
    assert_eq!(header_pairs(Map::Request), Some(Vec::new()));
}

#[test]
fn the_host_gets_every_byte_and_number() {
    let calls: Rc<RefCell<Vec<Call>>> = Rc::default();
    let seen = Rc::clone(&calls);
    install(move |call| {
        seen.borrow_mut().push(call.clone());
        Answer { number: 3, ..Answer::default() }
    });
    let call = |name, numbers: &[u64], bytes: &[&[u8]]| Call {
        name,
        numbers: numbers.to_vec(),
        bytes: bytes.iter().map(|bytes| bytes.to_vec()).collect(),
    };
    assert!(set_header(Map::Response, "a", b"\0\xff"));
    assert!(set_buffer(Buffer::ResponseBody, usize::MAX, 0, b"tail"));
    assert!(send_local_response(404, &[0; 4], b"body"));
    assert_eq!(http_call("may", &[0; 4], 250), Some(3));
    assert!(increment(3, -1));
    let most = usize::MAX as u64;
    assert_eq!(
        calls.take(),
        [
            call("proxy_replace_header_map_value", &[2], &[b"a", b"\0\xff"]),
            call("proxy_set_buffer_bytes", &[1, most, 0], &[b"tail"]),
            call("proxy_send_local_response", &[404], &[b"", b"body", &[0; 4]]),
            call("proxy_http_call", &[250], &[b"may", &[0; 4], b"", &[0; 4]]),
            call("proxy_increment_metric", &[3, u64::MAX], &[]),
        ]
    );
}

#[test]
fn memory_is_given_out_as_far_as_there_is_any() {
    assert!(!allocate(0).is_null(), "Envoy takes null for a failure");
    assert!(allocate(usize::MAX).is_null());
}

#[test]
fn random_bytes_are_those_of_the_host() {
    install(|_| Answer { bytes: Some((0..16).collect()), ..Answer::default() });
    assert_eq!(random(), Some(std::array::from_fn(|at| u8::try_from(at).unwrap())));
}
