//! Tests of the context on hosts that fail.

use std::cell::RefCell;

use playlock_proxy_wasm::stand_in::{Answer, Call, UNKNOWN, install};

use super::*;

const CONFIG: &[u8] =
    br#"{"policies": [{"policyName": "vod", "tokenAuth": {"enabled": false}}], "assignments": [], "default": "pass"}"#;

/// Runs a request on a host that fails calls of this name, and returns the filter's action and calls.
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
    let policies = playlock_config::parse(CONFIG, &|_| None).map(|(policies, _)| Rc::new(policies)).ok();
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

const SPEKE: &[u8] =
    br#"{"holdHeaders": true, "assignments": [], "policies": [{"policyName": "vod", "mediaEncryption": {
    "enabled": true, "secret": "000102030405060708090a0b0c0d0e0f",
    "speke": {"path": "/speke", "requesters": [{"name": "a", "token": "0123456789abcdef", "contentIds": ["*"]}]}}}]}"#;

/// Runs a packager's request, whose body comes in a chunk and with its end in another call, on a host that fails calls of
/// this name. Returns the statuses of all responses, and the context's last action.
fn packager(failing: &'static str, path: &'static str, chunk: &'static [u8]) -> (Vec<u64>, Action) {
    let replies: Rc<RefCell<Vec<u64>>> = Rc::default();
    let seen = Rc::clone(&replies);
    let headers = [(":method", &b"POST"[..]), (":path", path.as_bytes()), (":authority", b"tv.example")];
    let headers = playlock_proxy_wasm::pairs::write(headers.into_iter());
    install(move |call| {
        match call.name {
            name if name == failing => return Answer { status: UNKNOWN, ..Answer::default() },
            "proxy_send_local_response" => seen.borrow_mut().push(call.numbers[0]),
            _ => {}
        }
        match call.name {
            "proxy_get_header_map_pairs" => Answer { bytes: headers.clone(), ..Answer::default() },
            "proxy_get_buffer_bytes" => Answer { bytes: Some(chunk.to_vec()), ..Answer::default() },
            _ => Answer { number: 1_700_000_000_000_000_000, ..Answer::default() },
        }
    });
    let policies = playlock_config::parse(SPEKE, &|_| None).map(|(policies, _)| Rc::new(policies)).ok();
    let mut context = Context::new(1, policies, Rc::default(), Rc::default());
    let mut action = context.on_request_headers(false);
    if action == Action::Pause && replies.borrow().is_empty() {
        action = Http::on_request_body(&mut context, chunk.len(), false);
    }
    if action == Action::Pause && replies.borrow().is_empty() {
        action = context.on_request_trailers();
    }
    drop(context);
    (replies.take(), action)
}

/// The status 400 is that of the document, which is none.
#[test]
fn a_body_that_cannot_be_read_or_dropped_is_a_refusal() {
    let path = "/speke/0123456789abcdef";
    for (failing, status) in [("", 400), ("proxy_get_buffer_bytes", 500), ("proxy_set_buffer_bytes", 500)] {
        assert_eq!(packager(failing, path, b"<a/"), (vec![status], Action::Pause), "without {failing}");
    }
    assert_eq!(packager("", "/speke/0123456789abcdeg", b"<a/"), (vec![401], Action::Pause));
}
