//! Header maps: reading with duplicates in mind, and the names of headers that must not pass.

use alloc::vec::Vec;

use crate::http::reply::{Header, Reason};
use crate::http::route::Format;

/// Request headers that make an origin return anything but the complete resource without a content coding.
pub const CONDITIONAL: &[&str] =
    &["accept-encoding", "range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

/// Prefix of the gRPC media types.
const GRPC: &[u8] = b"application/grpc";

/// Response headers that describe the origin's bytes, which the filter changes, or that invite shared caches.
const UNTRUE: &[&str] = &[
    "accept-ranges",
    "etag",
    "last-modified",
    "content-md5",
    "content-digest",
    "repr-digest",
    "digest",
    "expires",
    "pragma",
    "surrogate-control",
    "x-goog-hash",
    "x-goog-stored-content-length",
    "x-goog-stored-content-encoding",
    "x-ms-blob-content-md5",
    "x-checksum-md5",
    "x-checksum-sha1",
    "x-checksum-sha256",
];

/// Whether a response header must be removed from a rewritten or encrypted response.
pub fn is_untrue(name: &str) -> bool {
    UNTRUE.contains(&name) || name.starts_with("x-amz-checksum-") || name.ends_with("cdn-cache-control")
}

/// All values of a header, in order. `name` is lower case, as the proxy delivers names.
pub fn all<'a>(headers: &'a [Header], name: &str) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_slice())
}

/// The first value of a header.
pub fn first<'a>(headers: &'a [Header], name: &str) -> Option<&'a [u8]> {
    all(headers, name).next()
}

/// The first value of a header, if it is UTF-8.
pub fn text<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    first(headers, name).and_then(|value| core::str::from_utf8(value).ok())
}

/// Value of a header that must not be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent<'a> {
    /// Absent or empty.
    Missing,
    /// Single value.
    One(&'a str),
    /// Several values, one of which may come from the client, or a value that is not UTF-8.
    Unclear,
}

/// The value of a header that must not be repeated.
pub fn once<'a>(headers: &'a [Header], name: &str) -> Sent<'a> {
    let mut values = all(headers, name);
    match (values.next().map(core::str::from_utf8), values.next()) {
        (None, _) => Sent::Missing,
        (Some(Ok(value)), None) if value.trim().is_empty() => Sent::Missing,
        (Some(Ok(value)), None) => Sent::One(value.trim()),
        (Some(_), _) => Sent::Unclear,
    }
}

/// The value of a header that only the proxy sets. A list counts as several values: intermediaries combine repeated
/// headers into one.
pub fn of_proxy<'a>(headers: &'a [Header], name: &str) -> Sent<'a> {
    match once(headers, name) {
        Sent::One(value) if value.contains(',') => Sent::Unclear,
        sent => sent,
    }
}

/// All cookies of a name (RFC 6265 section 5.4), in order.
pub fn cookies<'a>(headers: &'a [Header], name: &str) -> impl Iterator<Item = &'a str> {
    cookie_pairs(headers).filter(move |(found, _)| *found == name.as_bytes()).map(|(_, value)| value)
}

/// All cookies by name and value, in order. A value that is not UTF-8 is returned as an empty one, which is never a
/// valid token.
pub fn cookie_pairs(headers: &[Header]) -> impl Iterator<Item = (&[u8], &str)> {
    pairs(headers).filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (pair.get(..at)?, pair.get(at + 1..)?);
        Some((trimmed(name), core::str::from_utf8(trimmed(value)).unwrap_or_default()))
    })
}

/// The `cookie` header without the cookies whose name is `ours`; `None` if there are none of those.
pub fn cookies_without(headers: &[Header], ours: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let named = |pair: &&[u8]| ours(trimmed(pair.split(|byte| *byte == b'=').next().unwrap_or_default()));
    if !pairs(headers).any(|pair| named(&pair)) {
        return None;
    }
    let kept: Vec<&[u8]> = pairs(headers).filter(|pair| !named(pair)).map(trimmed).collect();
    Some(kept.join(&b"; "[..]))
}

