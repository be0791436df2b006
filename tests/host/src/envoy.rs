//! Envoy's rules for one HTTP filter: the sequence of callbacks, the effect of their return values, the client's view.
//!
//! Determined by experiment on Envoy 1.40. Where a real Envoy would hang, crash or violate the protocol, the result is
//! an [`Outcome`], so that a scenario can check it.

use crate::message::{Ending, Header, Outcome, Request, Response, Seen, header};
use crate::stream::{Action, CALL, LocalReply, Phase, Stream};

/// The filter trapped in a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trap(pub String);

/// One filter context: the callbacks that Envoy calls.
pub trait Filter {
    /// The request headers have arrived.
    fn on_request_headers(&mut self, stream: &mut Stream, end_of_stream: bool) -> Result<Action, Trap>;
    /// More of the request body has arrived; `size` includes bytes that were buffered before.
    fn on_request_body(&mut self, stream: &mut Stream, size: usize, end_of_stream: bool) -> Result<Action, Trap> {
        let _ = (stream, size, end_of_stream);
        Ok(Action::Continue)
    }
    /// The request trailers have arrived.
    fn on_request_trailers(&mut self, stream: &mut Stream) -> Result<Action, Trap> {
        let _ = stream;
        Ok(Action::Continue)
    }
    /// The response to the filter's own request has arrived.
    fn on_http_call_response(&mut self, stream: &mut Stream, token: u32) -> Result<(), Trap>;
    /// The response headers have arrived.
    fn on_response_headers(&mut self, stream: &mut Stream, end_of_stream: bool) -> Result<Action, Trap>;
    /// More of the response body has arrived; `size` includes bytes that were buffered before.
    fn on_response_body(&mut self, stream: &mut Stream, size: usize, end_of_stream: bool) -> Result<Action, Trap>;
    /// The response trailers have arrived.
    fn on_response_trailers(&mut self, stream: &mut Stream) -> Result<Action, Trap>;
    /// The stream is over.
    fn on_log(&mut self, stream: &mut Stream) -> Result<(), Trap>;
}

/// The relevant part of Envoy's configuration.
#[derive(Debug, Clone, Copy)]
pub struct Envoy {
    /// `allow_on_headers_stop_iteration`: without it `Pause` on response headers hangs.
    pub allow_hold: bool,
    /// Maximum size of a paused body in bytes.
    pub buffer_limit: usize,
}

impl Envoy {
    /// Envoy's defaults.
    pub fn new(allow_hold: bool) -> Self {
        Self { allow_hold, buffer_limit: 1 << 20 }
    }

    /// Runs one exchange. `origin` receives the request headers as the filter left them.
    pub fn exchange(
        &self,
        filter: &mut dyn Filter,
        request: Request,
        origin: &mut dyn FnMut(&[Header]) -> Response,
    ) -> Seen {
        let (head_only, grpc) = (request.is_head(), request.is_grpc());
        let mut run = Run { envoy: *self, head_only, grpc, stream: Stream::new(request), seen: Seen::default() };
        let end = run.request(filter, origin);
        let trapped = matches!(end, Err(End(Outcome::Trap, _)));
        run.close(end);
        if !trapped {
            run.stream.phase = Phase::Log;
            if let Err(Trap(why)) = filter.on_log(&mut run.stream) {
                run.seen.outcome = Outcome::Trap;
                run.seen.why = why;
            }
        }
        run.seen.state = run.stream.state;
        run.seen
    }
}

/// The cause of an exchange's early end.
struct End(Outcome, String);

fn end<T>(outcome: Outcome, why: &str) -> Result<T, End> {
    Err(End(outcome, why.to_owned()))
}

/// One exchange in progress.
struct Run {
    envoy: Envoy,
    head_only: bool,
    /// Local replies are in gRPC form. Envoy determines this before any filter runs.
    grpc: bool,
    stream: Stream,
    seen: Seen,
}

