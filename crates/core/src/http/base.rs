//! The base of URIs in playlists and MPDs: which of them lead to playlock, and where to.

use alloc::borrow::Cow;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::authority::{Scheme, normal_authority, without_port};
use super::target;
use super::url::{Parts, origin, remove_dot_segments, rooted, split};

/// The playlist that contains a URI, by the address that its player requested.
#[derive(Debug, Clone)]
pub struct Base {
    scheme: Scheme,
    own: Rc<Own>,
    path: String,
}

/// The authorities that playlock protects.
#[derive(Debug)]
struct Own {
    /// The playlist's.
    authority: String,
    /// Further ones.
    hosts: Vec<String>,
}

impl Base {
    /// Builds the base from `scheme`, `authority` and `raw_path` of the playlist request. `hosts` are further
    /// authorities that playlock protects, in the form of [`listed_authority`](super::authority::listed_authority).
    pub fn new(scheme: Scheme, authority: &str, raw_path: &str, hosts: &[String]) -> Self {
        let authority = normal_authority(authority, scheme);
        Self { scheme, own: Rc::new(Own { authority, hosts: hosts.to_vec() }), path: raw_path.into() }
    }

    /// Whether a request for `uri` reaches playlock: its authority is the playlist's or a listed one. False for URIs
    /// that clients may read in more than one way.
    pub fn is_own(&self, uri: &str) -> bool {
        split(uri).is_some_and(|parts| self.owns(&parts))
    }

    /// Only the default port of the URI's own scheme is dropped: another server may listen on the other port.
    fn owns(&self, parts: &Parts<'_>) -> bool {
        let Some(authority) = parts.authority else { return true };
        let lower = authority.to_ascii_lowercase();
        let authority = without_port(&lower, parts.scheme.unwrap_or(self.scheme).default_port());
        authority == self.own.authority || self.own.hosts.iter().any(|host| host == authority)
    }

    /// The base that `uri`, resolved against this one, is for other references, as the `BaseURL` of an MPD is; `None` if
    /// it is not own. [`Base::secured`] applies to it: below https, it is https.
    pub fn join(&self, uri: &str) -> Option<Self> {
        let path = self.own_path(uri)?.into_owned();
        let named = split(uri)?.scheme.filter(|_| self.scheme == Scheme::Http);
        Some(Self { scheme: named.unwrap_or(self.scheme), own: Rc::clone(&self.own), path })
    }

