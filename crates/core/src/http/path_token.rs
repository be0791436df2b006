//! Tokens in the path: the first segment of a target, behind a marker, as in `/~TOKEN/vod/720p/1.ts`.
//!
//! The rest of the target is what every check, the origin and the logs see.

use alloc::borrow::Cow;
use alloc::string::String;

use super::base::Base;
use super::target::BadTarget;
use super::url;
use crate::bytes::percent;

/// Most further tokens that are taken out one by one.
const MAX_REPEATED: usize = 4;

/// A target without the token in its path.
#[derive(Debug, PartialEq, Eq)]
pub struct Split<'a> {
    /// The text of the first segment behind the marker, percent-encoded as sent.
    pub sent: Cow<'a, str>,
    /// The rest of the target, from its `/` on, without further tokens.
    pub plain: &'a [u8],
    /// The token was followed by further ones.
    pub repeated: bool,
}

/// Splits a target whose path begins with `marker`; `None` if it does not.
///
/// # Errors
/// [`BadTarget`] if nothing follows the token, or if the token has characters that are not printable ASCII.
pub fn split<'a>(raw: &'a [u8], marker: &str) -> Result<Option<Split<'a>>, BadTarget> {
    let Some(sent) = marked(raw, marker) else { return Ok(None) };
    let mut plain = behind_first(raw).ok_or(BadTarget)?;
    let graphic = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if !sent.bytes().all(graphic) {
        return Err(BadTarget);
    }
    let mut repeated = false;
    // The request is refused, but its path in the proxy's log must not have the other tokens.
    for _ in 0..MAX_REPEATED {
        if marked(plain, marker).is_none() {
            return Ok(Some(Split { sent, plain, repeated }));
        }
        (plain, repeated) = (behind_first(plain).unwrap_or(b"/"), true);
    }
    // Looking at each of thousands would cost more than a request may.
    if marked(plain, marker).is_some() {
        plain = b"/";
    }
    Ok(Some(Split { sent, plain, repeated }))
}

/// The path behind the first segment, and the query; `None` if there is no other segment.
fn behind_first(raw: &[u8]) -> Option<&[u8]> {
    let first = raw.get(1..)?;
    let end = first.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'))?;
    first.get(end..).filter(|plain| plain.starts_with(b"/"))
}

/// The first segment behind the marker. A client may have escaped the marker.
fn marked<'a>(raw: &'a [u8], marker: &str) -> Option<Cow<'a, str>> {
    let first = raw.strip_prefix(b"/")?;
    let end = first.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(first.len());
    let segment = first.get(..end)?;
    if let Some(sent) = segment.strip_prefix(marker.as_bytes()) {
        // Bytes that are not UTF-8 become characters that no token has.
        return Some(String::from_utf8_lossy(sent));
    }
    let decoded = percent::decode_str(core::str::from_utf8(segment).ok().filter(|segment| segment.contains('%'))?)?;
    decoded.strip_prefix(marker).map(|sent| Cow::Owned(sent.into()))
}

/// The segment of a session token, and the URIs that have it already.
#[derive(Debug)]
pub struct TokenSegment {
    /// `/`, the marker and the token.
    text: String,
    /// The request had the token in its path, so relative URIs in its response have it, too.
    inherited: bool,
}

impl TokenSegment {
    /// The segment of `token` behind `marker`. `inherited`: the request had this token in its path.
    pub fn new(marker: &str, token: &str, inherited: bool) -> Self {
        Self { text: ["/", marker, token].concat(), inherited }
    }

    /// The segment, with the `/` before it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text to write before a URI that [`is_straight`], so that it has the token: nothing if it has it already.
    pub fn prefix(&self, base: &Base) -> Cow<'_, str> {
        if self.inherited { Cow::Borrowed("") } else { Cow::Owned([&self.text, base.directory()].concat()) }
    }

    /// `uri`, which is own and has the absolute path `path`, with the token if `carried`, else without.
    pub fn place<'u>(&self, base: &Base, uri: &'u str, path: &str, carried: bool) -> Cow<'u, str> {
        self.place_in(base, self.inherited, uri, path, carried)
    }

    /// [`TokenSegment::place`] for a URI that is resolved against another base than the response's own. `inherited`: that
    /// base has this token in its path.
    pub fn place_in<'u>(&self, base: &Base, inherited: bool, uri: &'u str, path: &str, carried: bool) -> Cow<'u, str> {
        if (inherited && base.is_below_root(uri)) == carried {
            return Cow::Borrowed(uri);
        }
        Cow::Owned(url::rooted(uri, if carried { self.text.as_str() } else { "" }, path))
    }

    /// Whether the request had the token in its path.
    pub fn is_inherited(&self) -> bool {
        self.inherited
    }
}

