//! Finds the URIs of a playlist that lead back to the filter, as browsers resolve them and as RFC 3986 does.

use url::Url;

use crate::rfc3986::Uri;

/// The base URL of the playlists.
pub const PLAYLIST: &str = "https://edge.example/vod/show/index.m3u8";
/// Other hosts that the policy lists; the corpus has URIs of the first three.
pub const HOSTS: [&str; 4] = ["example.com", "mock.vod.com", "tv4play-i.akamaihd.net", "edge.example"];

/// The location of one playlist.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its URL.
    pub base: Url,
    rules: Uri,
}

impl Site {
    /// The location of the playlist at `url`.
    ///
    /// # Errors
    /// `url` is not a URL.
    pub fn new(url: &str) -> Result<Self, String> {
        let rules = Uri::split(url).ok_or_else(|| format!("not a URL: {url}"))?;
        Ok(Self { base: Url::parse(url).map_err(|error| error.to_string())?, rules })
    }

    /// The target of `uri`, if it is on the filter's hosts. `None` for URIs that clients interpret differently: they must
    /// not get a token.
    pub fn own(&self, uri: &str) -> Option<Url> {
        if uri.is_empty() || uri.contains(|c: char| c.is_ascii_control() || c == '\\') {
            return None;
        }
        let parts = Uri::split(uri)?;
        let authority = parts.authority.as_deref();
        if parts.scheme.is_some() && authority.is_none() || authority.is_some_and(|a| a.is_empty() || a.contains('@')) {
            return None;
        }
        let url = self.base.join(uri).ok()?;
        let host = url.host_str()?;
        // The parser drops the default port of the URI's own scheme; the other scheme's is another server.
        (matches!(url.scheme(), "http" | "https") && url.port().is_none() && HOSTS.contains(&host)).then_some(url)
    }

    /// The target of a request for `uri`, which must be own, by the letter of RFC 3986. `None` if it has characters that
    /// no URI has.
    pub fn by_rules(&self, uri: &str) -> Option<String> {
        let valid = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        let parts = Uri::split(uri).filter(|_| uri.bytes().all(valid))?;
        Some(self.rules.resolve(&parts).target())
    }
}
