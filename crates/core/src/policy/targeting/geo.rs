//! `geoProtection`: allows or denies client locations.

use alloc::vec::Vec;

use super::facts::ClientOrigin;
use super::mode::Mode;
use super::prefix::Prefixes;
use crate::bytes::ranges::Ranges;
use crate::http::headers::Sent;
use crate::policy::text::HttpUrl;

/// `geoProtection` of a policy.
#[derive(Debug)]
pub struct Geo {
    /// Whether the listed locations are allowed or denied.
    pub mode: Mode,
    /// Countries.
    pub countries: Codes,
    /// Regions, as country and region code.
    pub regions: Regions,
    /// Designated Market Areas.
    pub dmas: Codes,
    /// Addresses that are allowed regardless of their location.
    pub overrides: Prefixes,
    /// URL to which denied clients are redirected.
    pub redirect: Option<HttpUrl>,
}

/// Code of a country, region or market area, in upper case, padded with zeros to 8 bytes, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(u64);

/// Set of codes. Sorted ranges of numbers, as other sets have, cost the module no code of their own.
#[derive(Debug)]
pub struct Codes(Ranges<u64>);

/// Set of regions, each a country code and a region code.
#[derive(Debug)]
pub struct Regions(Ranges<u128>);

impl Codes {
    /// The set of these codes.
    pub fn new(codes: Vec<Code>) -> Self {
        Self(Ranges::build(codes.into_iter().map(|Code(code)| (code, code)).collect()))
    }
}

impl Regions {
    /// The set of these regions.
    pub fn new(regions: Vec<(Code, Code)>) -> Self {
        Self(Ranges::build(regions.into_iter().map(number).map(|region| (region, region)).collect()))
    }
}

fn number((Code(country), Code(region)): (Code, Code)) -> u128 {
    u128::from(country) << 64 | u128::from(region)
}

impl Code {
    /// Country code (ISO 3166-1 alpha-2).
    pub fn country(text: &str) -> Option<Self> {
        Self::parse(text).filter(|_| text.len() == 2)
    }

    /// Region code (ISO 3166-2 without the country).
    pub fn region(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    /// Number of a Designated Market Area.
    pub fn market(text: &str) -> Option<Self> {
        Self::parse(text).filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// 1 to 8 letters and digits.
    fn parse(text: &str) -> Option<Self> {
        let mut code = [0; 8];
        code.get_mut(..text.len()).filter(|code| !code.is_empty())?.copy_from_slice(text.as_bytes());
        code.make_ascii_uppercase();
        text.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(Self(u64::from_be_bytes(code)))
    }
}

impl Geo {
    /// Whether the check reads the country, region and DMA headers.
    pub fn reads(&self) -> [bool; 3] {
        let regions = !self.regions.0.is_empty();
        [regions || !self.countries.0.is_empty(), regions, !self.dmas.0.is_empty()]
    }

    /// Whether the client's location is allowed. An unknown location matches no list.
    pub fn admits(&self, facts: &ClientOrigin<'_>) -> bool {
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
            self.countries.0.contains(country.0)
                || region.is_some_and(|region| self.regions.0.contains(number((country, region))))
        }) || dma.is_some_and(|dma| self.dmas.0.contains(dma.0));
        listed == (self.mode == Mode::Allow)
    }
}
