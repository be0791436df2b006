//! What the proxy tells an exchange, and the steps that it is asked to take.

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

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestStep {
    /// Send it to the origin with these changes.
    Forward(HeaderEdits),
    /// Answer it here; it never reaches the origin.
    Reply(Reply),
    /// Hold it and ask an upstream; what comes of it goes to [`crate::exchange::Exchange::on_answer`].
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
    /// Let them go with these changes.
    Forward(HeaderEdits),
    /// Make these changes and hold the headers until the first body step that is not [`BodyStep::Hold`].
    Hold(HeaderEdits),
    /// Answer this in place of the origin's response.
    Reply(Reply),
}

/// What to do with a chunk of a response's body.
#[derive(Debug)]
pub enum BodyStep {
    /// Let it go as it is.
    Forward,
    /// Send these bytes (perhaps none) in its place.
    Replace(Output),
    /// The headers are still held, and these bytes are the whole body: set `content-length` to how many they are, and send
    /// them in its place.
    Whole(Output),
    /// Send nothing in its place yet, and pause the stream: its bytes are kept. Never for the last chunk.
    Hold,
    /// The headers are still held: answer this in place of the origin's response.
    Reply(Reply),
    /// The headers are out: break the response off so that the client sees that it is broken.
    Reset(Reason),
}

/// What to do with a response's trailers.
#[derive(Debug, PartialEq, Eq)]
pub enum TrailersStep {
    /// Let them go.
    Forward,
    /// Break the response off.
    Reset(Reason),
}
