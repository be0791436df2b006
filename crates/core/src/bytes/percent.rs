//! Percent-encoding (RFC 3986 section 2.1), strict both ways.

use alloc::string::String;
use alloc::vec::Vec;

/// Decodes every `%XX` once. `None` if a `%` is not followed by two hex digits.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let (pair, tail) = rest.split_first_chunk::<2>()?;
            decoded.push(hex_byte(*pair)?);
            rest = tail;
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

/// Whether [`decode`] turns `text` into exactly `bytes`. Stops at the first difference.
pub fn decodes_to(text: &str, bytes: &[u8]) -> bool {
    let mut rest = text.as_bytes();
    for &wanted in bytes {
        let byte = match rest {
            [b'%', high, low, tail @ ..] => {
                rest = tail;
                hex_byte([*high, *low])
            }
            [byte, tail @ ..] => {
                rest = tail;
                Some(*byte).filter(|byte| *byte != b'%')
            }
            [] => None,
        };
        if byte != Some(wanted) {
            return false;
        }
    }
    rest.is_empty()
}

/// Whether every `%` is followed by two hex digits.
pub fn is_valid(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, tail)) = rest.split_once('%') {
        match tail.as_bytes().split_first_chunk() {
            Some((pair, _)) if hex_byte(*pair).is_some() => rest = tail,
            _ => return false,
        }
    }
    true
}

/// [`decode`] to a string; also `None` if the result is not UTF-8.
pub fn decode_str(text: &str) -> Option<String> {
    String::from_utf8(decode(text)?).ok()
}

/// Appends `text`, with every byte outside ASCII or rejected by `keep` as lower-case `%xx`.
pub fn encode_into(out: &mut String, text: &[u8], keep: impl Fn(u8) -> bool) {
    for &byte in text {
        if byte.is_ascii() && keep(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend([byte >> 4, byte & 15].into_iter().filter_map(|nibble| char::from_digit(nibble.into(), 16)));
        }
    }
}

/// `text` as the value of a header: characters that are not printable ASCII, and `"`, `,`, `;` and `\`, which separate
/// or quote values, as lower-case `%xx`. Existing escapes stay.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    encode_into(&mut out, text.as_bytes(), separates_nothing);
    out
}

/// As [`printable`], but `%` is escaped, too: [`decode_str`] turns it into `text` again, and no two texts become one.
pub fn exact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    encode_into(&mut out, text.as_bytes(), |byte| byte != b'%' && separates_nothing(byte));
    out
}

fn separates_nothing(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

/// Whether `text` contains an escape, which a second decoding would change.
pub fn has_escape(text: &str) -> bool {
    text.as_bytes().windows(3).any(|w| matches!(w, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
}

fn hex_byte(digits: [u8; 2]) -> Option<u8> {
    let mut byte = [0];
    base16ct::mixed::decode(digits, &mut byte).ok()?;
    let [byte] = byte;
    Some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_is_strict() {
        assert_eq!(decode("a%2Fb%2f").as_deref(), Some(&b"a/b/"[..]));
        for bad in ["%", "%2", "%2g", "a%%41"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert_eq!(decode_str("%c0%af"), None, "overlong UTF-8");
        for text in ["", "a,b", "a%2cb", "100%", "{\"user\":\"\u{e9}\"}"] {
            assert_eq!(decode_str(&exact(text)).as_deref(), Some(text));
        }
        assert!(has_escape("a%2e") && !has_escape("100% sure %zz"));
        for text in
            ["", "plk", "%70lk", "p%6Ck", "pl%6b", "%70%6c%6b", "pl%6", "pl%", "plk%", "%zzlk", "%70lkx", "pl", "%250"]
        {
            for bytes in [&b""[..], b"plk", b"%0", b"pl%"] {
                assert_eq!(decodes_to(text, bytes), decode(text).as_deref() == Some(bytes), "{text}");
            }
        }
    }
}
