//! Tests of host callbacks during a callback, through the exported functions.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::abi::stand_in::{Answer, UNKNOWN, install};
use crate::exports::{
    proxy_on_configure, proxy_on_context_create, proxy_on_delete, proxy_on_http_call_response, proxy_on_log,
    proxy_on_request_body, proxy_on_request_headers, proxy_on_request_trailers, proxy_on_response_body,
    proxy_on_response_headers, proxy_on_response_trailers, proxy_on_tick,
};

thread_local! {
    /// Events on this test's thread.
    static EVENTS: RefCell<Vec<String>> = RefCell::default();
}

fn note(event: impl Into<String>) {
    EVENTS.with_borrow_mut(|events| events.push(event.into()));
}

fn events() -> Vec<String> {
    EVENTS.take()
}

struct Plugin(u32);

impl Root for Plugin {
    fn on_configure(&self) -> bool {
        note(format!("configure {}", self.0));
        host::configuration() == b"good"
    }

    fn on_tick(&self) {
        note(format!("tick {}", self.0));
        host::reset_paused(2);
    }

    fn create_http(&self, id: u32) -> Box<dyn Http> {
        Box::new(Stream(id))
    }
}

/// A stream that resets its response in the body callback and calls a cluster in the request callback.
struct Stream(u32);

impl Http for Stream {
    fn on_request_headers(&mut self, end_of_stream: bool) -> Action {
        note(format!("request {} {end_of_stream}", self.0));
        let called = dispatch_http_call(self.0, "may", [(":path", &b"/"[..])].into_iter(), 9);
        if called { Action::Pause } else { Action::Continue }
    }

    fn on_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        note(format!("asked {} {:?} {end_of_stream}", self.0, host::request_body(size)));
        if host::drop_request_body(size) { Action::Pause } else { Action::Continue }
    }

    fn on_request_trailers(&mut self) -> Action {
        note(format!("asked {} trailers", self.0));
        Action::Pause
    }

    fn on_http_call_response(&mut self, headers: &[Pair<'_>]) {
        note(format!("answer {} {headers:?}", self.0));
    }

    fn on_response_headers(&mut self, _: bool) -> Action {
        Action::Continue
    }

    fn on_response_body(&mut self, size: usize, _: bool) -> Action {
        note(format!("body {} {size}", self.0));
        host::reset_response();
        note(format!("alive {}", is_alive(self.0)));
        Action::Continue
    }

    fn on_response_trailers(&mut self) -> Action {
        Action::Continue
    }

    fn on_log(&mut self) {
        note(format!("log {} alive {}", self.0, is_alive(self.0)));
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Accesses the table, as a worker's batch does: the table must not be borrowed.
        note(format!("drop {} alive {}", self.0, is_alive(self.0)));
    }
}

/// Deletes every context at the end of a test: thread-local variables may be destroyed before contexts dropped later.
struct Started;

impl Drop for Started {
    fn drop(&mut self) {
        (1..10).for_each(|id| proxy_on_delete(id));
    }
}

/// Creates a plugin with the streams 2 and 3.
#[must_use]
fn start() -> Started {
    set_factory(|id| Rc::new(Plugin(id)));
    proxy_on_context_create(1, 0);
    proxy_on_context_create(2, 1);
    proxy_on_context_create(3, 1);
    Started
}

/// Makes the host run `act` when it closes a stream.
fn when_closed(act: impl Fn() + 'static) {
    install(move |call| {
        if call.name == "proxy_close_stream" {
            act();
        }
        Answer::default()
    });
}

#[test]
fn a_stream_that_is_ended_from_its_own_callback_is_logged_and_dropped_after_it() {
    let _started = start();
    when_closed(|| {
        proxy_on_log(2);
        proxy_on_delete(2);
    });
    assert_eq!(proxy_on_response_body(2, 5, 0), Action::Continue);
    assert_eq!(events(), ["body 2 5", "alive false", "log 2 alive false", "drop 2 alive false"]);
    assert_eq!(proxy_on_response_body(2, 5, 0), Action::Pause, "it is no more");
    assert_eq!(events(), [] as [&str; 0]);
}

#[test]
fn a_stream_that_is_only_logged_from_its_own_callback_lives_on() {
    let _started = start();
    when_closed(|| proxy_on_log(2));
    proxy_on_response_body(2, 5, 0);
    assert_eq!(events(), ["body 2 5", "alive true", "log 2 alive true"]);
    proxy_on_delete(2);
    assert_eq!(events(), ["drop 2 alive false"]);
}

#[test]
fn another_stream_can_be_ended_from_a_callback() {
    let _started = start();
    when_closed(|| {
        proxy_on_log(3);
        proxy_on_delete(3);
    });
    assert_eq!(proxy_on_response_body(2, 5, 0), Action::Continue);
    assert_eq!(events(), ["body 2 5", "log 3 alive true", "drop 3 alive false", "alive true"]);
}

#[test]
fn a_new_stream_can_begin_in_a_callback() {
    let _started = start();
    when_closed(|| proxy_on_context_create(4, 1));
    proxy_on_response_body(2, 5, 0);
    assert!(is_alive(4));
}

/// Hosts do not do this, but if one did, two callbacks of one stream must not run at the same time.
#[test]
fn a_stream_is_not_called_while_it_is_being_called() {
    let _started = start();
    when_closed(|| assert_eq!(proxy_on_response_body(2, 1, 0), Action::Pause));
    assert_eq!(proxy_on_response_body(2, 5, 0), Action::Continue);
    assert_eq!(events(), ["body 2 5", "alive true"]);
}

