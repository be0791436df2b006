//! `speke.viewerUrl` of a policy, valid by type: where viewers get the keys of packaged contents.
//!
//! The content ID is a segment of the path, so that a session's ACL decides whose keys it may have.
//!
//! | below the URL | |
//! |---|---|
//! | `/SECRET/KID` | the 16 bytes of a key |
//! | `/SECRET/license` | licenses of W3C ClearKey |
//!
//! `SECRET` identifies the secret that the keys are derived from (8 hex digits), so that contents outlive an exchange.

use alloc::format;
use alloc::string::String;
use core::str::FromStr;

use playlock_drm::Kid;
use playlock_speke::ContentId;

use super::text::{Expected, HttpUrl};
use crate::http::target;

const CONTENT_ID: &str = "{contentId}";
const LICENSE: &str = "license";
/// Most characters of the URL: it stands in every playlist and MPD.
const LONGEST: usize = 512;

/// The URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewerUrl {
    /// Scheme and authority, empty for a path alone. It is only written: requests are recognised by their path.
    origin: String,
    /// The path before the content ID, with its final `/`.
    before: String,
    /// The path after it: empty, or with a `/` in front.
    after: String,
}

/// A path below the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewerPath {
    /// The content whose keys are asked for.
    pub content: ContentId,
    /// The identifier of the secret.
    pub secret: [u8; 4],
    /// The kind of request.
    pub asked: ViewerAsked,
}

/// A viewer's request: for a key, or for licenses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewerAsked {
    /// The key with this ID.
    Key(Kid),
    /// Licenses, for the key IDs in the request's body.
    License,
}

impl FromStr for ViewerUrl {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        const EXPECTED: Expected = Expected(
            "a path or URL of at most 512 letters, digits and /.-_ with one segment {contentId}, such as \
             \"/vod/{contentId}/keys\"",
        );
        let path_at = match text.split_once("://") {
            None => 0,
            Some((scheme, rest)) => scheme.len() + 3 + rest.find('/').ok_or(EXPECTED)?,
        };
        let (origin, path) = text.split_at_checked(path_at).ok_or(EXPECTED)?;
        let (before, after) = path.split_once(CONTENT_ID).ok_or(EXPECTED)?;
        let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.-_".contains(&b));
        let is_segment = before.ends_with('/') && (after.is_empty() || after.starts_with('/')) && !after.ends_with('/');
        let is_normal = target::normal_path(&format!("{before}a{after}")).is_ok();
        let has_origin = origin.is_empty() || HttpUrl::from_str(origin).is_ok();
        if text.len() <= LONGEST && is_plain(before) && is_plain(after) && is_segment && is_normal && has_origin {
            Ok(Self { origin: origin.into(), before: before.into(), after: after.into() })
        } else {
            Err(EXPECTED)
        }
    }
}

impl ViewerUrl {
    /// The template of key URLs under the secret with this identifier.
    pub fn key_template(&self, secret: [u8; 4]) -> String {
        self.template(secret, "{kid}")
    }

    /// The template of the license server's URL under that secret.
    pub fn license_template(&self, secret: [u8; 4]) -> String {
        self.template(secret, LICENSE)
    }

    fn template(&self, secret: [u8; 4], last: &str) -> String {
        let Self { origin, before, after } = self;
        format!("{origin}{before}{CONTENT_ID}{after}/{}/{last}", base16ct::lower::encode_string(&secret))
    }

    /// The directory above the content IDs, without its final `/`.
    pub fn directory(&self) -> &str {
        self.before.strip_suffix('/').unwrap_or(&self.before)
    }

