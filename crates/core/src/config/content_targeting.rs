//! `contentTargeting` and `geoHeaders` as they are written: from where and by what way one may watch.

use alloc::string::String;
#[cfg(feature = "schema")]
use alloc::string::ToString;
use alloc::vec::Vec;

use serde::Deserialize;

use crate::policy::targeting::mode::Mode;
#[cfg(feature = "schema")]
use crate::policy::text::HeaderName;

/// From where and by what way one may watch. Checked before any token, for playlists, keys and segments alike, in this
/// order: address, place, proxies, Referer. Alone, without tokens and encryption, it lets pass untouched what may.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ContentTargeting {
    /// `false`: as if `contentTargeting` were not there.
    pub enabled: bool,
    /// By place, from `geoHeaders`.
    pub geo_protection: Option<GeoProtection>,
    /// By client address, as Envoy trusts it.
    pub ip_access: Option<IpAccess>,
    /// By the site that links here.
    pub referer: Option<Referer>,
    /// Refuse clients behind proxies that hide who they are (403 `proxy`).
    #[serde(default)]
    pub deny_anonymous_proxies: bool,
    /// Refuse clients behind proxies that pass their address on (403 `proxy`).
    #[serde(default)]
    pub deny_transparent_proxies: bool,
}

/// Where a client may be (403 `geo`). A place is among those listed if any of the lists names it; a place that is not
/// known is in no list, so that `ALLOW` denies it and `DENY` lets it through.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GeoProtection {
    /// `false`: as if `geoProtection` were not there.
    pub enabled: bool,
    /// Whether the lists name who may or who may not. Required where `enabled` is `true`.
    pub mode: Option<Mode>,
    /// Whole countries.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(extend("default" = serde_json::json!([]), "examples" = [serde_json::json!([{"countryCode": "DE"}])]))
    )]
    pub countries: Vec<Country>,
    /// Market areas (DMAs).
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
    /// Addresses and CIDR blocks that may, wherever they are.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [["192.0.2.0/24"]])))]
    pub override_ips: Vec<String>,
    /// Who may not is redirected (302) in place of a 403.
    #[serde(default)]
    pub geo_redirect_on_deny_enabled: bool,
    /// Where to: an absolute `http` or `https` URL, which should not be under the same policy. Required where the
    /// redirect is enabled.
    #[serde(rename = "geoRedirectOnDenyURL")]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["https://tv.example/not-here"])))]
    pub geo_redirect_on_deny_url: Option<String>,
}

/// A country.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Country {
    /// ISO 3166-1 alpha-2; compared without case.
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
    /// Its number.
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
    /// ISO 3166-1 alpha-2; compared without case.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[A-Za-z0-9]{2}$"), extend("examples" = ["US"])))]
    pub country_code: String,
    /// ISO 3166-2 without the country; compared without case.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[A-Za-z0-9]{1,8}$"), extend("examples" = ["CA"])))]
    pub region_code: String,
    /// Read and ignored.
    #[serde(rename = "regionName")]
    pub _region_name: Option<String>,
}

/// Which client addresses may watch (403 `address`). An address that is not known is denied.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IpAccess {
    /// `false`: as if `ipAccess` were not there.
    pub enabled: bool,
    /// Whether the list names who may or who may not. Required where `enabled` is `true`.
    pub mode: Option<Mode>,
    /// Addresses and CIDR blocks, IPv4 and IPv6.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [["192.0.2.0/24", "2001:db8::/32"]])))]
    pub ips: Vec<String>,
    /// Who may not is redirected (302) in place of a 403.
    #[serde(default)]
    pub ip_redirect_on_deny_enabled: bool,
    /// Where to: an absolute `http` or `https` URL, which should not be under the same policy. Required where the
    /// redirect is enabled.
    #[serde(rename = "denyOnIPRedirectURL")]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["https://tv.example/not-here"])))]
    pub deny_on_ip_redirect_url: Option<String>,
}

/// Which sites' pages may play (403 `referer`), by the Referer that browsers send. Whoever wants to can forge one, so
/// it keeps out other sites' pages, not programs.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Referer {
    /// `false`: as if `referer` were not there.
    pub enabled: bool,
    /// Sites that may, with their subdomains: as domains or as URLs.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [["tv.example"]])))]
    pub domains: Vec<String>,
    /// Requests without a Referer may too: players outside browsers send none.
    #[serde(default)]
    pub allow_missing: bool,
    /// Who may not is redirected (302) in place of a 403.
    #[serde(default)]
    pub referrer_redirect_enabled: bool,
    /// Where to: an absolute `http` or `https` URL, which should not be under the same policy. Required where the
    /// redirect is enabled.
    #[serde(rename = "referrerRedirectURL")]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["https://tv.example/not-here"])))]
    pub referrer_redirect_url: Option<String>,
}

/// In which request headers Envoy says where a client is: names in any case, each another. Only Envoy may set them:
/// remove a client's own copies.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GeoHeaders {
    /// ISO 3166-1 alpha-2.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<HeaderName>", extend("default" = "x-geo-country", "examples" = ["x-country"]))
    )]
    pub country: Option<String>,
    /// ISO 3166-2 without the country.
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
}
