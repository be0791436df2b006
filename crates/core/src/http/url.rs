//! URIs in playlists and MPDs: which of them lead to playlock, and adding parameters to them.

use alloc::borrow::Cow;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use crate::http::target;

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
    fn default_port(self) -> &'static str {
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

/// The parts of a URI reference (RFC 3986 section 4.1) that are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts<'a> {
    scheme: Option<Scheme>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

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
    /// authorities that playlock protects, in the form of [`listed_authority`].
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

/// `uri`, whose absolute path is `path`, with `before` in front of that path.
pub fn rooted(uri: &str, before: &str, path: &str) -> String {
    let rest = uri.get(uri.find(['?', '#']).unwrap_or(uri.len())..).unwrap_or_default();
    [origin(uri), before, path, rest].concat()
}

/// Scheme and authority at the start of a URI reference that was found own, as written; empty if it has none.
pub fn origin(uri: &str) -> &str {
    let Some((scheme, rest)) = uri.split_once("//") else { return "" };
    // Other slashes are within a path or a query.
    let is_scheme = scheme.is_empty() || scheme.ends_with(':') && !scheme.contains(['/', '?', '#']);
    if !is_scheme {
        return "";
    }
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    uri.get(..scheme.len() + 2 + authority).unwrap_or_default()
}

/// Whether `uri` leads to a resource by `https`, or by either scheme if `scheme` is `http`; a relative reference keeps the
/// scheme. False for URIs that clients may read in more than one way.
pub fn keeps_scheme(uri: &str, scheme: Scheme) -> bool {
    split(uri).is_some_and(|parts| scheme == Scheme::Http || parts.scheme != Some(Scheme::Http))
}

/// The query of a URI reference, without its `?`.
pub fn query(uri: &str) -> Option<&str> {
    let main = uri.split_once('#').map_or(uri, |(main, _)| main);
    main.split_once('?').map(|(_, query)| query)
}

/// Whether `uri` is a relative reference that needs no parsing: printable ASCII without a scheme, an authority, a
/// query, a fragment, a backslash or an escape. Most URIs of playlists are.
pub fn is_simple(uri: &[u8]) -> bool {
    // Without a branch, the compiler vectorises the loop.
    uri.iter().fold(true, |all, byte| all & is_plain(*byte)) && is_simple_start(uri)
}

/// Whether a simple URI may contain this byte.
pub fn is_plain(byte: u8) -> bool {
    (b'!'..=b'~').contains(&byte) & !matches!(byte, b'%' | b':' | b'?' | b'#' | b'\\')
}

/// Whether a URI of plain bytes is simple: not empty, and without an authority.
#[inline]
pub fn is_simple_start(uri: &[u8]) -> bool {
    !uri.is_empty() && !uri.starts_with(b"//")
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
fn without_port<'a>(authority: &'a str, port: &str) -> &'a str {
    match authority.strip_suffix(port) {
        // `:80` is a port in `host:80`, but not in `[::80]`.
        Some(host) if !host.is_empty() && (!host.contains(':') || host.ends_with(']')) => host,
        _ => authority,
    }
}

/// Appends `uri` with `parameters` (`name=value&…`) added to its query, before any fragment. Existing parameters with
/// the names in `ours` are removed.
pub fn push_with_parameters(out: &mut Vec<u8>, uri: &str, parameters: &str, ours: &[String]) {
    let (main, fragment) = uri.split_at_checked(uri.find('#').unwrap_or(uri.len())).unwrap_or((uri, ""));
    let (path, query) = match main.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (main, None),
    };
    out.extend_from_slice(path.as_bytes());
    let mut separator = b'?';
    if let Some(query) = query {
        let present =
            target::parameters(Some(query)).any(|(name, _)| ours.iter().any(|ours| target::is_named(name, ours)));
        let kept = if present { target::strip(query, ours).map(Cow::Owned) } else { Some(Cow::Borrowed(query)) };
        if let Some(kept) = kept {
            out.push(b'?');
            out.extend_from_slice(kept.as_bytes());
            separator = b'&';
        }
    }
    if !parameters.is_empty() {
        out.push(separator);
        out.extend_from_slice(parameters.as_bytes());
    }
    out.extend_from_slice(fragment.as_bytes());
}

/// Splits a URI reference.
///
/// `None` for schemes other than http and https, and for URIs that browsers and other clients read differently: with
/// backslashes (browsers read `/`), control characters or white space around the URI (browsers and players drop them), all of
/// which move the authority, with user information, or with a scheme without `//`.
fn split(uri: &str) -> Option<Parts<'_>> {
    let is_blank = |character: char| character.is_whitespace() || character == '\u{feff}';
    if uri.starts_with(is_blank) || uri.ends_with(is_blank) {
        return None;
    }
    if uri.bytes().any(|byte| byte < b' ' || byte == 0x7f || byte == b'\\') {
        return None;
    }
    let main = uri.split_once('#').map_or(uri, |(main, _)| main);
    let (main, query) = match main.split_once('?') {
        Some((main, query)) => (main, Some(query)),
        None => (main, None),
    };
    let (scheme, rest) = match main.split_once(':') {
        Some((scheme, rest)) if !scheme.contains('/') => {
            let scheme = match scheme {
                _ if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
                _ if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
                _ => return None,
            };
            (Some(scheme), rest.strip_prefix("//")?)
        }
        _ => match main.strip_prefix("//") {
            Some(rest) => (None, rest),
            None => return Some(Parts { scheme: None, authority: None, path: main, query }),
        },
    };
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    if authority.is_empty() || authority.contains('@') {
        return None;
    }
    Some(Parts { scheme, authority: Some(authority), path, query })
}

/// An absolute path without its dot segments (RFC 3986 section 5.2.4).
pub fn remove_dot_segments(path: &str) -> Cow<'_, str> {
    if !path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Cow::Borrowed(path);
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            other => {
                kept.push(other);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    let mut out = String::with_capacity(path.len());
    for segment in kept {
        out.push('/');
        out.push_str(segment);
    }
    if out.is_empty() {
        out.push('/');
    }
    Cow::Owned(out)
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
        assert_eq!(["A:443", "a:80", "[::443]", "[::1]:80"].map(listed_authority), ["a", "a", "[::443]", "[::1]"]);
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

    #[test]
    fn parameters_go_before_the_fragment_and_replace_their_like() {
        for (uri, expected) in [
            ("a.ts", "a.ts?t=1"),
            ("a.ts?x=1", "a.ts?x=1&t=1"),
            ("a.ts#f?x", "a.ts?t=1#f?x"),
            ("a.ts?x=1#f", "a.ts?x=1&t=1#f"),
            ("a.ts?t=old&x=1&%74=2", "a.ts?x=1&t=1"),
            ("a.ts?t=old", "a.ts?t=1"),
            ("a.ts?", "a.ts?&t=1"),
            ("?x", "?x&t=1"),
        ] {
            let mut out = Vec::new();
            push_with_parameters(&mut out, uri, "t=1", &["t".into()]);
            assert_eq!(core::str::from_utf8(&out).unwrap(), expected, "{uri}");
        }
    }
}
