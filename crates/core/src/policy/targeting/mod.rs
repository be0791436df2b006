//! `contentTargeting`: from where and by what way one may watch. Compiled once; what a check costs does not grow with
//! the length of its lists by more than a binary search.

mod facts;
mod geo;
mod prefix;
mod referer;

use alloc::format;
use alloc::string::String;

pub use self::facts::{Facts, GeoHeaders, Sent};
use self::geo::Geo;
use self::prefix::Prefixes;
use self::referer::Referers;
use crate::config::document::Mode;
use crate::config::{ConfigError, document};
use crate::reply::Reason;

/// `contentTargeting` of a policy, with one check at least.
#[derive(Debug)]
pub struct Targeting {
    addresses: Option<Addresses>,
    geo: Option<Geo>,
    anonymous_proxies: bool,
    transparent_proxies: bool,
    referers: Option<Referers>,
}

/// Why a request may not come from where it does.
#[derive(Debug, PartialEq, Eq)]
pub struct Denied {
    /// Which check failed.
    pub reason: Reason,
    /// Where the client is sent.
    pub redirect: Option<String>,
}

impl Targeting {
    /// Builds it from its document at the JSON path `path`; `None` if it checks nothing.
    ///
    /// # Errors
    /// The first member that cannot be. What is not enabled is not looked into.
    pub fn build(path: &str, targeting: &document::ContentTargeting) -> Result<Option<Self>, ConfigError> {
        if !targeting.enabled {
            return Ok(None);
        }
        let addresses =
            targeting.ip_access.as_ref().map(|it| Addresses::build(&format!("{path}.ipAccess"), it)).transpose()?;
        let geo =
            targeting.geo_protection.as_ref().map(|it| Geo::build(&format!("{path}.geoProtection"), it)).transpose()?;
        let referers =
            targeting.referer.as_ref().map(|it| Referers::build(&format!("{path}.referer"), it)).transpose()?;
        let targeting = Self {
            addresses: addresses.flatten(),
            geo: geo.flatten(),
            anonymous_proxies: targeting.deny_anonymous_proxies,
            transparent_proxies: targeting.deny_transparent_proxies,
            referers: referers.flatten(),
        };
        let proxies = targeting.anonymous_proxies || targeting.transparent_proxies;
        let any = proxies || targeting.addresses.is_some() || targeting.geo.is_some() || targeting.referers.is_some();
        Ok(any.then_some(targeting))
    }

    /// Which of the proxy's headers it reads, in the order of [`GeoHeaders::all`].
    pub fn reads(&self) -> [bool; 5] {
        let [country, region, dma] = self.geo.as_ref().map(Geo::reads).unwrap_or_default();
        [country, region, dma, self.anonymous_proxies, self.transparent_proxies]
    }

    /// Checks where a request comes from: its address, its place, proxies, its Referer, in this order.
    ///
    /// # Errors
    /// The first check that it fails.
    pub fn check(&self, facts: &Facts<'_>) -> Result<(), Denied> {
        if let Some(addresses) = self.addresses.as_ref().filter(|addresses| !addresses.admits(facts)) {
            return denied(Reason::Address, addresses.redirect.as_ref());
        }
        if let Some(geo) = self.geo.as_ref().filter(|geo| !geo.admits(facts)) {
            return denied(Reason::Geo, geo.redirect.as_ref());
        }
        let behind = |name: &str| match facts.geo(name) {
            Sent::Missing => false,
            Sent::One(value) => ["true", "1", "yes"].iter().any(|yes| yes.eq_ignore_ascii_case(value)),
            Sent::Unclear => true,
        };
        if self.anonymous_proxies && behind(&facts.names.anonymous_proxy)
            || self.transparent_proxies && behind(&facts.names.transparent_proxy)
        {
            return denied(Reason::Proxy, None);
        }
        if let Some(referers) = self.referers.as_ref().filter(|referers| !referers.admits(facts)) {
            return denied(Reason::Referer, referers.redirect.as_ref());
        }
        Ok(())
    }
}

fn denied(reason: Reason, redirect: Option<&String>) -> Result<(), Denied> {
    Err(Denied { reason, redirect: redirect.cloned() })
}

/// `ipAccess` of a policy.
#[derive(Debug)]
struct Addresses {
    mode: Mode,
    listed: Prefixes,
    redirect: Option<String>,
}

impl Addresses {
    fn build(path: &str, access: &document::IpAccess) -> Result<Option<Self>, ConfigError> {
        if !access.enabled {
            return Ok(None);
        }
        let (enabled, url) = (access.ip_redirect_on_deny_enabled, access.deny_on_ip_redirect_url.as_deref());
        Ok(Some(Self {
            mode: mode(path, access.mode)?,
            listed: Prefixes::build(&format!("{path}.ips"), &access.ips)?,
            redirect: redirect(&format!("{path}.denyOnIPRedirectURL"), enabled, url)?,
        }))
    }

    /// A client whose address is not known may not.
    fn admits(&self, facts: &Facts<'_>) -> bool {
        facts.client().is_some_and(|client| self.listed.contains(client) == (self.mode == Mode::Allow))
    }
}

/// The mode of a list that is enabled: neither may be guessed.
fn mode(path: &str, mode: Option<Mode>) -> Result<Mode, ConfigError> {
    mode.ok_or_else(|| ConfigError::new(format!("{path}.mode"), "missing, expected \"ALLOW\" or \"DENY\""))
}

/// The URL at the JSON path `path`, if denials are redirected.
fn redirect(path: &str, enabled: bool, url: Option<&str>) -> Result<Option<String>, ConfigError> {
    if !enabled {
        return Ok(None);
    }
    let expected = "expected an absolute http or https URL: redirecting is enabled";
    let url = url.ok_or_else(|| ConfigError::new(path, format!("missing, {expected}")))?;
    // It stands in a header as it is.
    let host = url.split_once("://").filter(|(scheme, _)| {
        url.bytes().all(|byte| byte.is_ascii_graphic())
            && ["http", "https"].iter().any(|known| known.eq_ignore_ascii_case(scheme))
    });
    if host.is_none_or(|(_, rest)| rest.starts_with(['/', '?', '#', ':', '@', '\\']) || rest.is_empty()) {
        return Err(ConfigError::new(path, format!("found \"{}\", {expected}", url.escape_default())));
    }
    Ok(Some(url.into()))
}

#[cfg(test)]
mod tests;
