//! Owns the content hash of a POST body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Bytes of a POST body that are signed, as Akamai's clients have it by default: 128 KiB.
pub const MAX_BODY: usize = 131_072;

/// UTF-8 of U+FFFD, which JavaScript writes for half of a surrogate pair.
const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();

/// The content hashes that a client may have signed: of the first `max_body` bytes, and of the first `max_body` UTF-16
/// code units if that is another text.
///
/// The second is the cut of `akamai-edgegrid` of npm, whose bodies are strings. It differs only for bodies of more than
/// `max_body` bytes that are not ASCII, and has at most three times as many bytes.
pub fn hashes(method: &str, body: &[u8], max_body: usize) -> (String, Option<String>) {
    // Only POST bodies are signed, and an empty one has no hash.
    if method != "POST" || body.is_empty() {
        return (String::new(), None);
    }
    let Some(first) = body.get(..max_body) else { return (hash(body, b""), None) };
    (hash(first, b""), utf16_cut(body, max_body).map(|(first, broken)| hash(first, broken)))
}

fn hash(first: &[u8], broken: &[u8]) -> String {
    STANDARD.encode(Sha256::new().chain_update(first).chain_update(broken).finalize())
}

/// The first `units` UTF-16 code units of `body` as UTF-8, in two pieces: whole characters, and the replacement of a character
/// that the cut breaks. `None` if that is the cut by bytes, or the body up to there is no UTF-8.
fn utf16_cut(body: &[u8], units: usize) -> Option<(&[u8], &'static [u8])> {
    // One unit is at most three bytes. The last of them may be half of a pair of four.
    let limit = units.saturating_mul(3).saturating_add(1);
    let near = body.get(..limit).unwrap_or(body);
    let text = match std::str::from_utf8(near) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(near.get(..error.valid_up_to())?).ok()?,
    };
    let (mut left, mut bytes) = (units, 0_usize);
    let mut broken = false;
    for character in text.chars() {
        let Some(rest) = left.checked_sub(character.len_utf16()) else {
            broken = left == 1;
            break;
        };
        left = rest;
        bytes = bytes.saturating_add(character.len_utf8());
    }
    // The text ended before the cut did: the body is short in units, or not UTF-8.
    if left > 0 && !broken && bytes != body.len() {
        return None;
    }
    let first = body.get(..bytes)?;
    (bytes != units || broken).then_some((first, if broken { REPLACEMENT } else { b"" }))
}

#[cfg(test)]
mod tests {
    use super::{hash, hashes, utf16_cut};

    #[test]
    fn only_bodies_of_post_requests_are_hashed() {
        assert_eq!(hashes("PUT", b"body", 8), (String::new(), None));
        assert_eq!(hashes("post", b"body", 8), (String::new(), None));
        assert_eq!(hashes("POST", b"", 8), (String::new(), None));
        assert_eq!(hashes("POST", b"body", 8), (hash(b"body", b""), None));
        assert_eq!(hashes("POST", b"bodybody+", 8), (hash(b"bodybody", b""), None));
    }

    #[test]
    fn a_body_is_cut_by_utf_16_units_too() {
        let body = "äöü€𝄞𝄞z".as_bytes();
        assert_eq!(utf16_cut(body, 1), Some(("ä".as_bytes(), &b""[..])));
        assert_eq!(utf16_cut(body, 4), Some(("äöü€".as_bytes(), &b""[..])));
        assert_eq!(utf16_cut(body, 5), Some(("äöü€".as_bytes(), "\u{FFFD}".as_bytes())));
        assert_eq!(utf16_cut(body, 6), Some(("äöü€𝄞".as_bytes(), &b""[..])));
        assert_eq!(utf16_cut(body, 9), Some((body, &b""[..])));
        assert_eq!(utf16_cut("€€𝄞z".as_bytes(), 3), Some(("€€".as_bytes(), "\u{FFFD}".as_bytes())));
        // Shorter than that: the client signs it as a whole.
        assert_eq!(utf16_cut(body, 12), Some((body, &b""[..])));
    }

    #[test]
    fn a_body_that_is_not_utf_8_before_the_cut_is_cut_by_bytes_alone() {
        assert_eq!(utf16_cut(b"ab\xff", 3), None);
        assert_eq!(utf16_cut("ä\u{1}\u{ff}".as_bytes().split_last().unwrap().1, 4), None);
        // Behind the cut it does not matter: the client has not signed it.
        assert_eq!(utf16_cut("ää\u{ff}".as_bytes().split_last().unwrap().1, 2), Some(("ää".as_bytes(), &b""[..])));
    }
}
