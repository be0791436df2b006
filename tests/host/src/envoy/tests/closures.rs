//! A filter made of closures.

use super::*;

type Call = Box<dyn FnMut(&mut Stream, usize, bool) -> Action>;

/// A filter made of closures; what is not given continues.
pub struct Closures {
    request: Call,
    head: Call,
    body: Call,
    trailers: Call,
    answer: Call,
    pub calls: Vec<String>,
}

impl Closures {
    pub fn new() -> Self {
        let go = || -> Call { Box::new(|_, _, _| Action::Continue) };
        Self { request: go(), head: go(), body: go(), trailers: go(), answer: go(), calls: Vec::new() }
    }

    pub fn request(mut self, call: impl FnMut(&mut Stream, usize, bool) -> Action + 'static) -> Self {
        self.request = Box::new(call);
        self
    }

    pub fn head(mut self, call: impl FnMut(&mut Stream, usize, bool) -> Action + 'static) -> Self {
        self.head = Box::new(call);
        self
    }

    pub fn body(mut self, call: impl FnMut(&mut Stream, usize, bool) -> Action + 'static) -> Self {
        self.body = Box::new(call);
        self
    }

    pub fn trailers(mut self, call: impl FnMut(&mut Stream, usize, bool) -> Action + 'static) -> Self {
        self.trailers = Box::new(call);
        self
    }

    pub fn answer(mut self, call: impl FnMut(&mut Stream, usize, bool) -> Action + 'static) -> Self {
        self.answer = Box::new(call);
        self
    }

    pub fn run(&mut self, envoy: Envoy, method: &str, response: Response) -> Seen {
        envoy.exchange(self, Request::new(method, "/a?b=1"), &mut |_| response.clone())
    }

    pub fn get(&mut self, response: Response) -> Seen {
        self.run(Envoy::new(false), "GET", response)
    }

    pub fn get_held(&mut self, response: Response) -> Seen {
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
