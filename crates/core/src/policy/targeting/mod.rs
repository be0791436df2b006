//! `contentTargeting`: checks on a client's address, location, proxy and Referer. Lists are compiled once; the cost of
//! a check is logarithmic in their length.

pub mod address;
mod facts;
pub mod geo;
pub mod mode;
pub mod prefix;
pub mod referer;

use alloc::string::{String, ToString};

use self::address::Addresses;
pub use self::facts::{ClientOrigin, GeoHeaders};
use self::geo::Geo;
use self::referer::Referers;
use crate::http::headers::Sent;
use crate::http::reply::Reason;
use crate::policy::text::HttpUrl;

/// `contentTargeting` of a policy, with at least one check.
#[derive(Debug)]
pub struct Targeting {
    addresses: Option<Addresses>,
    geo: Option<Geo>,
    proxies: Proxies,
    referers: Option<Referers>,
}

/// A failed check of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Denied {
    /// Reason of the denial.
    pub reason: Reason,
    /// URL to which the client is redirected.
    pub redirect: Option<String>,
}

impl From<Reason> for Denied {
    fn from(reason: Reason) -> Self {
        Self { reason, redirect: None }
    }
}

/// Kinds of proxies that are denied.
#[derive(Debug, Clone, Copy, Default)]
pub struct Proxies {
    /// Proxies that hide the client.
    pub anonymous: bool,
    /// Proxies that forward the client's address.
    pub transparent: bool,
}

impl Targeting {
    /// Combines the checks; `None` if there are none.
    pub fn new(
        addresses: Option<Addresses>,
        geo: Option<Geo>,
        proxies: Proxies,
        referers: Option<Referers>,
    ) -> Option<Self> {
        let any = addresses.is_some() || geo.is_some() || proxies.anonymous || proxies.transparent;
        (any || referers.is_some()).then_some(Self { addresses, geo, proxies, referers })
    }

    /// Whether each of the proxy's geo headers is read, in the order of [`GeoHeaders::all`].
    pub fn reads(&self) -> [bool; 6] {
        let [country, region, dma] = self.geo.as_ref().map(Geo::reads).unwrap_or_default();
        [country, region, dma, self.proxies.anonymous, self.proxies.transparent, false]
    }

    /// Checks a request's address, location, proxies and Referer, in this order.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn check(&self, facts: &ClientOrigin<'_>) -> Result<(), Denied> {
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
        if self.proxies.anonymous && behind(&facts.names.anonymous_proxy)
            || self.proxies.transparent && behind(&facts.names.transparent_proxy)
        {
            return denied(Reason::Proxy, None);
        }
        if let Some(referers) = self.referers.as_ref().filter(|referers| !referers.admits(facts)) {
            return denied(Reason::Referer, referers.redirect.as_ref());
        }
        Ok(())
    }
}

fn denied(reason: Reason, redirect: Option<&HttpUrl>) -> Result<(), Denied> {
    Err(Denied { reason, redirect: redirect.map(ToString::to_string) })
}
