//! A client's Range on an encrypted segment (RFC 9110 section 14), which addresses the *ciphertext*.
//!
//! Players resume with it, and caches fetch in pieces. CBC starts at the beginning, so the origin is asked for
//! everything up to the end of the range and nothing more. Bytes before the range are fetched and encrypted without
//! being served. A range that wastes too much is answered with the whole resource: then the client pays for the cost
//! that it causes.

use crate::http::headers::{self, ContentRange};
use crate::http::reply::{Header, Reason};
use crate::media::segment::ciphertext_len;

/// Most bytes that are fetched and encrypted without being served: 4 MiB, some 20 ms of CPU, and enough to resume
/// anywhere in a segment of 4 s at 8 Mbit/s.
pub const MAX_WASTE: u64 = 4 << 20;

/// A single byte range, as requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientRange {
    /// `first-last`, or `first-` to the end.
    From(u64, Option<u64>),
    /// `-length`: the last bytes.
    Last(u64),
}

impl ClientRange {
    /// Parses a `range` header. `None` for several ranges, other units and malformed values, which are answered with
    /// the whole resource, as RFC 9110 allows.
    pub fn parse(header: &[u8]) -> Option<Self> {
        let (first, last) = core::str::from_utf8(header).ok()?.trim().strip_prefix("bytes=")?.split_once('-')?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u64>().ok()).flatten()
        };
        match (first, last) {
            ("", last) => number(last).map(Self::Last),
            (first, "") => Some(Self::From(number(first)?, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }

    /// The position of the last byte of plaintext to request: the end of the block in which the range ends. `None` for
    /// the whole file, also if the range begins so late that the whole resource is served.
    pub fn plaintext_last(&self) -> Option<u64> {
        match self {
            Self::From(first, Some(last)) if *first <= MAX_WASTE => (last / 16).checked_mul(16)?.checked_add(15),
            _ => None,
        }
    }

    /// Resolves the range against the ciphertext of `total` bytes, of which the origin sends the first `sent`.
    pub fn resolve(&self, total: u64, sent: u64) -> Resolved {
        let length = ciphertext_len(total).unwrap_or(u64::MAX);
        let end = length.saturating_sub(1);
        let (first, last) = match *self {
            Self::From(first, last) if first < length => (first, last.unwrap_or(end).min(end)),
            Self::Last(count) if count > 0 => (length.saturating_sub(count), end),
            _ => return Resolved::Unsatisfiable { length },
        };
        // An origin that ignores Range also sends the bytes after the last block.
        let waste = first.saturating_add(sent.saturating_sub((last / 16).saturating_add(1).saturating_mul(16)));
        if waste > MAX_WASTE { Resolved::Whole } else { Resolved::Part { first, last, length } }
    }
}

/// A range resolved against the ciphertext, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// From `first` to `last`, both inclusive, of `length`.
    Part {
        /// The position of the first byte.
        first: u64,
        /// The position of the last byte.
        last: u64,
        /// The ciphertext's length.
        length: u64,
    },
    /// More than [`MAX_WASTE`] would be wasted: the whole resource is served.
    Whole,
    /// The range begins after the end of the ciphertext.
    Unsatisfiable {
        /// The ciphertext's length.
        length: u64,
    },
}

/// The body that an origin sends for a range: the first bytes of the file, or all.
#[derive(Debug, Clone, Copy)]
pub struct OriginBody {
    /// The number of bytes that the origin sends.
    pub length: u64,
    /// The number of bytes of the whole file.
    pub total: u64,
}