#[test]
fn a_tick_can_end_a_stream_and_be_ended_with_its_plugin() {
    let _started = start();
    when_closed(|| {
        proxy_on_log(2);
        proxy_on_delete(2);
        proxy_on_delete(1);
    });
    proxy_on_tick(1);
    assert_eq!(events(), ["tick 1", "log 2 alive true", "drop 2 alive false"]);
    proxy_on_tick(1);
    proxy_on_context_create(9, 1);
    assert!(!is_alive(9), "its plugin is no more");
    assert_eq!(events(), [] as [&str; 0]);
}

#[test]
fn nothing_passes_without_a_context() {
    assert_eq!(proxy_on_request_headers(7, 3, 1), Action::Pause);
    assert_eq!(proxy_on_request_body(7, 3, 1), Action::Pause);
    assert_eq!(proxy_on_request_trailers(7, 3), Action::Pause);
    assert_eq!(proxy_on_response_headers(7, 3, 1), Action::Pause);
    assert_eq!(proxy_on_response_body(7, 3, 1), Action::Pause);
    assert_eq!(proxy_on_response_trailers(7, 3), Action::Pause);
    assert_eq!(proxy_on_configure(7, 0), 0);
    proxy_on_tick(7);
    proxy_on_log(7);
    proxy_on_delete(7);
    proxy_on_http_call_response(7, 7, 7, 7, 7);
    proxy_on_context_create(8, 7);
    assert!(!is_alive(8));
}

#[test]
fn a_configuration_is_taken_or_refused() {
    let _started = start();
    install(|_| Answer { bytes: Some(b"good".to_vec()), ..Answer::default() });
    assert_eq!(proxy_on_configure(1, 4), 1);
    install(|_| Answer { status: UNKNOWN, ..Answer::default() });
    assert_eq!(proxy_on_configure(1, 4), 0);
}

/// Bytes that a filter keeps must leave the host's buffer, which is limited.
#[test]
fn a_request_body_is_read_and_dropped() {
    let _started = start();
    let calls = Rc::new(RefCell::new(Vec::<(&'static str, Vec<u64>)>::new()));
    let seen = Rc::clone(&calls);
    install(move |call| {
        seen.borrow_mut().push((call.name, call.numbers.clone()));
        Answer { bytes: Some(b"12345".to_vec()), ..Answer::default() }
    });
    assert_eq!(proxy_on_request_body(2, 5, 0), Action::Pause);
    assert_eq!(proxy_on_request_body(2, 0, 1), Action::Pause);
    assert_eq!(proxy_on_request_body(2, 6, 1), Action::Pause);
    assert_eq!(proxy_on_request_trailers(2, 1), Action::Pause);
    let some = "asked 2 Some([49, 50, 51, 52, 53]) false";
    assert_eq!(events(), [some, "asked 2 Some([]) true", "asked 2 None true", "asked 2 trailers"]);
    let names: Vec<&str> = calls.borrow().iter().map(|(name, _)| *name).collect();
    let (get, set) = ("proxy_get_buffer_bytes", "proxy_set_buffer_bytes");
    assert_eq!(names, [get, set, get, set]);
    assert!(calls.borrow().iter().all(|(_, numbers)| numbers.first() == Some(&0)), "of another buffer");
    install(|_| Answer { status: UNKNOWN, ..Answer::default() });
    assert_eq!(proxy_on_request_body(2, 5, 0), Action::Continue);
    assert_eq!(events(), ["asked 2 None false"]);
}

/// Installs a host that returns call token 40 and a status header.
fn answering() {
    install(|call| match call.name {
        "proxy_get_header_map_pairs" => {
            let bytes = crate::pairs::write([(":status", &b"200"[..])].into_iter());
            Answer { bytes, ..Answer::default() }
        }
        _ => Answer { number: 40, ..Answer::default() },
    });
}

#[test]
fn an_answer_goes_to_the_stream_that_waits_for_it_once() {
    let _started = start();
    answering();
    assert_eq!(proxy_on_request_headers(2, 3, 1), Action::Pause);
    proxy_on_http_call_response(1, 41, 1, 0, 0);
    assert_eq!(events(), ["request 2 true"], "another token");
    proxy_on_http_call_response(1, 40, 1, 0, 0);
    assert_eq!(events(), [r#"answer 2 [(":status", [50, 48, 48])]"#]);
    proxy_on_http_call_response(1, 40, 1, 0, 0);
    assert_eq!(events(), [] as [&str; 0]);
}

#[test]
fn a_failed_call_has_no_headers() {
    let _started = start();
    answering();
    proxy_on_request_headers(2, 3, 1);
    proxy_on_http_call_response(1, 40, 0, 0, 0);
    assert_eq!(events(), ["request 2 true", "answer 2 []"]);
}

#[test]
fn an_answer_to_a_stream_that_is_over_is_dropped() {
    let _started = start();
    answering();
    proxy_on_request_headers(2, 3, 1);
    proxy_on_delete(2);
    proxy_on_http_call_response(1, 40, 1, 0, 0);
    assert_eq!(events(), ["request 2 true", "drop 2 alive false"]);
}

#[test]
fn a_call_that_the_host_refuses_is_no_call() {
    let _started = start();
    install(|_| Answer { status: 2, number: 40, ..Answer::default() });
    assert_eq!(proxy_on_request_headers(2, 3, 1), Action::Continue);
    proxy_on_http_call_response(1, 40, 1, 0, 0);
    assert_eq!(events(), ["request 2 true"]);
}
