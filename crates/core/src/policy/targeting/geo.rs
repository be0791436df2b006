//! `geoProtection`: allows or denies client locations.

use alloc::collections::BTreeSet;

use super::facts::{ClientOrigin, Sent};
use super::mode::Mode;
use super::prefix::Prefixes;
use crate::policy::text::HttpUrl;

/// `geoProtection` of a policy.
#[derive(Debug)]
pub struct Geo {
    /// Whether the listed locations are allowed or denied.
    pub mode: Mode,
    /// Countries.
    pub countries: BTreeSet<Code>,
    /// Regions, as country and region code.
    pub regions: BTreeSet<(Code, Code)>,
    /// Designated Market Areas.
    pub dmas: BTreeSet<Code>,
    /// Addresses that are allowed regardless of their location.
    pub overrides: Prefixes,
    /// URL to which denied clients are redirected.
    pub redirect: Option<HttpUrl>,
}

/// Code of a country, region or market area, in upper case, padded with zeros to 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code([u8; 8]);

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
        text.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(Self(code))
    }
}

impl Geo {
    /// Whether the check reads the country, region and DMA headers.
    pub fn reads(&self) -> [bool; 3] {
        let regions = !self.regions.is_empty();
        [regions || !self.countries.is_empty(), regions, !self.dmas.is_empty()]
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
            self.countries.contains(&country) || region.is_some_and(|region| self.regions.contains(&(country, region)))
        }) || dma.is_some_and(|dma| self.dmas.contains(&dma));
        listed == (self.mode == Mode::Allow)
    }
}
