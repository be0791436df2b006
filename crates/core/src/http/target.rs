//! The request target: a path and a query.
//!
//! Parsing rejects every path that servers may read in more than one way, so the path that is checked against a token
//! is the path that the origin serves.

use alloc::borrow::Cow;
use alloc::string::String;

use crate::bytes::percent;

/// Longest target in bytes, which also bounds every field of a MAC. Envoy's default limit for all headers together is
/// 60 KiB.
pub const MAX_TARGET: usize = u16::MAX as usize;

/// The target does not normalise to a single path, so its path cannot be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadTarget;

/// A parsed request target (RFC 9112 section 3.2.1, origin-form).
#[derive(Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The path as received, percent-encoded.
    pub raw_path: &'a str,
    /// The path, percent-decoded once: absolute, without dot segments, `//`, control characters or remaining escapes.
    pub path: Cow<'a, str>,
    /// The query, after the first `?`, percent-encoded.
    pub query: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Parses an origin-form target.
    ///
    /// # Errors
    /// [`BadTarget`] if the target is longer than [`MAX_TARGET`] or not UTF-8, if it contains a control character, a
    /// space, a `#` or a backslash, if the path is not absolute, or if servers may disagree on the file it names: dot
    /// segments (also with `;parameters`, also full-width), empty segments, encoded `/`, `\`, `?`, `#` or control
    /// characters, invalid escapes, and escapes that decode to escapes.
    pub fn parse(raw: &'a [u8]) -> Result<Self, BadTarget> {
        if raw.len() > MAX_TARGET {
            return Err(BadTarget);
        }
        let raw = core::str::from_utf8(raw).map_err(|_| BadTarget)?;
        // Without an early exit, the compiler vectorises the loop.
        if raw.bytes().fold(false, |bad, byte| bad | (byte <= b' ') | (byte == 0x7f) | (byte == b'#')) {
            return Err(BadTarget);
        }
        let (raw_path, query) = match raw.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (raw, None),
        };
        Ok(Self { raw_path, path: normal_path(raw_path)?, query })
    }

    /// The query's parameters in order, as raw name and raw value (`None` without a `=`).
    pub fn parameters(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        parameters(self.query)
    }

    /// The values of the parameter `name`, still percent-encoded.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.parameters().filter(move |(raw, _)| is_named(raw, name)).map(|(_, value)| value.unwrap_or(""))
    }

    /// The query without the parameters named in `names`; `None` if nothing is left.
    pub fn query_without(&self, names: &[impl AsRef<str>]) -> Option<String> {
        strip(self.query?, names)
    }
}

/// A query's parameters in order, as raw name and raw value.
pub fn parameters(query: Option<&str>) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = query;
    // Hand-written for speed: a query may have thousands of parameters, each compared with several names.
    core::iter::from_fn(move || {
        let text = rest?;
        let (mut end, mut equals) = (text.len(), None);
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'&' => {
                    end = at;
                    break;
                }
                b'=' if equals.is_none() => equals = Some(at),
                _ => {}
            }
        }
        let (parameter, tail) = text.split_at_checked(end)?;
        rest = tail.get(1..);
        Some(match equals {
            Some(at) => (parameter.get(..at)?, parameter.get(at + 1..)),
            None => (parameter, None),
        })
    })
}

/// Whether a raw parameter name decodes to `name`. An escaped letter must not hide a reserved parameter.
pub fn is_named(raw: &str, name: &str) -> bool {
    match raw.len() {
        length if length == name.len() => raw == name,
        // Escapes alone can make it longer.
        length => length > name.len() && length <= name.len() * 3 && percent::decodes_to(raw, name.as_bytes()),
    }
}

/// `query` without the parameters named in `names`, byte for byte otherwise; `None` if nothing is left.
pub fn strip(query: &str, names: &[impl AsRef<str>]) -> Option<String> {
    without(query, |raw| names.iter().any(|name| is_named(raw, name.as_ref()))).map(Cow::into_owned)
}

/// `query` without the parameters for whose raw name `is_dropped` holds, byte for byte otherwise: borrowed if there are
/// none, `None` if nothing is left.
pub fn without(query: &str, is_dropped: impl Fn(&str) -> bool) -> Option<Cow<'_, str>> {
    let is_kept = |(name, _): &(&str, Option<&str>)| !is_dropped(name);
    if parameters(Some(query)).all(|parameter| is_kept(&parameter)) {
        return Some(Cow::Borrowed(query));
    }
    let mut kept = String::with_capacity(query.len());
    let mut any = false;
    for (name, value) in parameters(Some(query)).filter(is_kept) {
        if any {
            kept.push('&');
        }
        kept.push_str(name);
        if let Some(value) = value {
            kept.push('=');
            kept.push_str(value);
        }
        any = true;
    }
    any.then_some(Cow::Owned(kept))
}

