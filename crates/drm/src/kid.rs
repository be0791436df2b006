//! Key identifiers.

use alloc::string::String;
use core::fmt;

use crate::text;

/// A key identifier: 16 bytes in the order of the UUID's text (RFC 9562, section 4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid([u8; 16]);

impl Kid {
    /// The key identifier with these bytes, in the order of the text.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Parses the text of a UUID, with four hyphens and letters of either case; `None` of anything else.
    pub fn parse(text: &str) -> Option<Self> {
        parse_uuid(text).map(Self)
    }

    /// Its bytes in the order of the text.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Its bytes as a GUID: the first three fields little-endian (PlayReady Header Specification, "KID").
    pub fn guid(&self) -> [u8; 16] {
        swap(self.0)
    }

    /// The key identifier of these bytes of a GUID.
    pub fn from_guid(guid: [u8; 16]) -> Self {
        Self(swap(guid))
    }

    /// 32 hexadecimal digits in lower case.
    pub fn hex(&self) -> String {
        text::hex(&self.0)
    }
}

/// The text of a UUID in lower case.
impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let hyphen = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{hyphen}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kid({self})")
    }
}

/// Reverses the first three fields of a UUID; twice is the identity.
fn swap([a, b, c, d, e, f, g, h, rest @ ..]: [u8; 16]) -> [u8; 16] {
    let [i, j, k, l, m, n, o, p] = rest;
    [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
}

/// The 16 bytes of a UUID's text, in either case; `None` of other texts.
pub(crate) fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0_u8; 16];
    let mut digits = 0_usize;
    if text.len() != 36 {
        return None;
    }
    for (index, character) in text.chars().enumerate() {
        if matches!(index, 8 | 13 | 18 | 23) {
            if character != '-' {
                return None;
            }
            continue;
        }
        let digit = u8::try_from(character.to_digit(16)?).ok()?;
        let byte = bytes.get_mut(digits / 2)?;
        *byte = *byte << 4 | digit;
        digits = digits.checked_add(1)?;
    }
    Some(bytes)
}