/// The pairs of all `cookie` headers, as bytes: cookies of other sites need not be UTF-8.
fn pairs(headers: &[Header]) -> impl Iterator<Item = &[u8]> {
    all(headers, "cookie").flat_map(|value| value.split(|byte| *byte == b';'))
}

/// `text` without leading and trailing spaces and tabs (RFC 6265 section 5.2).
fn trimmed(text: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let first = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    let behind = text.iter().rposition(|byte| !is_blank(byte)).map_or(first, |last| last + 1);
    text.get(first..behind).unwrap_or_default()
}

/// The media types of playlists (RFC 8216 section 4) and MPDs (ISO/IEC 23009-1 annex C).
const PLAYLIST_TYPES: [(&str, Format); 6] = [
    ("application/vnd.apple.mpegurl", Format::Hls),
    ("application/x-mpegurl", Format::Hls),
    ("application/mpegurl", Format::Hls),
    ("audio/mpegurl", Format::Hls),
    ("audio/x-mpegurl", Format::Hls),
    ("application/dash+xml", Format::Dash),
];

/// The format of a response with the media type of a playlist or MPD; `None` for other media types.
pub fn playlist_type(headers: &[Header]) -> Option<Format> {
    let media_type = text(headers, "content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    PLAYLIST_TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(media_type)).map(|(_, format)| *format)
}

/// Whether the origin applied a content coding.
pub fn is_encoded(headers: &[Header]) -> bool {
    all(headers, "content-encoding")
        .any(|value| !value.trim_ascii().is_empty() && !value.trim_ascii().eq_ignore_ascii_case(b"identity"))
}

/// The value of `content-length`, in bytes.
///
/// # Errors
/// [`Reason::Length`] if several values differ, or one is not a number.
pub fn content_length(headers: &[Header]) -> Result<Option<u64>, Reason> {
    let mut length = None;
    for value in all(headers, "content-length") {
        let value = core::str::from_utf8(value).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let parsed: u64 = value.and_then(|text| text.parse().ok()).ok_or(Reason::Length)?;
        if length.replace(parsed).is_some_and(|other| other != parsed) {
            return Err(Reason::Length);
        }
    }
    Ok(length)
}

/// Whether headers announce a body, or leave open whether there is one.
///
/// True for a `transfer-encoding`; for a `content-length` that is not 0, is malformed, or differs from another one; and
/// for gRPC media types, because gRPC requests always have a body.
pub fn announce_body(headers: &[Header]) -> bool {
    first(headers, "transfer-encoding").is_some()
        || !matches!(content_length(headers), Ok(None | Some(0)))
        || is_grpc(headers)
}

/// Whether a request has a gRPC media type.
///
/// Envoy sends local replies to such requests as gRPC: status 200, no body, everything else in `grpc-status` and
/// `grpc-message`. It reads the media type before any filter runs, so no filter can prevent this.
pub fn is_grpc(headers: &[Header]) -> bool {
    let is_type = |value: &[u8]| value.get(..GRPC.len()).is_some_and(|start| start.eq_ignore_ascii_case(GRPC));
    all(headers, "content-type").any(is_type)
}

/// The byte range of a 206 response (RFC 9110 section 14.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// Position of the first byte.
    pub first: u64,
    /// Position of the last byte.
    pub last: u64,
    /// Length of the complete resource, if the origin gives it.
    pub total: Option<u64>,
}

/// The `content-range` of a response; `None` if it is missing or malformed.
pub fn content_range(headers: &[Header]) -> Option<ContentRange> {
    let range = text(headers, "content-range")?.trim().strip_prefix("bytes")?.trim_start();
    let (range, total) = range.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some(ContentRange { first: first.parse().ok()?, last: last.parse().ok()?, total: total.parse().ok() })
}

