//! The URI that a URI container covers: the viewer's, without the parameters that playlock removes (RFC 9246 section
//! 2.1.15), normalised (RFC 3986 sections 6.2.2 and 6.2.3).

use alloc::string::String;

use crate::http::authority;
use crate::http::incoming::Incoming;
use crate::http::target;

/// Longest URI in bytes that a container may cover. Real ones have a few hundred bytes.
pub const MAX_URI: usize = 4096;

/// The viewer's URI without the parameters in `reserved`; `None` if it is longer than [`MAX_URI`] or has no host.
///
/// Removing a whole query parameter leaves what RFC 9246 leaves: the delimiter behind it goes with it or, at the end, the one
/// before it. Path parameters have been removed from the target already.
pub fn normal_uri(incoming: &Incoming<'_>, reserved: &[impl AsRef<str>]) -> Option<String> {
    let (head, target) = (incoming.head, &incoming.target);
    let length = target.raw_path.len() + target.query.map_or(0, str::len);
    if head.authority.is_empty() || length > MAX_URI * 2 {
        return None;
    }
    let mut uri = String::with_capacity(head.authority.len() + length + 8);
    uri.push_str(head.scheme.prefix());
    uri.push_str(&authority::normal_authority(head.authority, head.scheme));
    push_normal(&mut uri, target.raw_path);
    let is_reserved = |name: &str| reserved.iter().any(|reserved| target::is_named(name, reserved.as_ref()));
    if let Some(query) = target.query.and_then(|query| target::without(query, is_reserved)) {
        uri.push('?');
        push_normal(&mut uri, &query);
    }
    (uri.len() <= MAX_URI).then_some(uri)
}

/// Appends `text` with unreserved characters decoded, escapes in upper case, and escapes for the characters that no URI has.
fn push_normal(out: &mut String, text: &str) {
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let escaped = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| (high << 4 | low, tail)),
            _ => None,
        };
        match escaped {
            Some((byte, tail)) => {
                rest = tail;
                let is_unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
                push(out, byte, is_unreserved);
            }
            None => {
                let is_foreign = matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}');
                push(out, byte, byte.is_ascii_graphic() && !is_foreign);
            }
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn push(out: &mut String, byte: u8, plain: bool) {
    if plain {
        out.push(char::from(byte));
        return;
    }
    out.push('%');
    let nibbles = [byte >> 4, byte & 15].into_iter().filter_map(|nibble| char::from_digit(nibble.into(), 16));
    out.extend(nibbles.map(|digit| digit.to_ascii_uppercase()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::incoming::RequestHead;
    use crate::http::message::{Known, Request};
    use crate::http::reply::header;

    fn uri(scheme: &str, authority: &str, path: &str) -> Option<String> {
        let headers = [header(":scheme", scheme), header(":authority", authority), header(":path", path)];
        let request = Request { headers: &headers, attributes: &Known::default(), now: 0, end_of_stream: true };
        let head = RequestHead::read(&request);
        normal_uri(&Incoming::parse(&head).unwrap(), &["URISigningPackage", "hdntl", "plk"])
    }

    #[test]
    fn uris_are_normalised_and_lose_our_parameters() {
        for (scheme, authority, path, expected) in [
            ("http", "cdni.example", "/foo/bar", "http://cdni.example/foo/bar"),
            ("https", "CDNI.Example:443", "/", "https://cdni.example/"),
            ("http", "cdni.example:80", "/", "http://cdni.example/"),
            ("http", "cdni.example:", "/", "http://cdni.example/"),
            ("https", "cdni.example:80", "/", "https://cdni.example:80/"),
            ("http", "[::1]:8080", "/a", "http://[::1]:8080/a"),
            ("http", "h", "/%7euser/%2d%c3%a4", "http://h/~user/-%C3%A4"),
            ("http", "h", "/é|{}", "http://h/%C3%A9%7C%7B%7D"),
            ("http", "h", "/a;x=1/b", "http://h/a;x=1/b"),
            ("http", "h", "/a?b=%2f%zz%", "http://h/a?b=%2F%zz%"),
            // RFC 9246 section 2.1.15: at the end, with the delimiter before it; else with the one behind it.
            ("http", "h", "/a?URISigningPackage=x", "http://h/a"),
            ("http", "h", "/a?URISigningPackage=x&b=1", "http://h/a?b=1"),
            ("http", "h", "/a?b=1&URISigningPackage=x", "http://h/a?b=1"),
            ("http", "h", "/a?b=1&URISigningPackage=x&c=2", "http://h/a?b=1&c=2"),
            ("http", "h", "/a?URISigningPackage=x&", "http://h/a?"),
            ("http", "h", "/a?&URISigningPackage=x", "http://h/a?"),
            ("http", "h", "/a?hdntl=s&b=1&plk=p&%55RISigningPackage=x", "http://h/a?b=1"),
        ] {
            assert_eq!(uri(scheme, authority, path).as_deref(), Some(expected), "{scheme} {authority} {path}");
        }
        assert_eq!(uri("http", "", "/a"), None);
        let path = |length: usize| alloc::format!("/{}", "a".repeat(length - "http://h/".len()));
        assert!(uri("http", "h", &path(MAX_URI)).is_some() && uri("http", "h", &path(MAX_URI + 1)).is_none());
    }
}
