//! Messages between the proxy and the filter: a request as received, changes to headers, and a request to an upstream.

use alloc::string::String;
use alloc::vec::Vec;

use super::reply::Header;

/// A request whose headers the proxy has received.
pub struct Request<'a> {
    /// All headers in order, including `:method`, `:path`, `:authority` and `:scheme`.
    pub headers: &'a [Header],
    /// The proxy's knowledge beyond the headers.
    pub attributes: &'a dyn Attributes,
    /// The current time, in seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
    /// The headers end the request: it has no body and no trailers.
    pub end_of_stream: bool,
}

/// Facts about a request that the proxy knows beyond its headers. Each costs a host call, so it is only asked for where
/// a check needs it.
pub trait Attributes {
    /// The client's address as the proxy determines it: `ip:port` or `[ip]:port`.
    fn client_address(&self) -> Option<Vec<u8>>;

    /// The policy named by the proxy's route, if any. Called only if the configuration has `routePolicy`. A proxy may choose
    /// the route by the target with the token in its path; see [`Exchange::confirm_route`].
    ///
    /// [`Exchange::confirm_route`]: crate::exchange::Exchange::confirm_route
    fn route_policy(&self) -> Option<Vec<u8>>;

    /// The JA4 fingerprint of the connection's TLS client, if the proxy computes it.
    fn ja4(&self) -> Option<Vec<u8>> {
        None
    }

    /// A value in the dynamic metadata that the proxy's filters have written, by the names that lead to it, in the host's
    /// encoding. Called only if the configuration takes access tokens from there.
    fn metadata(&self, _names: &[&str]) -> Option<Vec<u8>> {
        None
    }
}

/// Attributes that are known in advance.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// See [`Attributes::client_address`].
    pub client_address: Option<Vec<u8>>,
    /// See [`Attributes::route_policy`].
    pub route_policy: Option<Vec<u8>>,
    /// See [`Attributes::ja4`].
    pub ja4: Option<Vec<u8>>,
}

impl Known {
    /// Knows the client's address only.
    pub fn client(address: &str) -> Self {
        Self { client_address: Some(address.as_bytes().to_vec()), ..Self::default() }
    }
}

impl Attributes for Known {
    fn client_address(&self) -> Option<Vec<u8>> {
        self.client_address.clone()
    }

    fn route_policy(&self) -> Option<Vec<u8>> {
        self.route_policy.clone()
    }

    fn ja4(&self) -> Option<Vec<u8>> {
        self.ja4.clone()
    }
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