    /// Reads a normalised path; `None` if it is none of a key or a license server, but perhaps content.
    pub fn read(&self, path: &str) -> Option<ViewerPath> {
        let (content, rest) = self.below(path)?;
        let (secret, last) = rest.split_once('/')?;
        let mut id = [0; 4];
        base16ct::lower::decode(secret, &mut id).ok().filter(|id| id.len() == 4)?;
        let asked = match last {
            LICENSE => ViewerAsked::License,
            kid => ViewerAsked::Key(Kid::parse(kid)?),
        };
        Some(ViewerPath { content: ContentId::parse(content).ok()?, secret: id, asked })
    }

    /// The content ID, and the path below the URL.
    fn below<'p>(&self, path: &'p str) -> Option<(&'p str, &'p str)> {
        let (content, rest) = path.strip_prefix(self.before.as_str())?.split_once('/')?;
        let rest = match self.after.strip_prefix('/') {
            None => rest,
            Some(after) => rest.strip_prefix(after)?.strip_prefix('/')?,
        };
        Some((content, rest))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    const KID: &str = "0f083e4e-b831-4a3d-917e-ce78076e54aa";

    /// A text, and the template of its key URLs; `None` for what is no such URL.
    #[test]
    fn the_content_id_is_a_segment_of_the_path() {
        let longest = format!("/{}/{{contentId}}/01ab02cd/{{kid}}", "a".repeat(499));
        for (text, template) in [
            ("/vod/{contentId}", Some("/vod/{contentId}/01ab02cd/{kid}")),
            ("/vod/{contentId}/keys", Some("/vod/{contentId}/keys/01ab02cd/{kid}")),
            ("https://tv.example/{contentId}", Some("https://tv.example/{contentId}/01ab02cd/{kid}")),
            ("vod/{contentId}", None),
            ("/vod/x{contentId}", None),
            ("/vod/{contentId}x", None),
            ("/vod/{contentId}/", None),
            ("/vod/{contentId}/{contentId}", None),
            ("/vod/../{contentId}", None),
            ("/vod//{contentId}", None),
            ("/vod/{kid}", None),
            ("/vod", None),
            ("https://tv.example", None),
            ("skd://tv.example/{contentId}", None),
            ("https:///{contentId}", None),
            ("//tv.example/{contentId}", None),
            (&*format!("/{}/{{contentId}}", "a".repeat(499)), Some(&*longest)),
            (&*format!("/{}/{{contentId}}", "a".repeat(500)), None),
        ] {
            let read = text.parse::<ViewerUrl>().ok();
            let found = read.map(|url| url.key_template([1, 0xab, 2, 0xcd]));
            assert_eq!(found.as_deref(), template, "{text}");
        }
    }

    /// A normalised path, and the content ID and last segment if it is a key's or a license server's.
    #[test]
    fn paths_are_read_as_they_are_written() {
        let url: ViewerUrl = "https://tv.example/vod/{contentId}/keys".parse().unwrap();
        for (path, served) in [
            (&*format!("/vod/film 1/keys/01ab02cd/{KID}"), Some(("film 1", KID))),
            ("/vod/film/keys/01ab02cd/license", Some(("film", "license"))),
            ("/vod/film/keys/01AB02CD/license", None),
            ("/vod/film/keys/01ab02/license", None),
            ("/vod/film/keys/01ab02cdef/license", None),
            ("/vod/film/keys/01ab02cd/other", None),
            ("/vod/film/keys/01ab02cd/license/", None),
            ("/vod/film/keys/01ab02cd", None),
            ("/vod/film/keys", None),
            ("/vod/film/keysx/01ab02cd/license", None),
            ("/vod/film/a/keys/01ab02cd/license", None),
            ("/live/film/keys/01ab02cd/license", None),
        ] {
            let found = url.read(path).map(|read| {
                assert_eq!(read.secret, [1, 0xab, 2, 0xcd]);
                let asked = match read.asked {
                    ViewerAsked::Key(kid) => kid.to_string(),
                    ViewerAsked::License => LICENSE.into(),
                };
                (read.content.as_str().to_string(), asked)
            });
            assert_eq!(found, served.map(|(content, last)| (content.into(), last.into())), "{path}");
        }
    }
}