impl Run {
    fn request(&mut self, filter: &mut dyn Filter, origin: &mut dyn FnMut(&[Header]) -> Response) -> Result<(), End> {
        let ends = !self.stream.has_body;
        let action = filter.on_request_headers(&mut self.stream, ends);
        let action = action.map_err(|trap| self.trap(trap))?;
        if self.stream.reset {
            return end(Outcome::Broken, "reset on the request");
        }
        self.call(filter, action)?;
        let held = action == Action::Pause && !self.stream.resumed;
        // Without the flag, headers that wait stop the body, too.
        let resumed =
            self.stream.reply.is_none() && (!held || self.envoy.allow_hold) && self.request_body(filter, held)?;
        if let Some(reply) = self.stream.reply.take() {
            // It comes back through the filter that sent it.
            let response = self.local(reply);
            return self.response(filter, response);
        }
        if held && !resumed {
            return end(Outcome::Hang, "Pause on request headers and nothing resumes");
        }
        self.stream.resumed = false;
        self.seen.origin = Some(self.stream.request.clone());
        let mut response = origin(&self.stream.request);
        if self.head_only {
            response.chunks.clear();
            response.ending = Ending::WithData;
        }
        self.response(filter, response)
    }

    /// Answers the call to a cluster that the filter waits for, if there is one.
    fn call(&mut self, filter: &mut dyn Filter, action: Action) -> Result<(), End> {
        if action == Action::Pause
            && self.stream.reply.is_none()
            && let Some((call, status)) = self.stream.call.take()
        {
            self.seen.call = Some(call);
            self.stream.answer = Some(vec![(":status".to_owned(), status.to_string().into_bytes())]);
            let told = filter.on_http_call_response(&mut self.stream, CALL);
            told.map_err(|trap| self.trap(trap))?;
            self.stream.answer = None;
        }
        Ok(())
    }

    /// Passes the request's body to the filter. True if the filter lets it go on, which sends held headers, too.
    fn request_body(&mut self, filter: &mut dyn Filter, held: bool) -> Result<bool, End> {
        let (chunks, ending) = std::mem::replace(&mut self.stream.request_body, (Vec::new(), Ending::EmptyChunk));
        if !self.stream.has_body {
            return Ok(false);
        }
        self.stream.phase = Phase::RequestBody;
        let trails = matches!(ending, Ending::Trailers(_));
        let ends = ending == Ending::EmptyChunk || chunks.is_empty() && !trails;
        let count = chunks.len();
        let chunks = chunks.into_iter().chain(ends.then(Vec::new)).enumerate();
        let mut action = if held { Action::Pause } else { Action::Continue };
        for (index, chunk) in chunks {
            self.stream.body.extend_from_slice(&chunk);
            let last = if ends { index == count } else { !trails && index + 1 == count };
            let size = self.stream.body.len();
            let called = filter.on_request_body(&mut self.stream, size, last);
            action = called.map_err(|trap| self.trap(trap))?;
            if self.stream.reset {
                return end(Outcome::Broken, "reset on the request body");
            }
            self.call(filter, action)?;
            if self.stream.reply.is_some() {
                self.stream.body.clear();
                return Ok(false);
            }
            if action == Action::Continue {
                self.stream.body.clear();
            } else if self.stream.body.len() > self.envoy.buffer_limit {
                return end(Outcome::Broken, "the paused request is over the buffer's limit");
            }
        }
        if trails {
            let called = filter.on_request_trailers(&mut self.stream);
            action = called.map_err(|trap| self.trap(trap))?;
            self.call(filter, action)?;
        }
        self.stream.body.clear();
        Ok(action == Action::Continue)
    }

