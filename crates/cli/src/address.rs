//! URLs that players request, in the parts that a proxy receives.

use std::fmt;
use std::str::FromStr;

use playlock_core::http::url::remove_dot_segments;

/// An absolute http or https URL. It is not normalised: the filter has its own rules for odd paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `http` or `https`.
    pub scheme: String,
    /// The host, with or without a port.
    pub authority: String,
    /// The path, still escaped.
    pub path: String,
    /// The query, without its `?`.
    pub query: Option<String>,
}

impl Address {
    /// The request target (RFC 9112 section 3.2.1), with an additional parameter `name=value`.
    pub fn target(&self, parameter: Option<&str>) -> String {
        let parameters: Vec<&str> = self.query.as_deref().into_iter().chain(parameter).collect();
        match parameters.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, parameters.join("&")),
        }
    }

    /// This URL with a token as the first segment of its path, behind `marker`.
    pub fn with_path_token(&self, marker: &str, token: &str) -> Self {
        Self { path: format!("/{marker}{token}{}", self.path), ..self.clone() }
    }

    /// Resolves a URI reference against this URL (RFC 3986 section 5.2).
    ///
    /// # Errors
    /// A reference with another scheme than http or https.
    pub fn join(&self, reference: &str) -> Result<Self, String> {
        let reference = reference.split_once('#').map_or(reference, |(main, _)| main);
        let scheme = reference.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if scheme.starts_with(|char: char| char.is_ascii_alphabetic()) && scheme.bytes().all(is_scheme) {
            return reference.parse();
        }
        if let Some(rest) = reference.strip_prefix("//") {
            return format!("{}://{rest}", self.scheme).parse();
        }
        let (path, query) = match reference.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (reference, None),
        };
        let (path, query) = match path {
            "" => (self.path.clone(), query.or_else(|| self.query.clone())),
            _ if path.starts_with('/') => (remove_dot_segments(path).into_owned(), query),
            _ => {
                let directory = self.path.rsplit_once('/').map_or("", |(directory, _)| directory);
                (remove_dot_segments(&format!("{directory}/{path}")).into_owned(), query)
            }
        };
        Ok(Self { path, query, ..self.clone() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.target(None))
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
    fn references_lead_where_players_go() {
        let base: Address = "https://h:1/a/b/c.m3u8?t=1".parse().unwrap();
        for (reference, expected) in [
            ("d.ts", "https://h:1/a/b/d.ts"),
            ("./d.ts?x=1#f", "https://h:1/a/b/d.ts?x=1"),
            ("../d.ts", "https://h:1/a/d.ts"),
            ("../../../d/.", "https://h:1/d/"),
            ("/d/../e", "https://h:1/e"),
            ("//g/d", "https://g/d"),
            ("http://g", "http://g/"),
            ("?y", "https://h:1/a/b/c.m3u8?y"),
            ("", "https://h:1/a/b/c.m3u8?t=1"),
            ("v/a:b.ts", "https://h:1/a/b/v/a:b.ts"),
        ] {
            assert_eq!(base.join(reference).unwrap().to_string(), expected, "{reference}");
        }
        assert!(base.join("skd://key").is_err() && base.join("data:,x").is_err());
    }

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
