//! The facts about a request that claims are checked against.

use alloc::string::String;

use super::claims::Failure;
use crate::http::headers::{self, Sent};
use crate::http::incoming::Incoming;
use crate::http::reply::Reason;

/// Names, in lower case, of the headers in which the proxy reports the client's location and network.
#[derive(Debug, Clone)]
pub struct LocationHeaders {
    /// Country code, ISO 3166-1 alpha-2.
    pub country: String,
    /// Region code, ISO 3166-2 without the country.
    pub region: String,
    /// Number of the autonomous system.
    pub asn: String,
}

/// A request, and the settings that its token is checked with.
pub struct Facts<'a> {
    /// The request.
    pub incoming: &'a Incoming<'a>,
    /// Query parameters that are removed before the origin sees the URL.
    pub reserved: &'a [&'a str],
    /// Names of this node, one of which `aud` must be; any will do if there are none.
    pub audience: &'a [String],
    /// Issuer of the key that signed the token, if the key belongs to one.
    pub issuer: Option<&'a str>,
    /// Headers of the client's location; `None` if the proxy is not known to set them.
    pub location: Option<&'a LocationHeaders>,
    /// Tolerated clock skew in seconds.
    pub skew: u64,
}

impl Facts<'_> {
    /// The current time, in seconds since the epoch.
    pub fn now(&self) -> u64 {
        self.incoming.head.now
    }

    /// The client's country and, if it is known, region.
    ///
    /// # Errors
    /// The proxy does not report the country, or reports several.
    pub fn place(&self) -> Result<(&str, Option<&str>), Failure> {
        let names = self.location.ok_or(Failure::NOT_ENFORCED)?;
        let unknown = || Err(Failure::Undecided(Reason::Geo, None));
        let headers = self.incoming.head.headers;
        match (headers::of_proxy(headers, &names.country), headers::of_proxy(headers, &names.region)) {
            (Sent::One(country), Sent::One(region)) => Ok((country, Some(region))),
            (Sent::One(country), Sent::Missing) => Ok((country, None)),
            _ => unknown(),
        }
    }

    /// The number of the client's autonomous system.
    ///
    /// # Errors
    /// The proxy does not report it, or reports several.
    pub fn as_number(&self) -> Result<u64, Failure> {
        let names = self.location.ok_or(Failure::NOT_ENFORCED)?;
        let number = match headers::of_proxy(self.incoming.head.headers, &names.asn) {
            Sent::One(number) => number.strip_prefix("AS").unwrap_or(number).parse().ok(),
            _ => None,
        };
        number.ok_or(Failure::Undecided(Reason::Ip, None))
    }

    /// The protocol of the request, as its ALPN identifier.
    ///
    /// # Errors
    /// The proxy does not report a protocol that has one.
    pub fn alpn(&self) -> Result<&'static [u8], Failure> {
        match self.incoming.head.protocol() {
            Some(b"HTTP/1.0") => Ok(b"http/1.0"),
            Some(b"HTTP/1.1") => Ok(b"http/1.1"),
            Some(b"HTTP/2") => Ok(b"h2"),
            Some(b"HTTP/3") => Ok(b"h3"),
            _ => Err(Failure::Undecided(Reason::Claim, None)),
        }
    }
}
