//! `contentTargeting` and `geoHeaders` as written: restrictions by client address, location, proxy and referring site.

use alloc::string::String;
#[cfg(feature = "schema")]
use alloc::string::ToString;
use alloc::vec::Vec;

use serde::Deserialize;

use playlock_core::policy::targeting::mode::Mode;
#[cfg(feature = "schema")]
use playlock_core::policy::text::HeaderName;

/// Restrictions by client address, location, proxy and referring site. They are checked in this order and before any
/// token, for playlists, keys and segments alike. Without tokens and encryption, allowed requests pass unchanged.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ContentTargeting {
    /// `false` has the same effect as omitting `contentTargeting`.
    pub enabled: bool,
    /// By location, as passed in `geoHeaders`.
    pub geo_protection: Option<GeoProtection>,
    /// By client address, as Envoy determines it.
    pub ip_access: Option<IpAccess>,
    /// By referring site.
    pub referer: Option<Referer>,
    /// Refuse clients behind proxies that hide their clients' identity (403 `proxy`).
    #[serde(default)]
    pub deny_anonymous_proxies: bool,
    /// Refuse clients behind proxies that pass on their clients' addresses (403 `proxy`).
    #[serde(default)]
    pub deny_transparent_proxies: bool,
}

/// Locations that are allowed or denied (403 `geo`). A client is at a listed location if any of the lists names it. An
/// unknown location is on no list, so `ALLOW` denies it and `DENY` allows it.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GeoProtection {
    /// `false` has the same effect as omitting `geoProtection`.
    pub enabled: bool,
    /// Whether the lists name allowed or denied locations. Required if `enabled` is `true`.
    pub mode: Option<Mode>,
    /// Countries.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(extend("default" = serde_json::json!([]), "examples" = [serde_json::json!([{"countryCode": "DE"}])]))
    )]
    pub countries: Vec<Country>,
    /// Designated Market Areas (DMAs).
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(extend("default" = serde_json::json!([]), "examples" = [serde_json::json!([{"dmaCode": "501"}])]))
    )]
    pub dmas: Vec<Dma>,
    /// Regions of countries.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(extend("default" = serde_json::json!([]), "examples" = [serde_json::json!([{"countryCode": "US", "regionCode": "CA"}])]))
    )]
    pub regions: Vec<Region>,
    /// Addresses and CIDR blocks that are allowed at any location.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [["192.0.2.0/24"]])))]
    pub override_ips: Vec<String>,
    /// Redirect denied requests (302) instead of answering with a 403.
    #[serde(default)]
    pub geo_redirect_on_deny_enabled: bool,
    /// The target of the redirect: an absolute `http` or `https` URL, which should not be under the same policy.
    /// Required if the redirect is enabled.
    #[serde(rename = "geoRedirectOnDenyURL")]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["https://tv.example/not-here"])))]
    pub geo_redirect_on_deny_url: Option<String>,
}

/// A country.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Country {
    /// The country in ISO 3166-1 alpha-2; not case-sensitive.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[A-Za-z0-9]{2}$"), extend("examples" = ["DE"])))]
    pub country_code: String,
    /// Read and ignored.
    #[serde(rename = "countryName")]
    pub _country_name: Option<String>,
    /// Read and ignored.
    #[serde(rename = "continentCode")]
    pub _continent_code: Option<String>,
}

/// A Designated Market Area.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Dma {
    /// The number of the DMA.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[0-9]{1,8}$"), extend("examples" = ["501"])))]
    pub dma_code: String,
    /// Read and ignored.
    #[serde(rename = "dmaName")]
    pub _dma_name: Option<String>,
}

/// A region of a country.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Region {
    /// The country in ISO 3166-1 alpha-2; not case-sensitive.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[A-Za-z0-9]{2}$"), extend("examples" = ["US"])))]
    pub country_code: String,
    /// The region in ISO 3166-2, without the country; not case-sensitive.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[A-Za-z0-9]{1,8}$"), extend("examples" = ["CA"])))]
    pub region_code: String,
    /// Read and ignored.
    #[serde(rename = "regionName")]
    pub _region_name: Option<String>,
}

/// Client addresses that are allowed or denied (403 `address`). An unknown address is denied.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IpAccess {
    /// `false` has the same effect as omitting `ipAccess`.
    pub enabled: bool,
    /// Whether the list names allowed or denied addresses. Required if `enabled` is `true`.
    pub mode: Option<Mode>,
    /// Addresses and CIDR blocks, IPv4 and IPv6.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [["192.0.2.0/24", "2001:db8::/32"]])))]
    pub ips: Vec<String>,
    /// Redirect denied requests (302) instead of answering with a 403.
    #[serde(default)]
    pub ip_redirect_on_deny_enabled: bool,
    /// The target of the redirect: an absolute `http` or `https` URL, which should not be under the same policy.
    /// Required if the redirect is enabled.
    #[serde(rename = "denyOnIPRedirectURL")]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["https://tv.example/not-here"])))]
    pub deny_on_ip_redirect_url: Option<String>,
}

/// Sites whose pages may play (403 `referer`), by the Referer that browsers send. Anyone can forge it, so it stops
/// pages of other sites, but not programs.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Referer {
    /// `false` has the same effect as omitting `referer`.
    pub enabled: bool,
    /// The allowed sites, each with its subdomains: domains or URLs.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [["tv.example"]])))]
    pub domains: Vec<String>,
    /// Allow requests without a Referer. Players outside browsers send none.
    #[serde(default)]
    pub allow_missing: bool,
    /// Redirect denied requests (302) instead of answering with a 403.
    #[serde(default)]
    pub referrer_redirect_enabled: bool,
    /// The target of the redirect: an absolute `http` or `https` URL, which should not be under the same policy.
    /// Required if the redirect is enabled.
    #[serde(rename = "referrerRedirectURL")]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["https://tv.example/not-here"])))]
    pub referrer_redirect_url: Option<String>,
}

/// The request headers in which Envoy passes the client's location. Names are not case-sensitive and must differ from
/// each other. Only Envoy may set these headers: remove copies that clients send.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GeoHeaders {
    /// The country in ISO 3166-1 alpha-2.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<HeaderName>", extend("default" = "x-geo-country", "examples" = ["x-country"]))
    )]
    pub country: Option<String>,
    /// The region in ISO 3166-2, without the country.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<HeaderName>", extend("default" = "x-geo-region", "examples" = ["x-region"]))
    )]
    pub region: Option<String>,
    /// The number of a Designated Market Area.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<HeaderName>", extend("default" = "x-geo-dma", "examples" = ["x-market"]))
    )]
    pub dma: Option<String>,
    /// `true`, `1` or `yes` for clients behind anonymous proxies.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<HeaderName>", extend("default" = "x-geo-anonymous-proxy", "examples" = ["x-anonymous"]))
    )]
    pub anonymous_proxy: Option<String>,
    /// `true`, `1` or `yes` for clients behind transparent proxies.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<HeaderName>", extend("default" = "x-geo-transparent-proxy", "examples" = ["x-transparent"]))
    )]
    pub transparent_proxy: Option<String>,
    /// Number of the client's autonomous system, such as `64496`. Only Common Access Tokens use it (`tokenAuth.cat.location`).
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<HeaderName>", extend("default" = "x-geo-asn", "examples" = ["x-asn"]))
    )]
    pub asn: Option<String>,
}
