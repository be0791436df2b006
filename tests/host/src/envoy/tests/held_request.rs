//! Tests the body of a held request.

use super::*;

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
