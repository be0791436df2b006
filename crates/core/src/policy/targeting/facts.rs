//! What is known of where a request comes from, read when a check asks for it: most policies ask for little of it.

use alloc::format;
use alloc::string::String;
use core::cell::OnceCell;
use core::net::IpAddr;

use crate::config::{ConfigError, document};
use crate::headers;
use crate::reply::Header;

/// The names of the headers in which the proxy says where a client is, in lower case.
#[derive(Debug)]
pub struct GeoHeaders {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// ISO 3166-2 without the country.
    pub region: String,
    /// Designated Market Area.
    pub dma: String,
    /// `true`, `1` or `yes` for anonymous proxies.
    pub anonymous_proxy: String,
    /// The same for transparent ones.
    pub transparent_proxy: String,
}

impl GeoHeaders {
    /// Builds it from `geoHeaders`.
    ///
    /// # Errors
    /// A member that is no header's name.
    pub fn build(document: &document::GeoHeaders) -> Result<Self, ConfigError> {
        let names = Self {
            country: name("country", document.country.as_deref(), "x-geo-country")?,
            region: name("region", document.region.as_deref(), "x-geo-region")?,
            dma: name("dma", document.dma.as_deref(), "x-geo-dma")?,
            anonymous_proxy: name("anonymousProxy", document.anonymous_proxy.as_deref(), "x-geo-anonymous-proxy")?,
            transparent_proxy: name(
                "transparentProxy",
                document.transparent_proxy.as_deref(),
                "x-geo-transparent-proxy",
            )?,
        };
        let [country, region, dma, anonymous, transparent] = names.all();
        let pairs = [
            ("region", region, &[country][..]),
            ("dma", dma, &[country, region]),
            ("anonymousProxy", anonymous, &[country, region, dma]),
            ("transparentProxy", transparent, &[country, region, dma, anonymous]),
        ];
        let twice = pairs.into_iter().find(|(_, name, others)| others.contains(name)).map(|(member, name, _)| {
            ConfigError::new(
                format!("geoHeaders.{member}"),
                format!("found \"{name}\", which another member names too; expected a header of its own"),
            )
        });
        twice.map_or(Ok(names), Err)
    }

    /// Every name, in the order of the members.
    pub fn all(&self) -> [&str; 5] {
        [&self.country, &self.region, &self.dma, &self.anonymous_proxy, &self.transparent_proxy]
    }
}

/// Headers that say something else, and that clients or the proxies before them set.
const FOREIGN: [&str; 12] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cookie",
    "forwarded",
    "host",
    "origin",
    "range",
    "referer",
    "user-agent",
    "x-forwarded-for",
];

fn name(member: &str, written: Option<&str>, default: &str) -> Result<String, ConfigError> {
    let name = written.unwrap_or(default);
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Err(ConfigError::new(
            format!("geoHeaders.{member}"),
            format!("found \"{}\", expected the name of a header, such as \"{default}\"", name.escape_default()),
        ));
    }
    let name = name.to_ascii_lowercase();
    if FOREIGN.contains(&name.as_str()) {
        return Err(ConfigError::new(
            format!("geoHeaders.{member}"),
            format!("found \"{name}\", which clients set; expected a header that only the proxy sets"),
        ));
    }
    Ok(name)
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
pub struct Facts<'a> {
    headers: &'a [Header],
    /// Where the proxy says it.
    pub names: &'a GeoHeaders,
    ask: &'a dyn Fn() -> Option<IpAddr>,
    client: OnceCell<Option<IpAddr>>,
}

impl<'a> Facts<'a> {
    /// The facts of a request with these headers; `client` is asked at most once, and only if a check needs it.
    pub fn new(headers: &'a [Header], names: &'a GeoHeaders, client: &'a dyn Fn() -> Option<IpAddr>) -> Self {
        Self { headers, names, ask: client, client: OnceCell::new() }
    }

    /// The client's address as the proxy trusts it.
    pub fn client(&self) -> Option<IpAddr> {
        *self.client.get_or_init(self.ask)
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
        let mut values = headers::all(self.headers, name);
        match (values.next().map(core::str::from_utf8), values.next()) {
            (None, _) => Sent::Missing,
            (Some(Ok(value)), None) if value.trim().is_empty() => Sent::Missing,
            (Some(Ok(value)), None) => Sent::One(value.trim()),
            (Some(_), _) => Sent::Unclear,
        }
    }
}
