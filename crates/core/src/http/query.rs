//! The canonical query that signatures cover: the origin's parameters in one spelling.

use alloc::borrow::Cow;
use alloc::string::String;

use crate::bytes::percent;
use crate::http::target;

/// Parameter in which players report measurements with every request for media (CTA-5004 section 3.1). It selects no
/// content.
const REPORT: &str = "CMCD";
/// The prefixes of delivery directives (RFC 8216bis section 6.2.5; ETSI TS 103 998), which players add to requests for
/// playlists, steering manifests and asset lists.
const DIRECTIVES: [&str; 2] = ["_HLS_", "_DASH_"];

/// Longest query in bytes that is signed. Players reject longer lines (ffmpeg from 4,096 bytes on), and the limit
/// bounds the cost of a forged signature.
const MAX: usize = 4096;

/// The canonical query with its `?`, empty if there is none; `None` if it is longer than 4,096 bytes.
///
/// Parameters named in `ours` and reports are removed. Escapes that servers and players treat alike get one spelling.
/// Order is kept: of parameters with the same name, servers take either the first or the last.
pub fn of_origin(query: Option<&str>, ours: &[impl AsRef<str>]) -> Option<String> {
    let mut out = String::new();
    let is_ours = |name: &str| ours.iter().any(|ours| target::is_named(name, ours.as_ref()));
    for (name, value) in target::parameters(query).filter(|(name, _)| !is_ours(name) && !target::is_named(name, REPORT))
    {
        out.push(if out.is_empty() { '?' } else { '&' });
        push(&mut out, name);
        if let Some(value) = value {
            out.push('=');
            push(&mut out, value);
        }
        if out.len() > MAX {
            return None;
        }
    }
    Some(out)
}

/// A query from [`of_origin`], without delivery directives.
pub fn without_directives(query: &str) -> Cow<'_, str> {
    if !DIRECTIVES.iter().any(|prefix| query.contains(prefix)) {
        return Cow::Borrowed(query);
    }
    let mut out = String::with_capacity(query.len());
    let parameters = query.strip_prefix('?').into_iter().flat_map(|query| query.split('&'));
    let is_directive = |parameter: &str| DIRECTIVES.iter().any(|prefix| parameter.starts_with(prefix));
    for parameter in parameters.filter(|parameter| !is_directive(parameter)) {
        out.push(if out.is_empty() { '?' } else { '&' });
        out.push_str(parameter);
    }
    Cow::Owned(out)
}

/// Appends a name or value. `+` and `;` stay as they are: some servers read them as a blank and as `&`, so they are not
/// equivalent to their escapes.
fn push(out: &mut String, text: &str) {
    let mut rest = text;
    loop {
        let end = rest.find(['+', ';']).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let decoded = percent::decode(piece);
        percent::encode_into(out, decoded.as_deref().unwrap_or(piece.as_bytes()), |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
        });
        let mut special = tail.chars();
        match special.next() {
            None => return,
            Some(special) => out.push(special),
        }
        rest = special.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origins_part_in_one_spelling() {
        for (query, expected) in [
            (None, ""),
            (Some(""), "?"),
            (Some("plk=x&hdntl=y"), ""),
            (Some("f=a.mp4&plk=x"), "?f=a.mp4"),
            (Some("hdntl=y&f=a.mp4&%70lk=x&CMCD=br%3D1"), "?f=a.mp4"),
            (Some("f=%61%2emp4&x"), "?f=a.mp4&x"),
            (Some("f=/a:b"), "?f=%2fa%3ab"),
            (Some("f=%2Fa%3Ab"), "?f=%2fa%3ab"),
            (Some("f=a+b;c"), "?f=a+b;c"),
            (Some("f=a%2bb%3bc"), "?f=a%2bb%3bc"),
            (Some("b=1&a=2&b=3"), "?b=1&a=2&b=3"),
            (Some("f=%zz"), "?f=%25zz"),
            (Some("&f=1&plk=x"), "?&f=1"),
            (Some("f=ä"), "?f=%c3%a4"),
        ] {
            assert_eq!(of_origin(query, &["plk", "hdntl"]).as_deref(), Some(expected), "{query:?}");
        }
        let long = |bytes: usize| alloc::format!("plk={}&f={}", "x".repeat(9000), "y".repeat(bytes - 3));
        assert_eq!(of_origin(Some(&long(4096)), &["plk"]).map(|query| query.len()), Some(4096));
        assert_eq!(of_origin(Some(&long(4097)), &["plk"]), None);
    }

    #[test]
    fn directives_are_left_out() {
        for (query, expected) in [
            ("", ""),
            ("?", "?"),
            ("?a=1", "?a=1"),
            ("?a=1&_HLS_pathway=x&_HLS_throughput=1", "?a=1"),
            ("?_HLS_pathway=x", ""),
            ("?_DASH_pathway=x&a=1&_DASH_throughput=1", "?a=1"),
            ("?a=1&_HLS_pathway=x&b=_HLS_2", "?a=1&b=_HLS_2"),
        ] {
            assert_eq!(without_directives(query), expected, "{query}");
        }
    }
}
