//! Tests traps in each callback.

use super::*;

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