    fn response(&mut self, filter: &mut dyn Filter, response: Response) -> Result<(), End> {
        let end_of_stream = response.ends_with_headers();
        self.stream.phase = Phase::Head;
        self.stream.response = response.headers;
        self.stream.head_held = true;
        let action = filter.on_response_headers(&mut self.stream, end_of_stream);
        let action = action.map_err(|trap| self.trap(trap))?;
        if self.stream.reset {
            return end(Outcome::Broken, "reset on response headers");
        }
        if self.replied()? {
            return Ok(());
        }
        match action {
            Action::Continue if self.stream.resumed => {
                return end(Outcome::Malformed, "resumed within response headers and Continue: headers twice");
            }
            Action::Continue => self.send_head()?,
            Action::Pause if end_of_stream => {
                return end(Outcome::Hang, "Pause on response headers that end the stream");
            }
            Action::Pause if !self.envoy.allow_hold => {
                return end(Outcome::Hang, "Pause on response headers without allow_on_headers_stop_iteration");
            }
            Action::Pause => {}
        }
        if end_of_stream {
            return Ok(());
        }
        let mut chunks = response.chunks.into_iter().peekable();
        while let Some(chunk) = chunks.next() {
            let last = chunks.peek().is_none() && response.ending == Ending::WithData;
            if self.body(filter, &chunk, last)? {
                return Ok(());
            }
        }
        match response.ending {
            Ending::WithData => Ok(()),
            Ending::EmptyChunk => self.body(filter, &[], true).map(|_| ()),
            Ending::Trailers(trailers) => self.trailers(filter, trailers),
            Ending::Abort => end(Outcome::Broken, "the origin broke off"),
        }
    }

    /// Calls the body callback once. True if a local reply replaced the response.
    fn body(&mut self, filter: &mut dyn Filter, chunk: &[u8], end_of_stream: bool) -> Result<bool, End> {
        self.stream.phase = Phase::Body;
        self.stream.body.extend_from_slice(chunk);
        let size = self.stream.body.len();
        let action = filter.on_response_body(&mut self.stream, size, end_of_stream);
        let action = action.map_err(|trap| self.trap(trap))?;
        if self.stream.reset {
            return end(Outcome::Broken, "reset on the body");
        }
        if self.replied()? {
            return Ok(true);
        }
        self.stream.body_paused = action == Action::Pause;
        match action {
            Action::Continue => self.send_body()?,
            Action::Pause if end_of_stream => return end(Outcome::Hang, "Pause on the body's end"),
            Action::Pause if self.stream.body.len() > self.envoy.buffer_limit => {
                if !self.stream.head_held {
                    return end(Outcome::Broken, "the paused body is over the buffer's limit");
                }
                let reply = LocalReply { status: 500, headers: vec![], body: b"Internal Server Error".to_vec() };
                self.send_direct(reply)?;
                return Ok(true);
            }
            Action::Pause => {}
        }
        Ok(false)
    }

    fn trailers(&mut self, filter: &mut dyn Filter, trailers: Vec<Header>) -> Result<(), End> {
        self.stream.phase = Phase::Trailers;
        self.stream.trailers = trailers;
        let action = filter.on_response_trailers(&mut self.stream);
        let action = action.map_err(|trap| self.trap(trap))?;
        if self.stream.reset {
            return match action {
                Action::Continue => end(Outcome::Crash, "reset on trailers and Continue"),
                Action::Pause => end(Outcome::Broken, "reset on trailers"),
            };
        }
        if self.replied()? {
            return Ok(());
        }
        match action {
            Action::Continue => self.send_body(),
            Action::Pause => end(Outcome::Hang, "Pause on trailers"),
        }
    }

    /// Sends the local reply of a response callback. It passes through no filter.
    fn replied(&mut self) -> Result<bool, End> {
        let Some(reply) = self.stream.reply.take() else { return Ok(false) };
        if !self.stream.head_held {
            return end(Outcome::Broken, "a reply after the headers have gone is a reset");
        }
        self.send_direct(reply)?;
        Ok(true)
    }

    fn send_direct(&mut self, reply: LocalReply) -> Result<(), End> {
        let response = self.local(reply);
        self.stream.response = response.headers;
        self.stream.body = response.chunks.concat();
        self.send_head()?;
        self.send_body()
    }

