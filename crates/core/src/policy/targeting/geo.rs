//! `geoProtection`: where a client may be.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use super::facts::{Facts, Sent};
use super::prefix::Prefixes;
use super::{mode, redirect};
use crate::config::document::{GeoProtection, Mode};
use crate::config::{ConfigError, document};

/// `geoProtection` of a policy.
#[derive(Debug)]
pub struct Geo {
    mode: Mode,
    countries: BTreeSet<Code>,
    regions: BTreeSet<(Code, Code)>,
    dmas: BTreeSet<Code>,
    overrides: Prefixes,
    /// Where who may not is sent.
    pub redirect: Option<String>,
}

/// A country's, region's or market area's code in upper case, filled up with zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Code([u8; 8]);

impl Code {
    /// 1 to 8 letters and digits.
    fn parse(text: &str) -> Option<Self> {
        let mut code = [0; 8];
        code.get_mut(..text.len()).filter(|code| !code.is_empty())?.copy_from_slice(text.as_bytes());
        code.make_ascii_uppercase();
        text.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(Self(code))
    }
}

impl Geo {
    /// Builds it from its document at the JSON path `path`; `None` if it is not enabled.
    ///
    /// # Errors
    /// The first member that cannot be.
    pub fn build(path: &str, geo: &document::GeoProtection) -> Result<Option<Self>, ConfigError> {
        if !geo.enabled {
            return Ok(None);
        }
        let (enabled, url) = (geo.geo_redirect_on_deny_enabled, geo.geo_redirect_on_deny_url.as_deref());
        Ok(Some(Self {
            mode: mode(path, geo.mode)?,
            countries: countries(path, geo)?,
            regions: regions(path, geo)?,
            dmas: dmas(path, geo)?,
            overrides: Prefixes::build(&format!("{path}.overrideIps"), &geo.override_ips)?,
            redirect: redirect(&format!("{path}.geoRedirectOnDenyURL"), enabled, url)?,
        }))
    }

    /// Whether countries, regions and market areas are looked at.
    pub fn reads(&self) -> [bool; 3] {
        let regions = !self.regions.is_empty();
        [regions || !self.countries.is_empty(), regions, !self.dmas.is_empty()]
    }

    /// Whether a client may be where it is. What is not known is in no list.
    pub fn admits(&self, facts: &Facts<'_>) -> bool {
        if !self.overrides.is_empty() && facts.client().is_some_and(|client| self.overrides.contains(client)) {
            return true;
        }
        let place = [&facts.names.country, &facts.names.region, &facts.names.dma].map(|name| facts.geo(name));
        if place.contains(&Sent::Unclear) {
            return false;
        }
        let [country, region, dma] =
            place.map(|sent| if let Sent::One(value) = sent { Code::parse(value) } else { None });
        let listed = country.is_some_and(|country| {
            self.countries.contains(&country) || region.is_some_and(|region| self.regions.contains(&(country, region)))
        }) || dma.is_some_and(|dma| self.dmas.contains(&dma));
        listed == (self.mode == Mode::Allow)
    }
}

fn countries(path: &str, geo: &GeoProtection) -> Result<BTreeSet<Code>, ConfigError> {
    let countries = geo.countries.iter().enumerate();
    countries.map(|(index, listed)| country(&format!("{path}.countries[{index}]"), &listed.country_code)).collect()
}

fn regions(path: &str, geo: &GeoProtection) -> Result<BTreeSet<(Code, Code)>, ConfigError> {
    let region = |(index, listed): (usize, &document::Region)| {
        let path = format!("{path}.regions[{index}]");
        let region = Code::parse(&listed.region_code).ok_or_else(|| {
            unfit(
                &path,
                "regionCode",
                &listed.region_code,
                "the letters and digits of ISO 3166-2 after the country, such as \"CA\"",
            )
        })?;
        Ok((country(&path, &listed.country_code)?, region))
    };
    geo.regions.iter().enumerate().map(region).collect()
}

fn dmas(path: &str, geo: &GeoProtection) -> Result<BTreeSet<Code>, ConfigError> {
    let dma = |(index, listed): (usize, &document::Dma)| {
        let digits = listed.dma_code.bytes().all(|byte| byte.is_ascii_digit());
        Code::parse(&listed.dma_code).filter(|_| digits).ok_or_else(|| {
            unfit(&format!("{path}.dmas[{index}]"), "dmaCode", &listed.dma_code, "a number, such as \"501\"")
        })
    };
    geo.dmas.iter().enumerate().map(dma).collect()
}

fn country(path: &str, code: &str) -> Result<Code, ConfigError> {
    Code::parse(code)
        .filter(|_| code.len() == 2)
        .ok_or_else(|| unfit(path, "countryCode", code, "the two letters of ISO 3166-1, such as \"US\""))
}

fn unfit(path: &str, member: &str, found: &str, expected: &str) -> ConfigError {
    ConfigError::new(format!("{path}.{member}"), format!("found \"{}\", expected {expected}", found.escape_default()))
}
