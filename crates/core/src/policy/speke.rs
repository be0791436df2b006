//! `mediaEncryption.speke` of a policy, valid by type: the key server for packagers and who may ask it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use ipnet::IpNet;
use playlock_drm::{Kid, Settings};
use playlock_speke::{ContentId, Keys};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::text::{KeyPath, RequesterName};
use super::viewer_url::ViewerUrl;
use crate::token::derive::PackagerKeys;

/// The key server of a policy.
#[derive(Debug)]
pub struct Speke {
    /// Every request for this path, or for one below it, is for the key server.
    pub path: KeyPath,
    /// The requesters; at least one. No two share a name or a token.
    pub requesters: Vec<Requester>,
    /// The source of the keys.
    pub keys: PackagerKeys,
    /// The sources of keys that packagers got under the policy's other secrets.
    pub older: Vec<PackagerKeys>,
    /// The URLs and forms of DRM data.
    pub settings: Settings,
    /// The URL at which viewers get the keys; `None` if not here.
    pub viewer: Option<ViewerUrl>,
}

/// A requester: a packager, or a license server of others.
#[derive(Debug)]
pub struct Requester {
    /// Its name in logs.
    pub name: RequesterName,
    /// Its token.
    pub token: RequesterToken,
    /// The contents whose keys it may have; at least one.
    pub contents: Vec<ContentPattern>,
    /// The client networks that it may ask from; none for all.
    pub networks: Vec<IpNet>,
}

/// A requester's token, as its digest: the comparison of digests reveals nothing of the token by its timing.
#[derive(Clone)]
pub struct RequesterToken([u8; 32]);

/// A pattern of content IDs: one of them, or all that begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentPattern {
    /// This content ID.
    One(String),
    /// Content IDs that begin with this text, which may be empty.
    Prefix(String),
}

impl RequesterToken {
    /// Fewest bytes of a token.
    pub const SHORTEST: usize = 16;
    /// Most bytes of a token. Longer ones in requests are not hashed.
    pub const LONGEST: usize = 1024;

    /// A token of [`RequesterToken::SHORTEST`] to [`RequesterToken::LONGEST`] printable characters of ASCII, which
    /// headers can carry; `None` for other texts.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (Self::SHORTEST..=Self::LONGEST).contains(&text.len());
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(Sha256::digest(text).into()))
    }

    /// Whether both are the same token.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for RequesterToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequesterToken([redacted])")
    }
}

impl ContentPattern {
    /// Parses a content ID, or the beginning of content IDs and a `*`; `None` for patterns that nothing matches.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix('*') {
            // With one more character: a beginning may be empty, or a dot.
            Some(start) => (!start.contains('*') && ContentId::parse(&alloc::format!("{start}a")).is_ok())
                .then(|| Self::Prefix(start.into())),
            None => (!text.contains('*') && ContentId::parse(text).is_ok()).then(|| Self::One(text.into())),
        }
    }

    /// Whether it covers the content ID. Letter case counts.
    pub fn covers(&self, content_id: &str) -> bool {
        match self {
            Self::One(id) => content_id == id,
            Self::Prefix(start) => content_id.starts_with(start.as_str()),
        }
    }
}

impl Requester {
    /// Whether it may ask from this address; an unknown one is no address of a network.
    pub fn may_ask_from(&self, client: Option<IpAddr>) -> bool {
        let contains = |client: IpAddr| self.networks.iter().any(|network| network.contains(&client.to_canonical()));
        self.networks.is_empty() || client.is_some_and(contains)
    }

    /// Whether it may have the keys of a content.
    pub fn may_have(&self, content_id: &str) -> bool {
        self.contents.iter().any(|pattern| pattern.covers(content_id))
    }
}

impl Speke {
    /// See the field of this name.
    pub fn path(&self) -> &KeyPath {
        &self.path
    }

    /// The URL where viewers get the keys, if they get them here.
    pub fn viewer(&self) -> Option<&ViewerUrl> {
        self.viewer.as_ref()
    }

    /// Whether viewers get keys here.
    pub fn serves_viewers(&self) -> bool {
        self.viewer.is_some()
    }

    /// Whether the normalised `path` is that of a key or a license server here.
    pub fn is_viewer_path(&self, path: &str) -> bool {
        self.viewer.as_ref().is_some_and(|url| url.read(path).is_some())
    }

    /// The keys under the secret with this identifier.
    pub fn keys_under(&self, secret: [u8; 4]) -> Option<&PackagerKeys> {
        core::iter::once(&self.keys).chain(&self.older).find(|keys| keys.secret_id() == secret)
    }

    /// The names of the requesters.
    pub fn requester_names(&self) -> Vec<String> {
        self.requesters.iter().map(|requester| requester.name.to_string()).collect()
    }

    /// The requester with this token, and its position. Every token is compared, whichever it is.
    pub fn requester(&self, token: &str) -> Option<(usize, &Requester)> {
        let sent = RequesterToken::parse(token)?;
        let mut found = None;
        for (index, requester) in self.requesters.iter().enumerate() {
            if requester.token.is(&sent) {
                found = Some((index, requester));
            }
        }
        found
    }
}

impl Keys for Speke {
    fn key(&self, content: &ContentId, kid: &Kid) -> Zeroizing<[u8; 16]> {
        self.keys.key(content.as_str(), kid.bytes())
    }

    fn iv(&self, content: &ContentId, kid: &Kid) -> [u8; 16] {
        self.keys.iv(content.as_str(), kid.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern, a content ID and whether the pattern covers it; `None` for what is no pattern.
    #[test]
    fn patterns_cover_one_content_or_a_beginning() {
        for (pattern, content_id, covers) in [
            ("*", "film", Some(true)),
            ("film", "film", Some(true)),
            ("film", "film2", Some(false)),
            ("film", "Film", Some(false)),
            ("film*", "film", Some(true)),
            ("film*", "film-2 a", Some(true)),
            ("film*", "a film", Some(false)),
            ("..*", "...", Some(true)),
            ("", "film", None),
            ("..", "..", None),
            ("**", "film", None),
            ("*film", "film", None),
            ("fi*lm", "film", None),
            ("a/b*", "a/b", None),
            ("a\n", "a", None),
        ] {
            let found = ContentPattern::parse(pattern).map(|pattern| pattern.covers(content_id));
            assert_eq!(found, covers, "{pattern:?}");
        }
    }

    #[test]
    fn tokens_are_text_that_headers_can_carry() {
        for (token, good) in [
            ("0123456789abcdef", true),
            ("0123456789abcde", false),
            ("0123456789 abcdef", false),
            ("0123456789abcde\u{e9}", false),
        ] {
            assert_eq!(RequesterToken::parse(token).is_some(), good, "{token}");
        }
        assert!(
            RequesterToken::parse(&"a".repeat(1024)).is_some() && RequesterToken::parse(&"a".repeat(1025)).is_none()
        );
    }
}
