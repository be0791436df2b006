//! What the proxy tells an exchange, and the steps that it is asked to take.

use alloc::string::String;
use alloc::vec::Vec;

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
}

/// What to do with a response's headers.
#[derive(Debug, PartialEq, Eq)]
pub enum HeadStep {
    /// Let them go with these changes.
    Forward(HeaderEdits),
    /// Make these changes and hold the headers until the first body step that is not [`BodyStep::Wait`].
    Hold(HeaderEdits),
    /// Answer this in place of the origin's response.
    Reply(Reply),
}

/// What to do with a chunk of a response's body.
#[derive(Debug, PartialEq, Eq)]
pub enum BodyStep {
    /// Let it go as it is.
    Forward,
    /// Send these bytes (perhaps none) in its place.
    Replace(Vec<u8>),
    /// Leave it in the proxy's buffer; the next call brings it again with what came after it. Only while
    /// headers are held, never for the last chunk.
    Wait,
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