impl OriginBody {
    /// Reads the body's length from the origin's response headers. `None` if the length of the whole is unknown; the
    /// client then gets the whole resource.
    ///
    /// # Errors
    /// [`Reason::Unasked`] if it is not the part that was requested.
    pub fn announced(
        range: ClientRange,
        status: u16,
        headers: &[Header],
        announced: Option<u64>,
    ) -> Result<Option<Self>, Reason> {
        if status != 206 {
            return Ok(announced.map(|total| Self { length: total, total }));
        }
        let ContentRange { first, last, total } = headers::content_range(headers).ok_or(Reason::Unasked)?;
        let (Some(total), Some(asked)) = (total, range.plaintext_last()) else { return Err(Reason::Unasked) };
        let length = last.saturating_add(1);
        let fits = first == 0 && length == total.min(asked.saturating_add(1)) && announced.is_none_or(|a| a == length);
        if fits { Ok(Some(Self { length, total })) } else { Err(Reason::Unasked) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_read() {
        for (header, expected) in [
            ("bytes=0-0", Some(ClientRange::From(0, Some(0)))),
            ("bytes=5-", Some(ClientRange::From(5, None))),
            ("bytes=-7", Some(ClientRange::Last(7))),
            ("bytes=5-4", None),
            ("bytes=0-1,3-4", None),
            ("bytes=-", None),
            ("bytes=+1-2", None),
            ("bytes=99999999999999999999-", None),
            ("items=0-1", None),
            ("", None),
        ] {
            assert_eq!(ClientRange::parse(header.as_bytes()), expected, "{header}");
        }
    }

    #[test]
    fn positions_are_those_of_the_ciphertext() {
        // 20 bytes of plaintext are 32 of ciphertext.
        let part = |first, last, length| Resolved::Part { first, last, length };
        for (range, expected) in [
            (ClientRange::From(0, Some(999)), part(0, 31, 32)),
            (ClientRange::From(31, None), part(31, 31, 32)),
            (ClientRange::From(32, None), Resolved::Unsatisfiable { length: 32 }),
            (ClientRange::Last(5), part(27, 31, 32)),
            (ClientRange::Last(50), part(0, 31, 32)),
            (ClientRange::Last(0), Resolved::Unsatisfiable { length: 32 }),
        ] {
            assert_eq!(range.resolve(20, 20), expected, "{range:?}");
        }
        assert_eq!(ClientRange::From(3, Some(15)).plaintext_last(), Some(15));
        assert_eq!(ClientRange::From(3, Some(16)).plaintext_last(), Some(31));
        assert_eq!(ClientRange::From(3, Some(u64::MAX)).plaintext_last(), Some(u64::MAX));
    }

    #[test]
    fn what_would_waste_too_much_is_the_whole() {
        const TOTAL: u64 = 100_000_000;
        const LENGTH: u64 = TOTAL + 16;
        let part = |first, last| Resolved::Part { first, last, length: LENGTH };
        for (range, asked, sent, expected) in [
            (ClientRange::Last(1), None, TOTAL, Resolved::Whole),
            (ClientRange::Last(LENGTH - MAX_WASTE), None, TOTAL, part(MAX_WASTE, LENGTH - 1)),
            (ClientRange::From(MAX_WASTE, None), None, TOTAL, part(MAX_WASTE, LENGTH - 1)),
            (ClientRange::From(MAX_WASTE + 1, None), None, TOTAL, Resolved::Whole),
            (
                ClientRange::From(MAX_WASTE, Some(MAX_WASTE)),
                Some(MAX_WASTE + 15),
                MAX_WASTE + 16,
                part(MAX_WASTE, MAX_WASTE),
            ),
            (ClientRange::From(MAX_WASTE + 1, Some(MAX_WASTE + 1)), None, TOTAL, Resolved::Whole),
            (ClientRange::From(0, Some(0)), Some(15), 16, part(0, 0)),
            // An origin that ignores Range.
            (ClientRange::From(0, Some(0)), Some(15), TOTAL, Resolved::Whole),
            (ClientRange::From(0, Some(TOTAL - MAX_WASTE)), Some(95_805_711), TOTAL, part(0, TOTAL - MAX_WASTE)),
            (ClientRange::From(LENGTH, None), None, TOTAL, Resolved::Unsatisfiable { length: LENGTH }),
        ] {
            assert_eq!(range.plaintext_last(), asked, "{range:?}");
            assert_eq!(range.resolve(TOTAL, sent), expected, "{range:?}");
        }
    }
}
