//! Byte ranges (RFC 8216 section 4.3.2.2): `LENGTH[@OFFSET]`, where a missing offset continues the previous range.

use alloc::vec::Vec;

use super::attribute::integer;
use crate::http::reply::Reason;
use crate::token::signed::ByteRange;

/// Resolves the byte ranges of one kind of tag, in order.
#[derive(Debug, Default)]
pub struct Ranges {
    last: Option<(Vec<u8>, u64)>,
}

impl Ranges {
    /// Parses `text`, a range of `uri`.
    ///
    /// # Errors
    /// [`Reason::Byterange`] if it is malformed or empty, or if it has no offset and does not follow a range of the
    /// same URI.
    pub fn next(&mut self, uri: &[u8], text: &[u8]) -> Result<ByteRange, Reason> {
        let (length, offset) = parse(text).ok_or(Reason::Byterange)?;
        let follows = self.last.take().and_then(|(last, end)| (last == uri).then_some(end));
        let range = offset.or(follows).and_then(|offset| ByteRange::new(offset, length)).ok_or(Reason::Byterange)?;
        self.last = Some((uri.to_vec(), range.offset.saturating_add(range.length)));
        Ok(range)
    }

    /// A state in which the first range may omit its offset and then begins at 0, as in EXT-X-MAP (section 4.3.2.5).
    pub fn from_start(uri: &[u8]) -> Self {
        Self { last: Some((uri.to_vec(), 0)) }
    }

    /// Records a whole resource, which no range continues.
    pub fn forget(&mut self) {
        self.last = None;
    }
}

fn parse(text: &[u8]) -> Option<(u64, Option<u64>)> {
    let mut halves = text.splitn(2, |byte| *byte == b'@');
    let length = integer(halves.next()?)?;
    match halves.next() {
        Some(offset) => Some((length, Some(integer(offset)?))),
        None => Some((length, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_on_within_one_uri() {
        let mut ranges = Ranges::default();
        assert_eq!(ranges.next(b"a", b"10@5"), Ok(ByteRange { offset: 5, length: 10 }));
        assert_eq!(ranges.next(b"a", b" 7 "), Ok(ByteRange { offset: 15, length: 7 }));
        assert_eq!(ranges.next(b"b", b"7"), Err(Reason::Byterange));
        for bad in ["", "@", "0@0", "1@", "-1@0", "1@+1", "1@18446744073709551615", "99999999999999999999@0", "a"] {
            assert_eq!(ranges.next(b"a", bad.as_bytes()), Err(Reason::Byterange), "{bad}");
        }
        ranges.next(b"a", b"1@0").unwrap();
        ranges.forget();
        assert_eq!(ranges.next(b"a", b"1"), Err(Reason::Byterange));
    }
}
