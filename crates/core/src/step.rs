//! The request that an exchange takes, and the steps that it asks the proxy to carry out.

use alloc::string::String;
use alloc::vec::Vec;

use crate::output::Output;
use crate::reply::{Header, Reason, Reply};

/// A request whose headers the proxy has received.
pub struct Request<'a> {
    /// All headers in order, including `:method`, `:path`, `:authority` and `:scheme`.
    pub headers: &'a [Header],
    /// The client's address as the proxy determines it: `ip:port` or `[ip]:port`. Few requests need it, and it costs a
    /// host call.
    pub client: &'a dyn Fn() -> Option<Vec<u8>>,
    /// The policy named by the proxy's route, if any. Called only if the configuration has `routePolicy`.
    pub route_policy: &'a dyn Fn() -> Option<Vec<u8>>,
    /// The current time, in seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
    /// The headers end the request: it has no body and no trailers.
    pub end_of_stream: bool,
}

/// Changes to a header map; removals are applied first.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    /// Headers to remove, with all their values.
    pub remove: Vec<String>,
    /// Headers to set, replacing all existing values.
    pub set: Vec<Header>,
    /// Headers to add to existing ones (`set-cookie`).
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

/// A request from the filter to an upstream.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    /// The upstream's name in the proxy's configuration.
    pub cluster: String,
    /// All headers, starting with `:method`, `:path` and `:authority`. There is no body.
    pub headers: Vec<Header>,
    /// Timeout for the response, in seconds.
    pub timeout: u64,
}

/// The next step for response headers.
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
