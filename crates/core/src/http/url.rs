//! URI references: their parts, and parameters added to them.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::authority::Scheme;
use super::target;

/// The parts of a URI reference (RFC 3986 section 4.1) that are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) scheme: Option<Scheme>,
    pub(super) authority: Option<&'a str>,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
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
pub(super) fn split(uri: &str) -> Option<Parts<'_>> {
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
