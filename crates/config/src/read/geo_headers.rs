//! Reader of `geoHeaders`.

use alloc::format;

use super::text::wrong;
use crate::document;
use crate::error::ConfigError;
use playlock_core::policy::targeting::GeoHeaders;
use playlock_core::policy::text::HeaderName;

/// Headers with another meaning, set by clients or by intermediaries in front of the proxy.
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

/// Reads the header names.
///
/// # Errors
/// A member that is not a header name, that names a header set by clients, or that repeats another member's name.
pub fn read(document: &document::GeoHeaders) -> Result<GeoHeaders, ConfigError> {
    let names = GeoHeaders {
        country: name("country", document.country.as_deref(), "x-geo-country")?,
        region: name("region", document.region.as_deref(), "x-geo-region")?,
        dma: name("dma", document.dma.as_deref(), "x-geo-dma")?,
        anonymous_proxy: name("anonymousProxy", document.anonymous_proxy.as_deref(), "x-geo-anonymous-proxy")?,
        transparent_proxy: name("transparentProxy", document.transparent_proxy.as_deref(), "x-geo-transparent-proxy")?,
        asn: name("asn", document.asn.as_deref(), "x-geo-asn")?,
    };
    let [country, region, dma, anonymous, transparent, asn] = names.all();
    let pairs = [
        ("region", region, &[country][..]),
        ("dma", dma, &[country, region]),
        ("anonymousProxy", anonymous, &[country, region, dma]),
        ("transparentProxy", transparent, &[country, region, dma, anonymous]),
        ("asn", asn, &[country, region, dma, anonymous, transparent]),
    ];
    let twice = pairs.into_iter().find(|(_, name, others)| others.contains(name)).map(|(member, name, _)| {
        ConfigError::new(
            format!("geoHeaders.{member}"),
            format!("found \"{name}\", which another member names too; expected a header of its own"),
        )
    });
    twice.map_or(Ok(names), Err)
}

fn name(member: &str, written: Option<&str>, default: &str) -> Result<HeaderName, ConfigError> {
    let (path, written) = (format!("geoHeaders.{member}"), written.unwrap_or(default));
    let name: HeaderName =
        written.parse().map_err(|_| wrong(&path, written, &format!("the name of a header, such as \"{default}\"")))?;
    if FOREIGN.contains(&&*name) {
        let message = format!("found \"{name}\", which clients set; expected a header that only the proxy sets");
        return Err(ConfigError::new(path, message));
    }
    Ok(name)
}