    /// `uri`, which must be own, with `http` replaced by `https` if the playlist was requested by https.
    ///
    /// Origins behind a TLS edge often write `http://`, and a token must not be sent in cleartext.
    pub fn secured<'a>(&self, uri: &'a str) -> Cow<'a, str> {
        let plain = || split(uri).is_some_and(|parts| parts.scheme == Some(Scheme::Http));
        match uri.split_once("://") {
            Some((_, rest)) if self.scheme == Scheme::Https && plain() => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
                Cow::Owned(["https://", without_port(authority, Scheme::Http.default_port()), rest].concat())
            }
            _ => Cow::Borrowed(uri),
        }
    }

    /// The directory of the playlist, with its final `/`, percent-encoded.
    pub fn directory(&self) -> &str {
        target::directory(&self.path)
    }

    /// Whether `uri` is a reference with a relative path (or none) whose dot segments stay below the root.
    pub fn is_below_root(&self, uri: &str) -> bool {
        let path = uri.get(..uri.find(['?', '#']).unwrap_or(uri.len())).unwrap_or_default();
        let has_scheme = path.split_once(':').is_some_and(|(scheme, _)| !scheme.contains('/'));
        if has_scheme || path.starts_with('/') {
            return false;
        }
        // Segments of the playlist's directory, without the empty one behind its last `/`.
        let mut depth = self.directory().bytes().filter(|byte| *byte == b'/').count().saturating_sub(1);
        path.split('/').all(|segment| match segment {
            ".." => depth.checked_sub(1).map(|less| depth = less).is_some(),
            "." => true,
            _ => {
                depth = depth.saturating_add(1);
                true
            }
        })
    }

    /// `uri`, which must be own and whose absolute path is `path`, with scheme and authority if it has none.
    pub fn absolute(&self, uri: &str, path: &str) -> String {
        let rooted = rooted(uri, "", path);
        if origin(uri).is_empty() { [self.scheme.prefix(), &self.own.authority, &rooted].concat() } else { rooted }
    }

    /// The absolute raw path of `uri`; `None` if it is not own.
    pub fn own_path<'a>(&self, uri: &'a str) -> Option<Cow<'a, str>> {
        let parts = split(uri)?;
        if !self.owns(&parts) {
            return None;
        }
        let path = parts.path;
        match parts.authority {
            Some(_) if path.is_empty() => Some("/".into()),
            Some(_) => Some(remove_dot_segments(path)),
            None if path.is_empty() => Some(Cow::Owned(self.path.clone())),
            None if path.starts_with('/') => Some(remove_dot_segments(path)),
            None => {
                let directory = target::directory(&self.path);
                Some(Cow::Owned(remove_dot_segments(&[directory, path].concat()).into_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(scheme: Scheme, authority: &str) -> Base {
        Base::new(scheme, authority, "/vod/a/master.m3u8", &["cdn.example".into(), "[::1]:8080".into()])
    }

    #[test]
    fn own_and_foreign() {
        let base = base(Scheme::Https, "Edge.example:443");
        for (uri, path) in [
            ("seg.ts", Some("/vod/a/seg.ts")),
            ("./seg.ts", Some("/vod/a/seg.ts")),
            ("../b/seg.ts?x=/../y", Some("/vod/b/seg.ts")),
            ("../../../../seg.ts", Some("/seg.ts")),
            ("/root.ts#f", Some("/root.ts")),
            ("?q=1", Some("/vod/a/master.m3u8")),
            ("v/a:b.ts", Some("/vod/a/v/a:b.ts")),
            ("https://edge.example/x", Some("/x")),
            ("https://edge.example", Some("/")),
            ("//cdn.example:443/x", Some("/x")),
            ("..", Some("/vod/")),
            ("http://edge.example:8080/x", None),
            ("https://other.example/x", None),
            ("//edge.example.evil/x", None),
            ("https://edge.example@evil/x", None),
            ("https:edge.example/x", None),
            ("/\\evil/x", None),
            ("\\\\evil/x", None),
            ("/\t/evil/x", None),
            (" //evil/x", None),
            ("\u{a0}//evil/x", None),
            ("\u{feff}https://evil/x", None),
            ("seg.ts ", None),
            ("a b.ts", Some("/vod/a/a b.ts")),
            ("data:text/plain,x", None),
            ("skd://key", None),
            ("a:b.ts", None),
        ] {
            assert_eq!(base.own_path(uri).as_deref(), path, "{uri}");
            assert_eq!(base.is_own(uri), path.is_some(), "{uri}");
        }
    }

    #[test]
    fn what_is_asked_for_by_https_stays_there() {
        // Requested by https at edge.example: the expected URI, `None` if it is not own.
        for (uri, expected) in [
            ("seg.ts?x=http://a", Some("seg.ts?x=http://a")),
            ("//edge.example/x", Some("//edge.example/x")),
            ("https://edge.example:443/x", Some("https://edge.example:443/x")),
            ("http://edge.example/x", Some("https://edge.example/x")),
            ("HTTP://EDGE.example:80/x?y#z", Some("https://EDGE.example/x?y#z")),
            ("http://edge.example:80?y", Some("https://edge.example?y")),
            ("http://cdn.example/x", Some("https://cdn.example/x")),
            ("http://[::1]:8080/x", Some("https://[::1]:8080/x")),
            ("https://edge.example:80/x", None),
            ("//edge.example:80/x", None),
            ("http://edge.example:443/x", None),
            ("https://cdn.example:80/x", None),
            ("http://cdn.example:443/x", None),
        ] {
            let base = base(Scheme::Https, "edge.example");
            assert_eq!(base.is_own(uri).then(|| base.secured(uri)).as_deref(), expected, "{uri}");
        }
        for (authority, uri, own) in [
            // By http: an upgrade is harmless.
            ("edge.example", "https://edge.example/x", true),
            ("edge.example:80", "http://edge.example/x", true),
            ("edge.example", "//edge.example:80/x", true),
            ("edge.example", "http://edge.example:443/x", false),
            ("edge.example:443", "http://edge.example/x", false),
            ("edge.example:8080", "http://edge.example:8080/x", true),
        ] {
            let base = base(Scheme::Http, authority);
            assert_eq!((base.is_own(uri), &*base.secured(uri)), (own, uri), "{authority}: {uri}");
        }
        let other = base(Scheme::Https, "edge.example:8443");
        assert_eq!(other.secured("http://edge.example:8443/x"), "https://edge.example:8443/x");
        assert!(!other.is_own("http://edge.example/x"));
    }

    #[test]
    fn a_base_within_a_base() {
        // Requested by http and by https at edge.example: the bases in order, then a URI and its expected path.
        for (scheme, bases, uri, path) in [
            (Scheme::Https, &["a/"][..], "1.mp4", Some("/vod/a/a/1.mp4")),
            (Scheme::Https, &["../b/", "c"], "1.mp4", Some("/vod/b/1.mp4")),
            (Scheme::Https, &["c/"], "?x", Some("/vod/a/c/")),
            (Scheme::Https, &["https://cdn.example/x/?y"], "1.mp4", Some("/x/1.mp4")),
            (Scheme::Https, &["https://cdn.example"], "1.mp4", Some("/1.mp4")),
            (Scheme::Https, &["https://cdn.example/x/"], "https://edge.example/1.mp4", Some("/1.mp4")),
            // Written as https, so its references have that scheme and port.
            (Scheme::Https, &["http://cdn.example/x/"], "//cdn.example:443/1.mp4", Some("/1.mp4")),
            (Scheme::Https, &["http://cdn.example/x/"], "//cdn.example:80/1.mp4", None),
            (Scheme::Http, &["https://cdn.example/x/"], "//cdn.example:443/1.mp4", Some("/1.mp4")),
            (Scheme::Http, &["https://cdn.example/x/"], "//cdn.example:80/1.mp4", None),
            (Scheme::Http, &["http://cdn.example/x/", "y/"], "//cdn.example:80/1.mp4", Some("/1.mp4")),
            (Scheme::Http, &["x/"], "//other.example/1.mp4", None),
        ] {
            let joined = bases.iter().fold(base(scheme, "edge.example"), |base, uri| base.join(uri).unwrap());
            assert_eq!(joined.own_path(uri).as_deref(), path, "{bases:?} {uri}");
        }
        for foreign in ["https://other.example/", "//other.example/", "ftp://edge.example/", "/\\edge.example/"] {
            assert!(base(Scheme::Https, "edge.example").join(foreign).is_none(), "{foreign}");
        }
    }
}
