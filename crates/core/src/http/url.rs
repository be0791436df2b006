//! URIs in playlists: which are ours to touch, and how a parameter goes in.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::http::target;

/// The scheme of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Anyone on the way reads along.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// The port that need not be written, as it would be.
    fn default_port(self) -> &'static str {
        match self {
            Self::Http => ":80",
            Self::Https => ":443",
        }
    }
}

/// The parts of a URI reference (RFC 3986 section 4.1) that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts<'a> {
    scheme: Option<Scheme>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

/// The playlist that a URI stands in, as its player sees it.
#[derive(Debug)]
pub struct Base {
    scheme: Scheme,
    authority: String,
    hosts: Vec<String>,
    path: String,
}

impl Base {
    /// `scheme`, `authority` and `raw_path` of the playlist's own request; `hosts` are other authorities that playlock
    /// protects, as [`listed_authority`] writes them.
    pub fn new(scheme: Scheme, authority: &str, raw_path: &str, hosts: &[String]) -> Self {
        let authority = without_port(&authority.to_ascii_lowercase(), scheme.default_port()).into();
        Self { scheme, authority, hosts: hosts.to_vec(), path: raw_path.into() }
    }

    /// Whether a request for `uri` comes to playlock: of the same authority or of a listed host. What clients read in more
    /// than one way is not ours.
    pub fn is_own(&self, uri: &str) -> bool {
        split(uri).is_some_and(|parts| self.owns(&parts))
    }

    /// A default port is that of the URI's own scheme: another server may listen on the other one.
    fn owns(&self, parts: &Parts<'_>) -> bool {
        let Some(authority) = parts.authority else { return true };
        let lower = authority.to_ascii_lowercase();
        let authority = without_port(&lower, parts.scheme.unwrap_or(self.scheme).default_port());
        authority == self.authority || self.hosts.iter().any(|host| host == authority)
    }

    /// `uri`, which is ours, as it is given to the viewer: what is asked for by https stays on https. An origin behind a
    /// TLS edge often writes `http://`, and a token must not follow it there.
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

    /// The absolute raw path of `uri` if it is ours.
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

/// The query of a URI reference, without its `?`.
pub fn query(uri: &str) -> Option<&str> {
    let main = uri.split_once('#').map_or(uri, |(main, _)| main);
    main.split_once('?').map(|(_, query)| query)
}

/// Whether `uri` is a relative reference that needs no closer look: printable ASCII without a scheme, an authority, a
/// query, a fragment, a backslash or an escape. Nearly every URI of a playlist is.
pub fn is_simple(uri: &[u8]) -> bool {
    // Without a branch for each byte, this goes many bytes at a time.
    uri.iter().fold(true, |all, byte| all & is_plain(*byte)) && is_simple_start(uri)
}

/// Whether a simple URI may have this byte.
pub fn is_plain(byte: u8) -> bool {
    (b'!'..=b'~').contains(&byte) & !matches!(byte, b'%' | b':' | b'?' | b'#' | b'\\')
}

/// Whether a URI of plain bytes is simple: it is there, and has no authority.
#[inline]
pub fn is_simple_start(uri: &[u8]) -> bool {
    !uri.is_empty() && !uri.starts_with(b"//")
}

/// An authority of a list, which names no scheme: in lower case, and at the default port of whichever it is asked by.
pub fn listed_authority(authority: &str) -> String {
    let lower = authority.to_ascii_lowercase();
    without_port(without_port(&lower, Scheme::Https.default_port()), Scheme::Http.default_port()).into()
}

/// An authority without this port, if it has it.
fn without_port<'a>(authority: &'a str, port: &str) -> &'a str {
    match authority.strip_suffix(port) {
        // `[::80]` is no port; `host:80` is.
        Some(host) if !host.is_empty() && (!host.contains(':') || host.ends_with(']')) => host,
        _ => authority,
    }
}

/// Appends `uri` with `parameters` (`name=value&…`) in its query, before a fragment; parameters of the names in
/// `ours` that were there already go.
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

/// Cuts a URI reference up. `None` for schemes other than http and https, and for what browsers and others read
/// differently: backslashes and control characters (browsers make `/` of one and drop the other, which moves the
/// authority), user information, a scheme without `//`.
fn split(uri: &str) -> Option<Parts<'_>> {
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
        // By https at edge.example: what becomes of the URI; `None` if it is not ours.
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
            // By http: an upgrade does no harm.
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
