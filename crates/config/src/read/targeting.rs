//! Reader of `contentTargeting`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::text::{text, wrong};
use crate::document;
use crate::error::ConfigError;
use playlock_core::policy::targeting::address::Addresses;
use playlock_core::policy::targeting::geo::{Code, Codes, Geo, Regions};
use playlock_core::policy::targeting::mode::Mode;
use playlock_core::policy::targeting::prefix::Prefixes;
use playlock_core::policy::targeting::referer::Referers;
use playlock_core::policy::targeting::{Proxies, Targeting};
use playlock_core::policy::text::HttpUrl;

/// Reads the member at the JSON path `path`; `None` if it has no checks.
///
/// # Errors
/// The first invalid member. Members that are not enabled are not validated.
pub fn read(path: &str, targeting: &document::ContentTargeting) -> Result<Option<Targeting>, ConfigError> {
    if !targeting.enabled {
        return Ok(None);
    }
    let access = targeting.ip_access.as_ref().filter(|it| it.enabled);
    let place = targeting.geo_protection.as_ref().filter(|it| it.enabled);
    let referer = targeting.referer.as_ref().filter(|it| it.enabled);
    let addresses = access.map(|it| addresses(&format!("{path}.ipAccess"), it)).transpose()?;
    let geo = place.map(|it| geo(&format!("{path}.geoProtection"), it)).transpose()?;
    let referers = referer.map(|it| referers(&format!("{path}.referer"), it)).transpose()?;
    let proxies =
        Proxies { anonymous: targeting.deny_anonymous_proxies, transparent: targeting.deny_transparent_proxies };
    Ok(Targeting::new(addresses, geo, proxies, referers))
}

fn addresses(path: &str, access: &document::IpAccess) -> Result<Addresses, ConfigError> {
    let (enabled, url) = (access.ip_redirect_on_deny_enabled, access.deny_on_ip_redirect_url.as_deref());
    Ok(Addresses {
        mode: mode(path, access.mode)?,
        listed: prefixes(&format!("{path}.ips"), &access.ips)?,
        redirect: redirect(&format!("{path}.denyOnIPRedirectURL"), enabled, url)?,
    })
}

fn geo(path: &str, geo: &document::GeoProtection) -> Result<Geo, ConfigError> {
    let (enabled, url) = (geo.geo_redirect_on_deny_enabled, geo.geo_redirect_on_deny_url.as_deref());
    Ok(Geo {
        mode: mode(path, geo.mode)?,
        countries: Codes::new(countries(path, geo)?),
        regions: Regions::new(regions(path, geo)?),
        dmas: Codes::new(dmas(path, geo)?),
        overrides: prefixes(&format!("{path}.overrideIps"), &geo.override_ips)?,
        redirect: redirect(&format!("{path}.geoRedirectOnDenyURL"), enabled, url)?,
    })
}

fn referers(path: &str, referer: &document::Referer) -> Result<Referers, ConfigError> {
    let (enabled, url) = (referer.referrer_redirect_enabled, referer.referrer_redirect_url.as_deref());
    let domains = referer.domains.iter().enumerate();
    let domains = domains.map(|(index, it)| text(&format!("{path}.domains[{index}]"), it)).collect::<Result<_, _>>()?;
    let redirect = redirect(&format!("{path}.referrerRedirectURL"), enabled, url)?;
    Ok(Referers::new(domains, referer.allow_missing, redirect))
}

/// Mode of an enabled list. There is no safe default.
fn mode(path: &str, mode: Option<Mode>) -> Result<Mode, ConfigError> {
    mode.ok_or_else(|| ConfigError::new(format!("{path}.mode"), "missing, expected \"ALLOW\" or \"DENY\""))
}

/// URL at the JSON path `path`, if redirects are enabled.
fn redirect(path: &str, enabled: bool, url: Option<&str>) -> Result<Option<HttpUrl>, ConfigError> {
    if !enabled {
        return Ok(None);
    }
    let expected = "an absolute http or https URL: redirecting is enabled";
    let url = url.ok_or_else(|| ConfigError::new(path, format!("missing, expected {expected}")))?;
    url.parse().map(Some).map_err(|_| wrong(path, url, expected))
}

fn prefixes(path: &str, entries: &[String]) -> Result<Prefixes, ConfigError> {
    Prefixes::build(entries).map_err(|index| {
        wrong(
            &format!("{path}[{index}]"),
            entries.get(index).map(String::as_str).unwrap_or_default(),
            "an address or a CIDR block, such as \"192.0.2.7\", \"192.0.2.0/24\" or \"2001:db8::/32\"",
        )
    })
}

fn countries(path: &str, geo: &document::GeoProtection) -> Result<Vec<Code>, ConfigError> {
    let countries = geo.countries.iter().enumerate();
    countries.map(|(index, listed)| country(&format!("{path}.countries[{index}]"), &listed.country_code)).collect()
}

fn regions(path: &str, geo: &document::GeoProtection) -> Result<Vec<(Code, Code)>, ConfigError> {
    let region = |(index, listed): (usize, &document::Region)| {
        let path = format!("{path}.regions[{index}]");
        let expected = "the letters and digits of ISO 3166-2 after the country, such as \"CA\"";
        let region = Code::region(&listed.region_code)
            .ok_or_else(|| wrong(&format!("{path}.regionCode"), &listed.region_code, expected))?;
        Ok((country(&path, &listed.country_code)?, region))
    };
    geo.regions.iter().enumerate().map(region).collect()
}

fn dmas(path: &str, geo: &document::GeoProtection) -> Result<Vec<Code>, ConfigError> {
    let dma = |(index, listed): (usize, &document::Dma)| {
        Code::market(&listed.dma_code).ok_or_else(|| {
            wrong(&format!("{path}.dmas[{index}].dmaCode"), &listed.dma_code, "a number, such as \"501\"")
        })
    };
    geo.dmas.iter().enumerate().map(dma).collect()
}

fn country(path: &str, code: &str) -> Result<Code, ConfigError> {
    Code::country(code)
        .ok_or_else(|| wrong(&format!("{path}.countryCode"), code, "the two letters of ISO 3166-1, such as \"US\""))
}
