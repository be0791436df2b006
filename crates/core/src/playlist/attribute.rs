//! Attribute lists (RFC 8216 section 4.2): positions of values, so that they can be replaced and nothing else changes.

use core::ops::Range;

use crate::bytes::bug;

/// The position of the value of `name` in `list`, without its quotes.
///
/// Accepts deviations of real playlists: blanks after commas, commas in quotes, and missing or unclosed quotes.
pub fn find(list: &[u8], name: &[u8]) -> Option<Range<usize>> {
    attributes(list).find(|(found, _)| list.get(found.clone()) == Some(name)).map(|(_, value)| value)
}

/// The value of `name` in `list`, without its quotes.
pub fn value<'a>(list: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    find(list, name).and_then(|place| list.get(place))
}

/// Parses a decimal-integer (RFC 8216 section 4.2), at most 2^64-1, with blanks around it.
pub fn integer(text: &[u8]) -> Option<u64> {
    let text = core::str::from_utf8(text).ok()?.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The position of the whole attribute `name` in `list`, with one adjacent comma, for its removal.
pub fn span(list: &[u8], name: &[u8]) -> Option<Range<usize>> {
    let (found, value) = attributes(list).find(|(found, _)| list.get(found.clone()) == Some(name))?;
    let end = value.end + usize::from(list.get(value.end) == Some(&b'"'));
    let before = list.get(..found.start)?.trim_ascii_end();
    Some(match (before.last(), list.get(end)) {
        (Some(b','), _) => before.len() - 1..end,
        (_, Some(b',')) => found.start..end + 1,
        _ => found.start..end,
    })
}

fn attributes(list: &[u8]) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let from = |at: usize| bug::look(list, at..);
        at += from(at).iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b',')).count();
        let name = at..at + from(at).iter().position(|byte| *byte == b'=')?;
        at = name.end + 1;
        let quoted = from(at).first() == Some(&b'"');
        if quoted {
            at += 1;
        }
        let stop = if quoted { b'"' } else { b',' };
        let length = from(at).iter().position(|byte| *byte == stop).unwrap_or(from(at).len());
        let value = at..at + length;
        at = value.end + usize::from(quoted && value.end < list.len());
        Some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_real_lists() {
        let list = br#"TYPE=AUDIO, NAME="a,URI=b" ,URI="x y.m3u8?a=1,2",BANDWIDTH=12"#;
        assert_eq!(value(list, b"URI"), Some(&b"x y.m3u8?a=1,2"[..]));
        assert_eq!(value(list, b"NAME"), Some(&b"a,URI=b"[..]));
        assert_eq!(value(list, b"BANDWIDTH"), Some(&b"12"[..]));
        assert_eq!(value(list, b"TYPE"), Some(&b"AUDIO"[..]));
        assert_eq!(value(list, b"RI"), None);
        assert_eq!(value(b"URI=init.mp4,BYTERANGE=\"1@0\"", b"URI"), Some(&b"init.mp4"[..]));
        assert_eq!(value(b"URI=\"never closed", b"URI"), Some(&b"never closed"[..]));
        assert_eq!(value(b"URI=\"\"", b"URI"), Some(&b""[..]));
        assert_eq!(value(b"URI", b"URI"), None);
        assert_eq!(value(b"", b"URI"), None);
    }

    #[test]
    fn attributes_are_cut_out_with_one_comma() {
        for (list, left) in [
            ("URI=\"i\",BYTERANGE=\"1@0\"", "URI=\"i\""),
            ("BYTERANGE=\"1@0\",URI=\"i\"", "URI=\"i\""),
            ("A=1, BYTERANGE=1@0 ,URI=\"i\"", "A=1,URI=\"i\""),
            ("BYTERANGE=\"1@0\"", ""),
        ] {
            let mut bytes = list.as_bytes().to_vec();
            bytes.drain(span(&bytes, b"BYTERANGE").unwrap());
            assert_eq!(core::str::from_utf8(&bytes).unwrap(), left, "{list}");
        }
        assert_eq!(span(b"URI=\"BYTERANGE=1\"", b"BYTERANGE"), None);
    }
}
