//! The request that an exchange takes, and the steps that it asks the proxy to carry out.

use alloc::string::String;
use alloc::vec::Vec;

use crate::output::Output;
use crate::reply::{Header, Reason, Reply};

/// What the proxy knows when the request's headers have come.
pub struct Request<'a> {
    /// All headers in order, `:method`, `:path`, `:authority` and `:scheme` among them.
    pub headers: &'a [Header],
    /// The client's address as the proxy trusts it: `ip:port` or `[ip]:port`. Few requests need it, and asking costs.
    pub client: &'a dyn Fn() -> Option<Vec<u8>>,
    /// The name of the policy that the proxy's route says, if it says one. Asked only if the configuration heeds it.
    pub route_policy: &'a dyn Fn() -> Option<Vec<u8>>,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
    /// The headers end the request: no body follows, and no trailers.
    pub end_of_stream: bool,
}

/// Changes to a header map; `remove` is carried out first.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    /// Every header of this name goes.
    pub remove: Vec<String>,
    /// Set to this one value, whatever was there.
    pub set: Vec<Header>,
    /// Added beside what is there (`set-cookie`).
    pub add: Vec<Header>,
}

/// The next step for a request.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestStep {
    /// Forward it to the origin with these changes.
    Forward(HeaderEdits),
    /// Answer it here; it never reaches the origin.
    Reply(Reply),
    /// Hold it and call an upstream; the result goes to [`crate::exchange::Exchange::on_answer`].
    Ask(Call),
}

/// A request of the filter's own to an upstream.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    /// The proxy's name for the upstream.
    pub cluster: String,
    /// All headers, `:method`, `:path` and `:authority` first. There is no body.
    pub headers: Vec<Header>,
    /// How long an answer is waited for, in seconds.
    pub timeout: u64,
}

/// What to do with a response's headers.
#[derive(Debug, PartialEq, Eq)]
pub enum HeadStep {
    /// Forward them with these changes.
    Forward(HeaderEdits),
    /// Apply these changes, and hold the headers until the first body step other than [`BodyStep::Hold`].
    Hold(HeaderEdits),
    /// Send this in place of the origin's response.
    Reply(Reply),
}

/// The next step for a chunk of a response body.
#[derive(Debug)]
pub enum BodyStep {
    /// Forward it unchanged.
    Forward,
    /// Send these bytes, possibly none, in its place.
    Replace(Output),
    /// The headers are still held and these bytes are the whole body: set `content-length` to their number, and send
    /// them.
    Whole(Output),
    /// Send nothing yet and pause the stream; the exchange keeps the bytes. Never the step for the last chunk.
    Hold,
    /// The headers are still held: send this in place of the origin's response.
    Reply(Reply),
    /// The headers have been sent: reset the stream, so that the client sees that the response is incomplete.
    Reset(Reason),
}

/// The next step for response trailers.
#[derive(Debug, PartialEq, Eq)]
pub enum TrailersStep {
    /// Forward them.
    Forward,
    /// Reset the stream.
    Reset(Reason),
}