    /// The response that Envoy makes from a local reply.
    fn local(&self, reply: LocalReply) -> Response {
        if self.grpc {
            return Self::grpc(&reply);
        }
        let mut headers = vec![(":status".to_owned(), reply.status.to_string().into_bytes())];
        headers.extend(reply.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)));
        if !reply.body.is_empty() {
            headers.retain(|(name, _)| name != "content-length");
            headers.push(("content-length".to_owned(), reply.body.len().to_string().into_bytes()));
            if header(&headers, "content-type").is_none() {
                headers.push(("content-type".to_owned(), b"text/plain".to_vec()));
            }
        }
        let body = if self.head_only { Vec::new() } else { reply.body };
        let chunks = if body.is_empty() { vec![] } else { vec![body] };
        Response { headers, chunks, ending: Ending::WithData }
    }

    /// A local reply to a request with the media type of gRPC: the body becomes a header.
    fn grpc(reply: &LocalReply) -> Response {
        let header = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
        let mut headers =
            vec![header(":status", b"200"), header("content-type", b"application/grpc"), header("grpc-status", b"7")];
        if !reply.body.is_empty() {
            headers.push(header("grpc-message", &reply.body.escape_ascii().to_string().into_bytes()));
        }
        headers.extend(reply.headers.iter().filter(|(name, _)| name != "content-type").cloned());
        Response { headers, chunks: vec![], ending: Ending::WithData }
    }

    fn send_head(&mut self) -> Result<(), End> {
        self.stream.head_held = false;
        let headers = &self.stream.response;
        let status = header(headers, ":status").and_then(|value| std::str::from_utf8(value).ok());
        let Some(status) = status.and_then(|text| text.parse().ok()) else {
            return end(Outcome::Malformed, "no :status");
        };
        self.seen.status = Some(status);
        self.seen.headers = headers.iter().filter(|(name, _)| !name.starts_with(':')).cloned().collect();
        let split = |(name, value): &Header| value.iter().chain(name.as_bytes()).any(|byte| b"\r\n\0".contains(byte));
        if self.seen.headers.iter().any(split) {
            return end(Outcome::Malformed, "CR, LF or NUL in a response header");
        }
        Ok(())
    }

    fn send_body(&mut self) -> Result<(), End> {
        if self.stream.head_held {
            self.send_head()?;
        }
        self.seen.body.append(&mut self.stream.body);
        if !self.seen.body.is_empty() && (self.head_only || matches!(self.seen.status, Some(204 | 304))) {
            return end(Outcome::Malformed, "a body where none may be");
        }
        Ok(())
    }

    /// The VM has trapped: 503 if no headers have been sent yet.
    fn trap(&mut self, Trap(why): Trap) -> End {
        if self.seen.status.is_none() {
            self.seen.status = Some(503);
        }
        End(Outcome::Trap, why)
    }

    fn close(&mut self, result: Result<(), End>) {
        let Err(End(outcome, why)) = result else { return self.check_length() };
        self.seen.outcome = outcome;
        self.seen.why = why;
        let promised = self.seen.header("content-length");
        if outcome == Outcome::Broken && promised == Some(self.seen.body.len().to_string()) {
            self.seen.outcome = Outcome::Malformed;
            self.seen.why.push_str("; but every promised byte is out: an HTTP/1.1 client takes it for complete");
        }
    }

    /// Envoy never checks this; the client hangs, or reads stray bytes as the next response.
    fn check_length(&mut self) {
        let Some(promised) = self.seen.header("content-length") else { return };
        let bodiless = self.head_only || matches!(self.seen.status, Some(204 | 304));
        if !bodiless && promised != self.seen.body.len().to_string() {
            self.seen.outcome = Outcome::Malformed;
            self.seen.why = format!("content-length {promised}, body of {}", self.seen.body.len());
        }
    }
}

#[cfg(test)]
mod tests;
