//! Messages between the proxy and the filter: a request as received, changes to headers, and a request to an upstream.

use alloc::string::String;
use alloc::vec::Vec;

use super::reply::Header;

/// A request whose headers the proxy has received.
pub struct Request<'a> {
    /// All headers in order, including `:method`, `:path`, `:authority` and `:scheme`.
    pub headers: &'a [Header],
    /// The client's address as the proxy determines it: `ip:port` or `[ip]:port`. Few requests need it, and it costs a
    /// host call.
    pub client: &'a dyn Fn() -> Option<Vec<u8>>,
    /// The policy named by the proxy's route, if any. Called only if the configuration has `routePolicy`.
    pub route_policy: &'a dyn Fn() -> Option<Vec<u8>>,
    /// A value in the dynamic metadata that the proxy's filters have written, by the names that lead to it, in the host's
    /// encoding. Called only if the configuration takes access tokens from there.
    pub metadata: &'a dyn Fn(&[&str]) -> Option<Vec<u8>>,
    /// The protocol of the request as the proxy names it, such as `HTTP/2`. Called only if an access token restricts it.
    pub protocol: &'a dyn Fn() -> Option<Vec<u8>>,
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
