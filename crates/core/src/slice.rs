//! A client's Range on an encrypted segment (RFC 9110 section 14): a part of the *ciphertext*, for players that resume
//! and caches that fetch in pieces. CBC runs from the start, so the origin is asked for everything up to the part's
//! end and no more.

use crate::segment::ciphertext_len;

/// One range of bytes as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slice {
    /// `first-last`, or `first-` to the end.
    From(u64, Option<u64>),
    /// `-length`: the last bytes.
    Last(u64),
}

impl Slice {
    /// Reads a `range` header. `None` for several ranges, other units and what breaks the grammar: these are answered
    /// whole, as the standard allows.
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

    /// The position of the last byte of plaintext that has to be asked for: the end of the block in which the slice
    /// ends. `None`: all of them.
    pub fn plaintext_last(&self) -> Option<u64> {
        match self {
            Self::From(_, Some(last)) => (last / 16).checked_mul(16)?.checked_add(15),
            _ => None,
        }
    }

    /// First and last position in the ciphertext of `plaintext` bytes, and the ciphertext's length. `Err` is the length:
    /// the slice lies beyond it.
    pub fn resolve(&self, plaintext: u64) -> Result<(u64, u64, u64), u64> {
        let length = ciphertext_len(plaintext).unwrap_or(u64::MAX);
        let end = length.saturating_sub(1);
        match *self {
            Self::From(first, last) if first < length => Ok((first, last.unwrap_or(end).min(end), length)),
            Self::Last(count) if count > 0 => Ok((length.saturating_sub(count), end, length)),
            _ => Err(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_read() {
        for (header, expected) in [
            ("bytes=0-0", Some(Slice::From(0, Some(0)))),
            ("bytes=5-", Some(Slice::From(5, None))),
            ("bytes=-7", Some(Slice::Last(7))),
            ("bytes=5-4", None),
            ("bytes=0-1,3-4", None),
            ("bytes=-", None),
            ("bytes=+1-2", None),
            ("bytes=99999999999999999999-", None),
            ("items=0-1", None),
            ("", None),
        ] {
            assert_eq!(Slice::parse(header.as_bytes()), expected, "{header}");
        }
    }

    #[test]
    fn positions_are_those_of_the_ciphertext() {
        // 20 bytes of plaintext are 32 of ciphertext.
        assert_eq!(Slice::From(0, Some(999)).resolve(20), Ok((0, 31, 32)));
        assert_eq!(Slice::From(31, None).resolve(20), Ok((31, 31, 32)));
        assert_eq!(Slice::From(32, None).resolve(20), Err(32));
        assert_eq!(Slice::Last(5).resolve(20), Ok((27, 31, 32)));
        assert_eq!(Slice::Last(50).resolve(20), Ok((0, 31, 32)));
        assert_eq!(Slice::Last(0).resolve(20), Err(32));
        assert_eq!(Slice::From(3, Some(15)).plaintext_last(), Some(15));
        assert_eq!(Slice::From(3, Some(16)).plaintext_last(), Some(31));
        assert_eq!(Slice::From(3, Some(u64::MAX)).plaintext_last(), Some(u64::MAX));
    }
}
