//! Scheme and authority of a URL: their normal form.

use alloc::string::String;

/// The scheme of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Cleartext: anyone on the path can read the URL and its token.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// The scheme's default port, with its colon.
    pub(super) fn default_port(self) -> &'static str {
        match self {
            Self::Http => ":80",
            Self::Https => ":443",
        }
    }

    /// The scheme as the start of a URI: `http://` or `https://`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Http => "http://",
            Self::Https => "https://",
        }
    }
}

/// Normalises a request's authority: lower case, without an empty port or the scheme's default port (RFC 3986 sections 6.2.2.1
/// and 6.2.3).
pub fn normal_authority(authority: &str, scheme: Scheme) -> String {
    let lower = authority.to_ascii_lowercase();
    without_port(without_port(&lower, ":"), scheme.default_port()).into()
}

/// Normalises an authority of a list: lower case, without the default port of either scheme, because lists name no
/// scheme.
pub fn listed_authority(authority: &str) -> String {
    let lower = authority.to_ascii_lowercase();
    without_port(without_port(&lower, Scheme::Https.default_port()), Scheme::Http.default_port()).into()
}

/// `authority` without `port`, if it ends with it.
pub(super) fn without_port<'a>(authority: &'a str, port: &str) -> &'a str {
    match authority.strip_suffix(port) {
        // `:80` is a port in `host:80`, but not in `[::80]`.
        Some(host) if !host.is_empty() && (!host.contains(':') || host.ends_with(']')) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_ports_are_left_out() {
        assert_eq!(["A:443", "a:80", "[::443]", "[::1]:80"].map(listed_authority), ["a", "a", "[::443]", "[::1]"]);
    }
}
