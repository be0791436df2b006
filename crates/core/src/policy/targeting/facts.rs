//! Facts about a request's client. Each is read on demand: most policies need few of them.

use core::net::IpAddr;

use crate::http::headers::{self, Sent};
use crate::http::incoming::RequestHead;
use crate::policy::text::HeaderName;

/// Names, in lower case, of the headers in which the proxy reports a client's location.
#[derive(Debug, Clone)]
pub struct GeoHeaders {
    /// Country code, ISO 3166-1 alpha-2.
    pub country: HeaderName,
    /// Region code, ISO 3166-2 without the country.
    pub region: HeaderName,
    /// Designated Market Area (DMA) number.
    pub dma: HeaderName,
    /// `true`, `1` or `yes` if the client is behind an anonymous proxy.
    pub anonymous_proxy: HeaderName,
    /// `true`, `1` or `yes` if the client is behind a transparent proxy.
    pub transparent_proxy: HeaderName,
    /// Number of the client's autonomous system.
    pub asn: HeaderName,
}

impl GeoHeaders {
    /// All names, in field order.
    pub fn all(&self) -> [&str; 6] {
        [&self.country, &self.region, &self.dma, &self.anonymous_proxy, &self.transparent_proxy, &self.asn]
    }
}

/// Facts about a request's client.
pub struct ClientOrigin<'a> {
    head: &'a RequestHead<'a>,
    /// Names of the proxy's geo headers.
    pub names: &'a GeoHeaders,
}

impl<'a> ClientOrigin<'a> {
    /// Takes the request's headers. The client's address is requested from the proxy at most once, and only if a check
    /// needs it.
    pub fn new(head: &'a RequestHead<'a>, names: &'a GeoHeaders) -> Self {
        Self { head, names }
    }

    /// Client address that the proxy trusts.
    pub fn client(&self) -> Option<IpAddr> {
        self.head.client()
    }

    /// Value of a geo header.
    pub fn geo(&self, name: &str) -> Sent<'a> {
        headers::of_proxy(self.head.headers, name)
    }

    /// Referer of the request.
    pub fn referer(&self) -> Sent<'a> {
        headers::once(self.head.headers, "referer")
    }
}
