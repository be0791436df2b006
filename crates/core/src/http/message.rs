//! Messages between the proxy and the filter: a request as the proxy hands it over, changes to headers, and a request of the
//! filter's own.

use alloc::string::String;
use alloc::vec::Vec;

use super::reply::Header;

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
