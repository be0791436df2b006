//! URIs in playlists: which are ours to touch, and how a parameter goes in.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::target;

/// The parts of a URI reference (RFC 3986 section 4.1) that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts<'a> {
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

/// The playlist that a URI stands in, as its player sees it.
#[derive(Debug)]
pub struct Base {
    authority: String,
    hosts: Vec<String>,
    path: String,
}

impl Base {
    /// `authority` and `raw_path` of the playlist's own request; `hosts` are other authorities that playlock
    /// protects, normalised.
    pub fn new(authority: &str, raw_path: &str, hosts: &[String]) -> Self {
        Self { authority: normal_authority(authority), hosts: hosts.to_vec(), path: raw_path.into() }
    }

    /// Whether a request for `uri` comes to playlock: of the same authority or of a listed host. What clients read in more
    /// than one way is not ours.
    pub fn is_own(&self, uri: &str) -> bool {
        split(uri).is_some_and(|parts| parts.authority.is_none_or(|authority| self.is_own_authority(authority)))
    }

    fn is_own_authority(&self, authority: &str) -> bool {
        let authority = normal_authority(authority);
        authority == self.authority || self.hosts.contains(&authority)
    }

    /// The absolute raw path of `uri` if it is ours.
    pub fn own_path<'a>(&self, uri: &'a str) -> Option<Cow<'a, str>> {
        let Parts { authority, path, .. } = split(uri)?;
        match authority {
            Some(authority) if !self.is_own_authority(authority) => None,
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
/// query, a fragment or a backslash. Nearly every URI of a playlist is.
pub fn is_simple(uri: &[u8]) -> bool {
    // Without a branch for each byte, this goes many bytes at a time.
    uri.iter().fold(true, |all, byte| all & is_plain(*byte)) && is_simple_start(uri)
}

/// Whether a simple URI may have this byte.
pub fn is_plain(byte: u8) -> bool {
    (b'!'..=b'~').contains(&byte) & !matches!(byte, b':' | b'?' | b'#' | b'\\')
}

/// Whether a URI of plain bytes is simple: it is there, and has no authority.
#[inline]
pub fn is_simple_start(uri: &[u8]) -> bool {
    !uri.is_empty() && !uri.starts_with(b"//")
}

/// An authority in one spelling: lower case, without the default port of either scheme.
pub fn normal_authority(authority: &str) -> String {
    let lower = authority.to_ascii_lowercase();
    match lower.strip_suffix(":443").or_else(|| lower.strip_suffix(":80")) {
        // `[::80]` is no port; `host:80` is.
        Some(host) if !host.is_empty() && (!host.contains(':') || host.ends_with(']')) => host.into(),
        _ => lower,
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
    let rest = match main.split_once(':') {
        Some((scheme, rest)) if !scheme.contains('/') => {
            if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
                return None;
            }
            rest.strip_prefix("//")?
        }
        _ => match main.strip_prefix("//") {
            Some(rest) => rest,
            None => return Some(Parts { authority: None, path: main, query }),
        },
    };
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    if authority.is_empty() || authority.contains('@') {
        return None;
    }
    Some(Parts { authority: Some(authority), path, query })
}

/// RFC 3986 section 5.2.4, for an absolute path.
fn remove_dot_segments(path: &str) -> Cow<'_, str> {
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

    #[test]
    fn own_and_foreign() {
        let base = Base::new("Edge.example:443", "/vod/a/master.m3u8", &["cdn.example".into(), "[::1]:8080".into()]);
        for (uri, path) in [
            ("seg.ts", Some("/vod/a/seg.ts")),
            ("./seg.ts", Some("/vod/a/seg.ts")),
            ("../b/seg.ts?x=/../y", Some("/vod/b/seg.ts")),
            ("../../../../seg.ts", Some("/seg.ts")),
            ("/root.ts#f", Some("/root.ts")),
            ("?q=1", Some("/vod/a/master.m3u8")),
            ("v/a:b.ts", Some("/vod/a/v/a:b.ts")),
            ("https://edge.example/x", Some("/x")),
            ("HTTP://EDGE.example:80/x", Some("/x")),
            ("https://edge.example", Some("/")),
            ("//cdn.example:443/x", Some("/x")),
            ("http://[::1]:8080/x", Some("/x")),
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
