//! `contentTargeting` and `geoHeaders` as they are written: from where and by what way one may watch.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

/// `contentTargeting`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ContentTargeting {
    /// Without it none of the rest holds.
    pub enabled: bool,
    /// By place.
    pub geo_protection: Option<GeoProtection>,
    /// By client address.
    pub ip_access: Option<IpAccess>,
    /// By the site that links here.
    pub referer: Option<Referer>,
    /// Refuse clients behind proxies that hide who they are.
    #[serde(default)]
    pub deny_anonymous_proxies: bool,
    /// Refuse clients behind proxies that pass their address on.
    #[serde(default)]
    pub deny_transparent_proxies: bool,
}

/// `contentTargeting.geoProtection`. A place is among those listed if any of the lists names it.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GeoProtection {
    /// Without it none of the rest holds.
    pub enabled: bool,
    /// Whether the lists name who may or who may not.
    pub mode: Option<Mode>,
    /// Whole countries.
    #[serde(default)]
    pub countries: Vec<Country>,
    /// Market areas.
    #[serde(default)]
    pub dmas: Vec<Dma>,
    /// Regions of countries.
    #[serde(default)]
    pub regions: Vec<Region>,
    /// Addresses and CIDR blocks that may, wherever they are.
    #[serde(default)]
    pub override_ips: Vec<String>,
    /// Who may not is sent elsewhere.
    #[serde(default)]
    pub geo_redirect_on_deny_enabled: bool,
    /// Where to.
    #[serde(rename = "geoRedirectOnDenyURL")]
    pub geo_redirect_on_deny_url: Option<String>,
}

/// Whether a list names who may or who may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Only these may.
    Allow,
    /// All but these may.
    Deny,
}

/// A country, as the API lists it.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Country {
    /// ISO 3166-1 alpha-2.
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
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
    /// ISO 3166-2 without the country.
    pub region_code: String,
    /// Read and ignored.
    #[serde(rename = "regionName")]
    pub _region_name: Option<String>,
}

/// `contentTargeting.ipAccess`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IpAccess {
    /// Without it none of the rest holds.
    pub enabled: bool,
    /// Whether the list names who may or who may not.
    pub mode: Option<Mode>,
    /// Addresses and CIDR blocks.
    #[serde(default)]
    pub ips: Vec<String>,
    /// Who may not is sent elsewhere.
    #[serde(default)]
    pub ip_redirect_on_deny_enabled: bool,
    /// Where to.
    #[serde(rename = "denyOnIPRedirectURL")]
    pub deny_on_ip_redirect_url: Option<String>,
}

/// `contentTargeting.referer`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Referer {
    /// Without it none of the rest holds.
    pub enabled: bool,
    /// Sites that may, with their subdomains: as domains or as URLs.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Requests without a Referer may too. Ours: the API does not say.
    #[serde(default)]
    pub allow_missing: bool,
    /// Who may not is sent elsewhere.
    #[serde(default)]
    pub referrer_redirect_enabled: bool,
    /// Where to.
    #[serde(rename = "referrerRedirectURL")]
    pub referrer_redirect_url: Option<String>,
}

/// `geoHeaders`: in which request headers the proxy says where a client is. Those left out have the names that
/// [`crate::targeting::GeoHeaders`] gives them.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GeoHeaders {
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// ISO 3166-2 without the country.
    pub region: Option<String>,
    /// The number of a Designated Market Area.
    pub dma: Option<String>,
    /// `true` for anonymous proxies.
    pub anonymous_proxy: Option<String>,
    /// `true` for transparent proxies.
    pub transparent_proxy: Option<String>,
}
