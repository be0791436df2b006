//! What is known of where a request comes from, read when a check asks for it: most policies ask for little of it.

use core::net::IpAddr;

use crate::http::headers;
use crate::http::incoming::RequestHead;
use crate::policy::text::HeaderName;

/// The names of the headers in which the proxy says where a client is, in lower case.
#[derive(Debug)]
pub struct GeoHeaders {
    /// ISO 3166-1 alpha-2.
    pub country: HeaderName,
    /// ISO 3166-2 without the country.
    pub region: HeaderName,
    /// Designated Market Area.
    pub dma: HeaderName,
    /// `true`, `1` or `yes` for anonymous proxies.
    pub anonymous_proxy: HeaderName,
    /// The same for transparent ones.
    pub transparent_proxy: HeaderName,
}

impl GeoHeaders {
    /// Every name, in the order of the members.
    pub fn all(&self) -> [&str; 5] {
        [&self.country, &self.region, &self.dma, &self.anonymous_proxy, &self.transparent_proxy]
    }
}

/// A header that must not be there twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent<'a> {
    /// Not there, or empty.
    Missing,
    /// Its value.
    One(&'a str),
    /// Several values, so that one of them may be the client's own; or none that is text.
    Unclear,
}

/// What is known of where a request comes from.
pub struct ClientOrigin<'a> {
    head: &'a RequestHead<'a>,
    /// Where the proxy says it.
    pub names: &'a GeoHeaders,
}

impl<'a> ClientOrigin<'a> {
    /// The facts of a request with these headers; `client` is asked at most once, and only if a check needs it.
    pub fn new(head: &'a RequestHead<'a>, names: &'a GeoHeaders) -> Self {
        Self { head, names }
    }

    /// The client's address as the proxy trusts it.
    pub fn client(&self) -> Option<IpAddr> {
        self.head.client()
    }

    /// A header of the proxy's. A list is several values: who puts copies together writes one.
    pub fn geo(&self, name: &str) -> Sent<'a> {
        match self.header(name) {
            Sent::One(value) if value.contains(',') => Sent::Unclear,
            sent => sent,
        }
    }

    /// The client's Referer.
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