/// Percent-decodes a raw path once and rejects paths that servers may read in more than one way.
///
/// # Errors
/// See [`Target::parse`].
pub fn normal_path(raw: &str) -> Result<Cow<'_, str>, BadTarget> {
    if raw.len() > MAX_TARGET {
        return Err(BadTarget);
    }
    let path = if raw.contains('%') {
        let decoded = percent::decode_str(raw).ok_or(BadTarget)?;
        // An escape hides a separator if decoding produces more of them.
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
        // Some servers strip `;parameters` before they resolve dot segments.
        let name = segment.split_once(';').map_or(segment, |(name, _)| name);
        let last = segments.peek().is_none();
        if is_dots(name) || (name.is_empty() && !(last && segment.is_empty())) {
            return Err(BadTarget);
        }
    }
    Ok(path)
}

/// Whether a segment is a dot segment, also in the forms that servers may convert to one.
///
/// Servers that convert names to another character set produce dots and separators from other characters. Covered are
/// those whose compatibility decomposition (Unicode's NFKC) is one dot, two dots or a separator, and U+2044, U+2215 and
/// U+2216, which converters take for slashes. Three dots are an ordinary name (also `…` U+2026 and `︙` U+FE19), and so
/// are dots next to a letter or digit (`⒈` U+2488 is `1.`).
fn is_dots(segment: &str) -> bool {
    if segment.is_ascii() {
        return matches!(segment, "." | "..");
    }
    let separators = ['\u{2044}', '\u{2215}', '\u{ff0f}', '\u{2216}', '\u{fe68}', '\u{ff3c}'];
    let dots = |c: char| match c {
        '.' | '\u{2024}' | '\u{fe52}' | '\u{ff0e}' => Some(1),
        '\u{2025}' | '\u{fe30}' => Some(2),
        _ => None,
    };
    // More than two dots are an ordinary name in any form.
    let are_dots = |part: &str| {
        let count = part.chars().try_fold(0_usize, |count, c| Some(count + dots(c)?).filter(|count| *count <= 2));
        matches!(count, Some(1 | 2))
    };
    segment.split(separators).any(are_dots)
}

/// The directory of a normalised path, with its trailing `/`.
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
    fn a_target_is_not_longer_than_what_a_mac_can_tell() {
        let target = alloc::format!("/{}", "a".repeat(MAX_TARGET - 1));
        assert!(Target::parse(target.as_bytes()).is_ok() && normal_path(&target).is_ok());
        let longer = alloc::format!("{target}a");
        assert_eq!((Target::parse(longer.as_bytes()), normal_path(&longer)), (Err(BadTarget), Err(BadTarget)));
    }

    #[test]
    fn forms_of_dots_are_dots_and_three_are_a_name() {
        for (segment, expected) in [
            (".", true),
            ("..", true),
            ("...", false),
            ("\u{2024}", true),
            ("\u{2024}.", true),
            ("\u{fe52}\u{ff0e}", true),
            ("\u{ff0e}\u{ff0e}\u{ff0e}", false),
            ("\u{2025}", true),
            ("\u{fe30}", true),
            ("\u{2025}.", false),
            ("\u{fe30}\u{2025}", false),
            ("\u{2026}", false),
            ("\u{fe19}", false),
            ("\u{2025}\u{2044}a", true),
            ("a\u{2215}\u{fe30}", true),
            ("a\u{ff0f}\u{2025}\u{ff0f}b", true),
            ("a\u{2216}.\u{fe68}b", true),
            ("\u{ff3c}\u{2025}", true),
            ("\u{2025}a", false),
            ("a\u{2025}", false),
            ("a\u{2044}b", false),
            // Colons, middle dots and full stops of other scripts, which do not decompose to U+002E.
            ("\u{fe55}", false),
            ("\u{ff1a}", false),
            ("\u{b7}\u{b7}", false),
            ("\u{2027}", false),
            ("\u{3002}", false),
            ("\u{ff61}\u{ff61}", false),
            ("\u{6d4}", false),
            ("\u{2488}", false),
        ] {
            assert_eq!(is_dots(segment), expected, "{}", segment.escape_unicode());
            let path = alloc::format!("/a/{segment}/b");
            assert_eq!(Target::parse(path.as_bytes()).is_err(), expected, "{}", segment.escape_unicode());
        }
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
        let all = |query| parameters(Some(query)).collect::<alloc::vec::Vec<_>>();
        assert_eq!(all(""), [("", None)]);
        assert_eq!(all("&"), [("", None), ("", None)]);
        assert_eq!(all("a=é=1&=&b"), [("a", Some("é=1")), ("", Some("")), ("b", None)]);
        assert_eq!(parameters(None).count(), 0);
        assert_eq!(directory("/a/b/c.m3u8"), "/a/b/");
        assert_eq!(directory("/c"), "/");
    }
}
