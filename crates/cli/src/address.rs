//! The URL that a player would ask for, in the pieces that a proxy sees.

use std::str::FromStr;

/// An absolute http or https URL. Nothing of it is normalised: what the filter makes of odd paths is its business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `http` or `https`.
    pub scheme: String,
    /// Host, perhaps with a port.
    pub authority: String,
    /// Path, with its escapes.
    pub path: String,
    /// What follows the first `?`.
    pub query: Option<String>,
}

impl Address {
    /// The request target (RFC 9112 section 3.2.1) with another parameter, `name=value`.
    pub fn target(&self, parameter: Option<&str>) -> String {
        let parameters: Vec<&str> = self.query.as_deref().into_iter().chain(parameter).collect();
        match parameters.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, parameters.join("&")),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let main = text.split_once('#').map_or(text, |(main, _)| main);
        let (scheme, rest) = main.split_once("://").ok_or("expected https://HOST/PATH")?;
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err("expected the scheme http or https".into());
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, format!("/{path}")),
            None => (rest, "/".to_owned()),
        };
        if authority.is_empty() || authority.contains('@') {
            return Err("expected a host, without user information".into());
        }
        Ok(Self { scheme, authority: authority.to_owned(), path, query })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart_and_stay_what_they_are() {
        let address: Address = "HTTPS://edge.example:8443/a/../b%20c.m3u8?x=1?y#f".parse().unwrap();
        assert_eq!((address.scheme.as_str(), address.authority.as_str()), ("https", "edge.example:8443"));
        assert_eq!(address.target(None), "/a/../b%20c.m3u8?x=1?y");
        assert_eq!(address.target(Some("t=1")), "/a/../b%20c.m3u8?x=1?y&t=1");
        assert_eq!("http://h".parse::<Address>().unwrap().target(Some("t=1")), "/?t=1");
        for wrong in ["", "/a", "h/a", "ftp://h/a", "https:///a", "https://u@h/a"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}
