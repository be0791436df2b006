//! The request target: the path that tokens are checked against and the query, parsed so that the path the
//! origin serves is the one that was checked.

use alloc::borrow::Cow;
use alloc::string::String;

use crate::percent;

/// The target does not normalise to one path, so no statement about its path can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadTarget;

/// A parsed request target (RFC 9112 section 3.2.1, origin-form).
#[derive(Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The path as it came, still percent-encoded.
    pub raw_path: &'a str,
    /// The path decoded once: absolute, without dot segments, `//`, control characters or a second layer of
    /// escapes.
    pub path: Cow<'a, str>,
    /// What follows the first `?`, still percent-encoded.
    pub query: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Parses an origin-form target.
    ///
    /// # Errors
    /// [`BadTarget`] if it is not UTF-8, holds a control character, a space, a `#` or a backslash, if the path
    /// is not absolute, or if servers could disagree on which file it names: dot segments (also with
    /// `;parameters`, also full-width), empty segments, encoded `/`, `\`, `?`, `#` or control characters, invalid escapes, or
    /// escapes that decode to escapes.
    pub fn parse(raw: &'a [u8]) -> Result<Self, BadTarget> {
        let raw = core::str::from_utf8(raw).map_err(|_| BadTarget)?;
        // Every byte is looked at, so that many can be at once.
        if raw.bytes().fold(false, |bad, byte| bad | (byte <= b' ') | (byte == 0x7f) | (byte == b'#')) {
            return Err(BadTarget);
        }
        let (raw_path, query) = match raw.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (raw, None),
        };
        Ok(Self { raw_path, path: normal_path(raw_path)?, query })
    }

    /// The query's parameters in order: raw name and raw value (`None` without a `=`).
    pub fn parameters(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        parameters(self.query)
    }

    /// The values of the parameter `name`, still percent-encoded.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.parameters().filter(move |(raw, _)| is_named(raw, name)).map(|(_, value)| value.unwrap_or(""))
    }

    /// The query without the parameters named in `names`; `None` if nothing is left.
    pub fn query_without(&self, names: &[&str]) -> Option<String> {
        strip(self.query?, names)
    }
}

/// A query's parameters in order: raw name and raw value.
pub fn parameters(query: Option<&str>) -> impl Iterator<Item = (&str, Option<&str>)> {
    query.into_iter().flat_map(|query| query.split('&')).map(|parameter| match parameter.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (parameter, None),
    })
}

/// Whether a raw parameter name is `name` once decoded: an escaped letter must not smuggle ours past us.
pub fn is_named(raw: &str, name: &str) -> bool {
    raw == name || (raw.contains('%') && percent::decode(raw).is_some_and(|decoded| decoded == name.as_bytes()))
}

/// `query` without the parameters named in `names`, byte for byte otherwise; `None` if nothing is left.
pub fn strip(query: &str, names: &[impl AsRef<str>]) -> Option<String> {
    let mut kept = String::with_capacity(query.len());
    let mut any = false;
    for parameter in query.split('&') {
        let raw = parameter.split_once('=').map_or(parameter, |(name, _)| name);
        if names.iter().any(|name| is_named(raw, name.as_ref())) {
            continue;
        }
        if any {
            kept.push('&');
        }
        kept.push_str(parameter);
        any = true;
    }
    any.then_some(kept)
}

