//! Facts about a request's client. Each is read on demand: most policies need few of them.

use core::net::IpAddr;

use crate::http::headers;
use crate::http::incoming::RequestHead;
use crate::policy::text::HeaderName;

/// Names, in lower case, of the headers in which the proxy reports a client's location.
#[derive(Debug)]
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
}

impl GeoHeaders {
    /// All names, in field order.
    pub fn all(&self) -> [&str; 5] {
        [&self.country, &self.region, &self.dma, &self.anonymous_proxy, &self.transparent_proxy]
    }
}

/// Value of a header that must not be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent<'a> {
    /// Absent or empty.
    Missing,
    /// Single value.
    One(&'a str),
    /// Several values, one of which may come from the client, or a value that is not UTF-8.
    Unclear,
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

    /// Value of a geo header. A list counts as several values: intermediaries combine repeated headers into one.
    pub fn geo(&self, name: &str) -> Sent<'a> {
        match self.header(name) {
            Sent::One(value) if value.contains(',') => Sent::Unclear,
            sent => sent,
        }
    }

    /// Referer of the request.
    pub fn referer(&self) -> Sent<'a> {
        self.header("referer")
    }

    fn header(&self, name: &str) -> Sent<'a> {
        let mut values = headers::all(self.head.headers, name);
        match (values.next().map(core::str::from_utf8), values.next()) {
            (None, _) => Sent::Missing,
            (Some(Ok(value)), None) if value.trim().is_empty() => Sent::Missing,
            (Some(Ok(value)), None) => Sent::One(value.trim()),
            (Some(_), _) => Sent::Unclear,
        }
    }
}
