//! `referer`: allows requests by the site of their Referer (RFC 9110 section 10.1.3).

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::facts::ClientOrigin;
use crate::http::headers::Sent;
use crate::policy::text::{HttpUrl, text};

/// Longest host name in the DNS, in bytes.
const MAX_HOST: usize = 253;

text! {
    /// A site: a host name in lower case, without a trailing dot. May be written as a URL without port and path.
    Domain,
    "a domain, whose subdomains count too, such as \"example.com\" (others than ASCII as \"xn--…\"), without port and path",
    domain
}

/// `referer` of a policy.
#[derive(Debug)]
pub struct Referers {
    domains: BTreeSet<String>,
    allow_missing: bool,
    /// URL to which denied clients are redirected.
    pub redirect: Option<HttpUrl>,
}

impl Referers {
    /// Allows these domains and their subdomains, and requests without a Referer if `allow_missing`.
    pub fn new(domains: Vec<Domain>, allow_missing: bool, redirect: Option<HttpUrl>) -> Self {
        Self { domains: domains.into_iter().map(String::from).collect(), allow_missing, redirect }
    }

    /// Whether the request's Referer is allowed.
    pub fn admits(&self, facts: &ClientOrigin<'_>) -> bool {
        match facts.referer() {
            Sent::Missing => self.allow_missing,
            Sent::One(url) => host(url).is_some_and(|host| self.holds(&host)),
            Sent::Unclear => false,
        }
    }

    /// Looks up the host and each of its parent domains: the cost depends on the labels of the host, not on the list.
    fn holds(&self, host: &str) -> bool {
        let mut name = host;
        loop {
            if self.domains.contains(name) {
                return true;
            }
            match name.split_once('.') {
                Some((_, parent)) => name = parent,
                None => return false,
            }
        }
    }
}

/// Parses an entry, written as a host name or a URL, into a domain.
fn domain(entry: &str) -> Option<String> {
    let host = match after_scheme(entry) {
        Some(rest) => rest.strip_suffix('/').unwrap_or(rest),
        None => entry,
    };
    // Names with empty labels are invalid and would never match.
    normal(host).filter(|host| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        host.bytes().all(plain) && host.split('.').all(|label| !label.is_empty())
    })
}

/// Host of an absolute http or https URL; `None` for anything else, and for URLs that another parser could read
/// differently.
fn host(url: &str) -> Option<String> {
    let rest = after_scheme(url)?;
    let authority = rest.split(['/', '?', '#']).next()?;
    if authority.contains(['@', '\\', '%']) || authority.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) => return None,
        None => authority,
    };
    normal(host)
}

fn after_scheme(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    ["http", "https"].iter().any(|known| known.eq_ignore_ascii_case(scheme)).then_some(rest)
}

fn normal(host: &str) -> Option<String> {
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty() && host.len() <= MAX_HOST).then(|| host.to_ascii_lowercase())
}
