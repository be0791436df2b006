//! Claims of tokens that Envoy's `jwt_authn` filter has verified. It writes them into the request's dynamic metadata,
//! which only filters of the proxy can do.
//!
//! Envoy gives a text as its bytes, and a list of texts like a header map: their number, for each its length and the
//! length zero (4 bytes each, little-endian), and then each text followed by two zero bytes.

use alloc::string::String;
use alloc::vec::Vec;

use super::claims::ClaimName;
use crate::http::incoming::RequestHead;
use crate::http::reply::Reason;

/// Most paths of a token.
const MAX_TEXTS: usize = 256;

/// The claims in the metadata of a request.
#[derive(Debug, Clone)]
pub struct Attestation {
    /// The members that lead to the claims: the filter's name and its `payload_in_metadata`.
    pub path: [String; 2],
}

impl Attestation {
    /// Whether a token was verified: whether there is a claim that every token of an identity provider has. Envoy does
    /// not hand over all claims at once if one of them is null.
    pub fn is_there(&self, head: &RequestHead<'_>) -> bool {
        ["exp", "iss", "iat"].iter().any(|name| self.ask(head, &[(*name).into()]).is_some())
    }

    /// The claim `name`, a text; `None` if it is missing.
    ///
    /// # Errors
    /// [`Reason::Malformed`] if it is not a text, or empty.
    pub fn text(&self, head: &RequestHead<'_>, name: &ClaimName) -> Result<Option<String>, Reason> {
        self.ask(head, name.parts()).map(|value| text(&value).ok_or(Reason::Malformed)).transpose()
    }

    /// The claim `name`, a text or a list of texts; `None` if it is missing.
    ///
    /// # Errors
    /// [`Reason::Malformed`] if it is neither, or empty.
    pub fn texts(&self, head: &RequestHead<'_>, name: &ClaimName) -> Result<Option<Vec<String>>, Reason> {
        let Some(value) = self.ask(head, name.parts()) else { return Ok(None) };
        let list = || list(&value).filter(|texts| !texts.is_empty());
        text(&value).map(|text| alloc::vec![text]).or_else(list).map(Some).ok_or(Reason::Malformed)
    }

    fn ask(&self, head: &RequestHead<'_>, name: &[String]) -> Option<Vec<u8>> {
        let path: Vec<&str> = self.path.iter().chain(name).map(String::as_str).collect();
        head.metadata(&path)
    }
}

/// A text without control characters, so that no number and no list is one.
fn text(value: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(value).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.into())
}

fn list(value: &[u8]) -> Option<Vec<String>> {
    let (count, mut lengths) = number(value)?;
    if count > MAX_TEXTS {
        return None;
    }
    let mut rest = lengths.get(count.checked_mul(8)?..)?;
    let mut texts = Vec::with_capacity(count);
    for _ in 0..count {
        let (length, tail) = number(lengths)?;
        let (nothing, tail) = number(tail)?;
        lengths = tail;
        let (found, tail) = rest.split_at_checked(length)?;
        // A map has a second text here.
        rest = tail.strip_prefix(&[0, 0]).filter(|_| nothing == 0)?;
        texts.push(text(found)?);
    }
    rest.is_empty().then_some(texts)
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(texts: &[&[u8]]) -> Vec<u8> {
        let size = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
        let mut bytes = size(texts.len()).to_vec();
        texts.iter().for_each(|text| bytes.extend([size(text.len()), size(0)].concat()));
        texts.iter().for_each(|text| bytes.extend([text, &[0, 0][..]].concat()));
        bytes
    }

    #[test]
    fn lists_of_texts_are_read_whole() {
        assert_eq!(list(&written(&[b"/vod/*", b"/live/*"])), Some(alloc::vec!["/vod/*".into(), "/live/*".into()]));
        assert_eq!((list(&written(&[])), list(&[])), (Some(Vec::new()), None));
        let good = written(&[b"/vod/*", b"/live/*"]);
        for end in 0..good.len() {
            assert_eq!(list(&good[..end]), None, "{end} bytes");
        }
        assert_eq!(list(&[&good[..], &[0]].concat()), None);
        assert_eq!(list(&written(&[b""])), None, "an empty text");
        assert_eq!(list(&written(&[&1.5_f64.to_le_bytes()])), None, "a number");
        assert_eq!(list(&[255; 64]), None);
        let mut map = written(&[b"a"]);
        map[8] = 1;
        map.splice(map.len() - 1.., *b"b\0");
        assert_eq!(list(&map), None, "a map");
    }

    #[test]
    fn numbers_and_lists_are_no_texts() {
        assert_eq!(text("/vöd/*".as_bytes()), Some("/vöd/*".into()));
        for bad in [&b""[..], b"\xff", b"a\0b", b"a\nb", &7_f64.to_le_bytes(), &written(&[b"a"])] {
            assert_eq!(text(bad), None, "{bad:?}");
        }
    }
}