/// Decodes a raw path once and refuses what servers read in more than one way.
///
/// # Errors
/// See [`Target::parse`].
pub fn normal_path(raw: &str) -> Result<Cow<'_, str>, BadTarget> {
    let path = if raw.contains('%') {
        let decoded = percent::decode_str(raw).ok_or(BadTarget)?;
        // What was encoded to hide a separator: the raw text has fewer of them.
        let separators = |text: &str| text.bytes().filter(|byte| matches!(byte, b'/' | b'?' | b'#')).count();
        if separators(&decoded) != separators(raw) || percent::has_escape(&decoded) {
            return Err(BadTarget);
        }
        Cow::Owned(decoded)
    } else {
        Cow::Borrowed(raw)
    };
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return Err(BadTarget);
    }
    let mut segments = path.strip_prefix('/').ok_or(BadTarget)?.split('/').peekable();
    while let Some(segment) = segments.next() {
        // Some servers cut `;parameters` off before they resolve dots.
        let name = segment.split_once(';').map_or(segment, |(name, _)| name);
        let last = segments.peek().is_none();
        if is_dots(name) || (name.is_empty() && !(last && segment.is_empty())) {
            return Err(BadTarget);
        }
    }
    Ok(path)
}

/// Whether a segment is a dot segment: also in the forms that servers take for dots and separators when they convert a
/// name to a character set without them.
fn is_dots(segment: &str) -> bool {
    if segment.is_ascii() {
        return matches!(segment, "." | "..");
    }
    let separators = ['\u{2044}', '\u{2215}', '\u{ff0f}', '\u{2216}', '\u{fe68}', '\u{ff3c}'];
    let is_dot = |c: char| matches!(c, '.' | '\u{2024}' | '\u{fe52}' | '\u{ff0e}');
    segment.split(separators).any(|part| matches!(part.chars().count(), 1 | 2) && part.chars().all(is_dot))
}

/// The directory of a normal path, with its final `/`.
pub fn directory(path: &str) -> &str {
    path.rsplit_once('/').and_then(|(directory, _)| path.get(..=directory.len())).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confusing_paths_are_refused() {
        for bad in [
            "",
            "*",
            "vod/a",
            "http://h/a",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/.",
            "//a",
            "/a//b",
            "/a//",
            "/a/%2e%2e/b",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a%00",
            "/a%0ab",
            "/a%252e",
            "/%c0%ae%c0%ae/a",
            "/a%",
            "/a%zz",
            "/a#b",
            "/a b",
            "/a%3fb",
            "/a%23",
            "/..;/a",
            "/a/..;x=1/b",
            "/;/a",
            "/a\u{7f}",
            "/a%7f",
            "/%ff",
            "/a/\u{ff0e}\u{ff0e}/b",
            "/a/%e2%80%a4./b",
            "/a/..\u{ff0f}b",
            "/a/b\u{ff3c}..\u{2215}c",
        ] {
            assert_eq!(Target::parse(bad.as_bytes()), Err(BadTarget), "{bad}");
        }
        assert_eq!(Target::parse(b"/\xff"), Err(BadTarget));
    }

    #[test]
    fn plain_paths_are_decoded_once() {
        for (raw, path) in [
            ("/", "/"),
            ("/a/", "/a/"),
            ("/a%20b/c.ts", "/a b/c.ts"),
            ("/100%25.ts", "/100%.ts"),
            ("/é", "/é"),
            ("/a;x=1/b", "/a;x=1/b"),
            ("/...", "/..."),
            ("/%c3%a9", "/é"),
            ("/一／二．ts", "/一／二．ts"),
            ("/a?b/../c", "/a"),
        ] {
            assert_eq!(Target::parse(raw.as_bytes()).unwrap().path, path, "{raw}");
        }
    }

    #[test]
    fn parameters_are_found_by_decoded_name_and_stripped() {
        let target = Target::parse(b"/a?x=1&hdnt%73=t&y&hdnts=u=v").unwrap();
        assert_eq!(target.values("hdnts").collect::<alloc::vec::Vec<_>>(), ["t", "u=v"]);
        assert_eq!(target.query_without(&["hdnts"]).as_deref(), Some("x=1&y"));
        assert_eq!(Target::parse(b"/a?hdnts=1").unwrap().query_without(&["hdnts"]), None);
        assert_eq!(directory("/a/b/c.m3u8"), "/a/b/");
        assert_eq!(directory("/c"), "/");
    }
}
