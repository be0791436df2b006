//! Finds the URIs of a playlist that lead back to the filter, as browsers resolve them.

use regex_lite::Regex;
use url::Url;

/// The base URL of the playlists.
pub const PLAYLIST: &str = "https://edge.example/vod/show/index.m3u8";
/// Other hosts that the policy lists; the corpus has URIs of the first three.
pub const HOSTS: [&str; 4] = ["example.com", "mock.vod.com", "tv4play-i.akamaihd.net", "edge.example"];

/// The location of one playlist.
#[derive(Debug)]
pub struct Site {
    /// Its URL.
    pub base: Url,
    parts: Regex,
}

impl Site {
    /// The location of the playlist at `url`.
    ///
    /// # Errors
    /// `url` is not a URL.
    pub fn new(url: &str) -> Result<Self, String> {
        // RFC 3986 appendix B.
        let parts = Regex::new(r"^(([^:/?#]+):)?(//([^/?#]*))?([^?#]*)(\?([^#]*))?(#(.*))?").map_err(text)?;
        Ok(Self { base: Url::parse(url).map_err(text)?, parts })
    }

    /// The target of `uri`, if it is on the filter's hosts. `None` for URIs that clients interpret differently: they must
    /// not get a token.
    pub fn own(&self, uri: &str) -> Option<Url> {
        if uri.is_empty() || uri.contains(|c: char| c.is_ascii_control() || c == '\\') {
            return None;
        }
        let parts = self.parts.captures(uri)?;
        let authority = parts.get(4).map(|authority| authority.as_str());
        if parts.get(2).is_some() && authority.is_none() || authority.is_some_and(|a| a.is_empty() || a.contains('@')) {
            return None;
        }
        let url = self.base.join(uri).ok()?;
        let host = url.host_str()?;
        // The parser drops the default port of the URI's own scheme; the other scheme's is another server.
        (matches!(url.scheme(), "http" | "https") && url.port().is_none() && HOSTS.contains(&host)).then_some(url)
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
