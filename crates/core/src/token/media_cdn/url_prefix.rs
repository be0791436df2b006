//! The field `URLPrefix`: which URLs it covers, and as an ACL.

use alloc::string::String;

use crate::bytes::percent;
use crate::http::authority::{Scheme, normal_authority};
use crate::http::incoming::Incoming;
use crate::http::target::Target;
use crate::token::acl;

/// The beginning of every URL that a token covers: scheme and host in full, then the beginning of the path, or a path in
/// full and the beginning of the query.
#[derive(Debug, PartialEq, Eq)]
pub struct UrlPrefix {
    scheme: Scheme,
    /// In lower case, without the default port of the scheme.
    authority: String,
    /// Percent-decoded.
    path: String,
    /// The beginning of the query, as written.
    query: Option<String>,
}

impl UrlPrefix {
    /// Parses the decoded value of the field; `None` if it is not an absolute http or https URL, or if it has user
    /// information, a fragment, white space, control characters, a backslash or an invalid escape.
    pub fn parse(text: &str) -> Option<Self> {
        if text.chars().any(|char| char.is_control() || matches!(char, ' ' | '\\' | '#')) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            _ if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            _ => return None,
        };
        let (authority, rest) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))?;
        if authority.is_empty() || authority.contains('@') {
            return None;
        }
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query.into())),
            None => (rest, None),
        };
        // Without a path, the prefix covers the host.
        let path = if path.is_empty() { "/" } else { path };
        Some(Self { scheme, authority: normal_authority(authority, scheme), path: percent::decode_str(path)?, query })
    }

    /// Whether it covers the URL of a request. `reserved` are the query parameters that the site has not written.
    pub fn covers(&self, incoming: &Incoming<'_>, reserved: &[impl AsRef<str>]) -> bool {
        let (head, target) = (incoming.head, &incoming.target);
        self.scheme == head.scheme
            && self.authority == normal_authority(head.authority, head.scheme)
            && self.covers_target(target, reserved)
    }

    fn covers_target(&self, target: &Target<'_>, reserved: &[impl AsRef<str>]) -> bool {
        match &self.query {
            None => target.path.starts_with(&self.path),
            Some(query) => {
                let sent = target.query_without(reserved).unwrap_or_default();
                target.path == self.path && sent.starts_with(query)
            }
        }
    }

    /// The paths as an ACL; `None` if the prefix has a query, since that is a single URL.
    pub fn acl(&self) -> Option<String> {
        self.query.is_none().then(|| acl::below(&self.path))
    }
}