/// Whether a relative URI without a scheme, a query or a fragment ([`url::is_simple`]) leads to its directory or below.
pub fn is_straight(uri: &[u8]) -> bool {
    let dots = uri.windows(2).fold(false, |found, pair| found | (pair == b"/."));
    !dots && !uri.starts_with(b"/") && !uri.starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::authority::Scheme;

    #[test]
    fn the_first_segment_is_the_token_if_it_is_marked() {
        for (raw, expected) in [
            ("/~abc/vod/1.ts", Some(("abc", "/vod/1.ts", false))),
            ("/~abc/", Some(("abc", "/", false))),
            ("/~/a?x=~y/z", Some(("", "/a?x=~y/z", false))),
            ("/%7eabc/vod/1.ts?x", Some(("abc", "/vod/1.ts?x", false))),
            ("/%7Ea%62c/v", Some(("abc", "/v", false))),
            ("/~hdnts=acl=%2f*/v", Some(("hdnts=acl=%2f*", "/v", false))),
            ("/~a/~b/v", Some(("a", "/v", true))),
            ("/~a/%7eb", Some(("a", "/", true))),
            ("/~a/~b/%7Ec/~d/v?x", Some(("a", "/v?x", true))),
            ("/~a//v", Some(("a", "//v", false))),
            ("/vod/~abc/1.ts", None),
            ("/a~b/1.ts", None),
            ("~abc/1.ts", None),
            ("/%7/1.ts", None),
        ] {
            let split = split(raw.as_bytes(), "~").unwrap();
            let found = split.as_ref().map(|it| (&*it.sent, core::str::from_utf8(it.plain).unwrap(), it.repeated));
            assert_eq!(found, expected, "{raw}");
        }
        for raw in ["/~abc", "/~abc?x/y", "/~abc#/y", "/~a\\b/v", "/~a b/v", "/~\u{e4}/v", "/%7ea%00/v"] {
            assert_eq!(split(raw.as_bytes(), "~"), Err(BadTarget), "{raw}");
        }
        assert_eq!(split(b"/~\xff/v", "~"), Err(BadTarget));
        assert_eq!(split(b"/-t-abc/v", "-t-").unwrap().unwrap().sent, "abc");
    }

    #[test]
    fn a_uri_gets_the_token_unless_it_is_relative_and_stays_below_the_root() {
        let base = Base::new(Scheme::Https, "edge.example", "/vod/a/index.m3u8", &[]);
        // The URI in a response to a request with the token in its path, and to one without.
        for (uri, inherited, first) in [
            ("1.ts", "1.ts", "/~T/vod/a/1.ts"),
            ("b/./1.ts?x#y", "b/./1.ts?x#y", "/~T/vod/a/b/1.ts?x#y"),
            ("../1.ts", "../1.ts", "/~T/vod/1.ts"),
            ("../../1.ts", "../../1.ts", "/~T/1.ts"),
            ("../../../1.ts", "/~T/1.ts", "/~T/1.ts"),
            ("x/../../../../1.ts?../", "/~T/1.ts?../", "/~T/1.ts?../"),
            ("../..", "../..", "/~T/"),
            ("../../..", "/~T/", "/~T/"),
            ("/live/1.ts", "/~T/live/1.ts", "/~T/live/1.ts"),
            ("/../1.ts", "/~T/1.ts", "/~T/1.ts"),
            ("?x=1", "?x=1", "/~T/vod/a/index.m3u8?x=1"),
            ("https://edge.example/1.ts?x", "https://edge.example/~T/1.ts?x", "https://edge.example/~T/1.ts?x"),
            ("//edge.example/../1.ts", "//edge.example/~T/1.ts", "//edge.example/~T/1.ts"),
            ("https://edge.example", "https://edge.example/~T/", "https://edge.example/~T/"),
            ("a/b:c//1.ts", "a/b:c//1.ts", "/~T/vod/a/a/b:c//1.ts"),
            (".//1.ts", ".//1.ts", "/~T/vod/a//1.ts"),
            ("b//1.ts", "b//1.ts", "/~T/vod/a/b//1.ts"),
            ("?https://x/", "?https://x/", "/~T/vod/a/index.m3u8?https://x/"),
            ("1.ts?https://x/", "1.ts?https://x/", "/~T/vod/a/1.ts?https://x/"),
        ] {
            let path = base.own_path(uri).unwrap();
            let placed = |inherited| TokenSegment::new("~", "T", inherited).place(&base, uri, &path, true).into_owned();
            assert_eq!((&*placed(true), &*placed(false)), (inherited, first), "{uri}");
        }
        let without = |uri: &str| {
            let path = base.own_path(uri).unwrap();
            TokenSegment::new("~", "T", true).place(&base, uri, &path, false).into_owned()
        };
        assert_eq!(["1.ts?x", "../../../1.ts", "/1.ts"].map(without), ["/vod/a/1.ts?x", "../../../1.ts", "/1.ts"]);
    }

    #[test]
    fn only_uris_that_stay_in_their_directory_are_straight() {
        for (uri, expected) in [
            ("1.ts", true),
            ("a/b.c/1..ts", true),
            ("/1.ts", false),
            ("../1.ts", false),
            (".", false),
            ("a/../1.ts", false),
            ("a/./1.ts", false),
            ("a/.hidden", false),
        ] {
            assert_eq!(is_straight(uri.as_bytes()), expected, "{uri}");
        }
    }
}
