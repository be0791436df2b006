//! `keyUrl`: URL template of an external key server. Its placeholders are filled in from the session and the playlist;
//! nothing else is added to the URL.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::bytes::percent;
use crate::http::target;

/// Longest `keyUrl` in bytes: every playlist contains it.
const MAX_URL: usize = 1024;

/// A placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Session id, 22 characters of base64url.
    Session,
    /// Directory of the stream, percent-encoded except for `/`.
    Stream,
    /// Key period number.
    Period,
    /// Id of the secret from which the key is derived, 8 hex digits.
    Secret,
    /// Session token, encoded as the value of a query parameter.
    Token,
}

impl Place {
    const ALL: [(&str, Self); 5] = [
        ("session", Self::Session),
        ("stream", Self::Stream),
        ("period", Self::Period),
        ("secret", Self::Secret),
        ("token", Self::Token),
    ];
}

/// Values of the placeholders for one playlist.
#[derive(Debug)]
pub struct Values<'a> {
    /// Session id as written in the session token.
    pub session: &'a str,
    /// Directory of the stream; `None` if no placeholder uses it.
    pub stream: Option<&'a str>,
    /// Id of the secret.
    pub secret: [u8; 4],
    /// Session token, encoded as the value of a query parameter.
    pub token: &'a str,
}

/// A `keyUrl`.
#[derive(Debug)]
pub struct KeyUrl(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Place(Place),
}

impl KeyUrl {
    /// Parses `https://HOST/…`, `http://HOST/…` or `/…` with placeholders such as `{session}`.
    ///
    /// # Errors
    /// A description of the expected syntax.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let path = match text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) {
            None => text,
            Some(rest) => {
                let (host, _) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
                if host.is_empty() || !host.bytes().all(plain) {
                    return Err("expected a host behind http:// or https://, without places");
                }
                rest.get(host.len()..).unwrap_or_default()
            }
        };
        if !path.starts_with('/') || path.starts_with("//") {
            return Err("expected an absolute URL, such as \"https://keys.example/k\", or a path");
        }
        // The URL is written into a quoted attribute and must be unambiguous to players and servers.
        let plain = |byte: u8| byte.is_ascii_graphic() && !br##""#<>\^`|"##.contains(&byte);
        if text.len() > MAX_URL || !text.bytes().all(plain) {
            return Err("expected at most 1024 characters that URLs have, without a fragment");
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            let place = Place::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, place)| place);
            let place = place.ok_or("expected {session}, {stream}, {period}, {secret} or {token} in braces")?;
            parts.extend([Part::Text(before.into()), Part::Place(place)]);
            rest = after;
        }
        parts.push(Part::Text(rest.into()));
        if text.matches('}').count() != text.matches('{').count() {
            return Err("expected no brace without its other");
        }
        Ok(Self(parts))
    }

    /// Whether the template has this placeholder.
    pub fn has(&self, wanted: Place) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Place(place) if *place == wanted))
    }

    /// Directory that contains all URLs of the template; `None` if the template is an absolute URL with a host.
    pub fn directory(&self) -> Option<&str> {
        match self.0.first() {
            Some(Part::Text(text)) if text.starts_with('/') => Some(target::directory(text)),
            _ => None,
        }
    }

    /// Fills in all placeholders except the key period.
    pub fn filled(&self, values: &Values<'_>) -> KeyUri {
        let mut pieces = Vec::new();
        let mut piece = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => piece.push_str(text),
                Part::Place(Place::Session) => piece.push_str(values.session),
                Part::Place(Place::Stream) => push_path(&mut piece, values.stream.unwrap_or_default()),
                Part::Place(Place::Secret) => piece.push_str(&base16ct::lower::encode_string(&values.secret)),
                Part::Place(Place::Token) => piece.push_str(values.token),
                Part::Place(Place::Period) => pieces.push(core::mem::take(&mut piece)),
            }
        }
        pieces.push(piece);
        KeyUri(pieces)
    }
}

/// Key URIs of one playlist, without the key period.
#[derive(Debug)]
pub struct KeyUri(Vec<String>);

impl KeyUri {
    /// URI of the key of this period.
    pub fn of(&self, period: u64) -> String {
        self.0.join(&period.to_string())
    }
}

/// Appends a path, percent-encoded for use in the path or query of a URL.
pub fn push_path(out: &mut String, path: &str) {
    percent::encode_into(out, path.as_bytes(), |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_')
    });
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    const VALUES: Values<'_> =
        Values { session: "AAAA", stream: Some("/vod/a b&ä/"), secret: [1, 2, 3, 255], token: "exp=1~hmac=0" };

    #[test]
    fn places_are_filled_in() {
        for (url, expected) in [
            ("https://keys.example:8443", None),
            ("https://keys.example/36.key", Some("https://keys.example/36.key")),
            ("/keys{stream}{period}.key", Some("/keys/vod/a%20b%26%c3%a4/7.key")),
            (
                "http://[::1]/k?s={session}&p={period}&p={period}&w={secret}&t={token}",
                Some("http://[::1]/k?s=AAAA&p=7&p=7&w=010203ff&t=exp=1~hmac=0"),
            ),
        ] {
            let filled = KeyUrl::parse(url).ok().map(|url| url.filled(&VALUES).of(7));
            assert_eq!(filled.as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn what_could_break_a_playlist_up_is_refused() {
        for url in [
            "",
            "k",
            "//keys.example/k",
            "ftp://keys.example/k",
            "https:///k",
            "https://{session}.example/k",
            "https://user@keys.example/k",
            "https://keys.example/{viewer}",
            "https://keys.example/{$session}",
            "https://keys.example/{session",
            "https://keys.example/session}",
            "https://keys.example/}{session}{",
            "https://keys.example/\"k",
            "https://keys.example/a b",
            "https://keys.example/a\nb",
            "https://keys.example/ä",
            "https://keys.example/a#b",
            "https://keys.example/a\\b",
            "skd://key",
        ] {
            assert!(KeyUrl::parse(url).is_err(), "{url}");
        }
        assert!(KeyUrl::parse(&format!("/{}", "k".repeat(MAX_URL))).is_err());
    }
}