/// `max-age` of the origin's `cache-control`, in seconds.
pub fn max_age(headers: &[Header]) -> Option<u64> {
    all(headers, "cache-control")
        .filter_map(|value| core::str::from_utf8(value).ok())
        .flat_map(|value| value.split(','))
        .find_map(|directive| directive.trim().strip_prefix("max-age=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::reply::header;

    #[test]
    fn cookies_are_found_and_taken_out() {
        let headers = [header("cookie", "a=1; hdnts=x=y;b=2"), header("cookie", "hdntl=z")];
        assert_eq!(cookies(&headers, "hdnts").collect::<Vec<_>>(), ["x=y"]);
        let ours = |name: &[u8]| matches!(name, b"hdnts" | b"hdntl");
        assert_eq!(cookies_without(&headers, ours).as_deref(), Some(&b"a=1; b=2"[..]));
        assert_eq!(cookies_without(&headers, |name| name == b"c"), None);
        assert_eq!(cookies_without(&headers[1..], ours).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn a_cookie_of_others_in_latin_1_hides_none_of_ours() {
        let headers = [("cookie".into(), b"name=Jos\xe9; \thdntl=x ; hdntl\xa0=y; hdnts=\xff".to_vec())];
        assert_eq!(cookies(&headers, "hdntl").collect::<Vec<_>>(), ["x"]);
        assert_eq!(cookies(&headers, "hdnts").collect::<Vec<_>>(), [""]);
        let kept = cookies_without(&headers, |name| matches!(name, b"hdnts" | b"hdntl"));
        assert_eq!(kept.as_deref(), Some(&b"name=Jos\xe9; hdntl\xa0=y"[..]));
        assert_eq!(cookies(&[header("cookie", "hdntl=\u{3000}x")], "hdntl").collect::<Vec<_>>(), ["\u{3000}x"]);
    }

    #[test]
    fn media_types_of_playlists_and_mpds() {
        for (media_type, expected) in [
            ("application/vnd.apple.mpegurl", Some(Format::Hls)),
            ("Audio/MPEGURL; charset=utf-8", Some(Format::Hls)),
            ("application/dash+xml", Some(Format::Dash)),
            ("application/DASH+XML;profiles=x", Some(Format::Dash)),
            ("application/dash-patch+xml", None),
            ("application/xml", None),
            ("text/xml", None),
            ("video/mp4", None),
        ] {
            assert_eq!(playlist_type(&[header("content-type", media_type)]), expected, "{media_type}");
        }
        assert_eq!(playlist_type(&[]), None);
    }

    #[test]
    fn lengths_must_agree() {
        assert_eq!(content_length(&[header("content-length", "5"), header("content-length", "5")]), Ok(Some(5)));
        assert_eq!(
            content_length(&[header("content-length", "5"), header("content-length", "6")]),
            Err(Reason::Length)
        );
        assert_eq!(content_length(&[header("content-length", "+5")]), Err(Reason::Length));
        assert_eq!(content_length(&[]), Ok(None));
    }

    #[test]
    fn a_body_is_announced_by_whatever_is_not_nothing() {
        let length = |values: &[&str]| values.iter().map(|value| header("content-length", value)).collect::<Vec<_>>();
        for none in [&[][..], &["0"], &["0", "0"], &["000"]] {
            assert!(!announce_body(&length(none)), "{none:?}");
        }
        for some in
            [&["1"][..], &["0", "5"], &["5", "0"], &["0, 0"], &["+0"], &["-0"], &["0x0"], &[""], &[" "], &["43"]]
        {
            assert!(announce_body(&length(some)), "{some:?}");
        }
        assert!(announce_body(&length(&["99999999999999999999999"])));
        for coding in ["chunked", "identity", ""] {
            assert!(announce_body(&[header("transfer-encoding", coding)]), "{coding}");
        }
        for (media_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc-web", true),
            ("Application/GRPC", true),
            ("application/grp", false),
            ("application/json", false),
            ("", false),
        ] {
            assert_eq!(announce_body(&[header("content-type", media_type)]), expected, "{media_type}");
        }
    }
}
