//! A strict reader of CBOR (RFC 8949), as far as tokens need it.
//!
//! Refused: indefinite lengths (no issuer's library writes them), a map with the same key twice, reserved additional
//! information, text that is not UTF-8, bytes after the item, and everything beyond the limits. Integers and lengths
//! may be longer than necessary: a common library always writes 16-bit lengths of maps.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// Most items in one document, keys, values and tags counted each.
const MAX_ITEMS: usize = 512;
/// Most entries in one map. Bounds the comparisons that find a repeated key.
const MAX_ENTRIES: usize = 64;
/// Deepest nesting of arrays, maps and tags.
const MAX_DEPTH: usize = 16;

/// An item.
#[derive(Debug, PartialEq)]
pub enum Value<'a> {
    /// Unsigned integer (major type 0).
    Unsigned(u64),
    /// Negative integer (major type 1): -1 minus this number.
    Negative(u64),
    /// Byte string.
    Bytes(&'a [u8]),
    /// Text string.
    Text(&'a str),
    /// Array.
    Array(Vec<Value<'a>>),
    /// Map, in the order of its entries; no two keys are equal.
    Map(Vec<Entry<'a>>),
    /// Tag and the tagged item.
    Tag(u64, Box<Value<'a>>),
    /// Floating-point number of any size.
    Float(f64),
    /// `false`, `true`, `null` or `undefined`: 20 to 23.
    Simple(u8),
}

/// An entry of a map.
#[derive(Debug, PartialEq)]
pub struct Entry<'a> {
    /// Key.
    pub key: Value<'a>,
    /// Value.
    pub value: Value<'a>,
    /// Key and value as encoded.
    pub raw: &'a [u8],
}

/// Reads the only item of a document; `None` if it is malformed or exceeds a limit.
pub fn read(bytes: &[u8]) -> Option<Value<'_>> {
    let mut reader = Reader { rest: bytes, items: MAX_ITEMS };
    let value = reader.item(MAX_DEPTH)?;
    reader.rest.is_empty().then_some(value)
}

/// Appends the head of an item: its major type (0 to 7) and its argument, as short as possible.
pub fn push_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let bytes = argument.to_be_bytes();
    let (info, length) = match argument {
        0..24 => (bytes.last().copied().unwrap_or_default(), 0),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    out.push(major << 5 | info);
    out.extend(bytes.iter().skip(8 - length));
}

/// Appends a byte string.
pub fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    push_head(out, 2, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a text string.
pub fn push_text(out: &mut Vec<u8>, text: &str) {
    push_head(out, 3, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

impl<'a> Value<'a> {
    /// The integer, if it is one of 64 bits with a sign.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Unsigned(number) => i64::try_from(*number).ok(),
            Self::Negative(number) => i64::try_from(*number).ok().map(|number| -1 - number),
            _ => None,
        }
    }

    /// The text.
    pub fn text(&self) -> Option<&'a str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The bytes.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The elements of an array.
    pub fn array(&self) -> Option<&[Self]> {
        if let Self::Array(values) = self { Some(values) } else { None }
    }

    /// The entries of a map.
    pub fn map(&self) -> Option<&[Entry<'a>]> {
        if let Self::Map(entries) = self { Some(entries) } else { None }
    }

    /// A time in seconds since the epoch, a fraction rounded up; `None` if it is negative or not a number.
    pub fn seconds(&self) -> Option<u64> {
        match *self {
            Self::Unsigned(seconds) => Some(seconds),
            // All integers up to this one are exact.
            Self::Float(seconds) if (0.0..=9e15).contains(&seconds) => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range")]
                let whole = seconds as u64;
                Some(if (whole as f64) < seconds { whole + 1 } else { whole })
            }
            _ => None,
        }
    }
}

/// The value of the integer key `label` in a map.
pub fn get<'v, 'a>(entries: &'v [Entry<'a>], label: i64) -> Option<&'v Value<'a>> {
    entries.iter().find(|entry| entry.key.integer() == Some(label)).map(|entry| &entry.value)
}

struct Reader<'a> {
    rest: &'a [u8],
    items: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn number<const N: usize>(&mut self) -> Option<u64> {
        let bytes = self.take(N)?;
        Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn item(&mut self, depth: usize) -> Option<Value<'a>> {
        self.items = self.items.checked_sub(1)?;
        let first = *self.take(1)?.first()?;
        let (major, info) = (first >> 5, first & 0x1f);
        if major == 7 {
            return self.simple(info);
        }
        let argument = match info {
            0..24 => u64::from(info),
            24 => self.number::<1>()?,
            25 => self.number::<2>()?,
            26 => self.number::<4>()?,
            27 => self.number::<8>()?,
            _ => return None,
        };
        let length = usize::try_from(argument);
        Some(match major {
            0 => Value::Unsigned(argument),
            1 => Value::Negative(argument),
            2 => Value::Bytes(self.take(length.ok()?)?),
            3 => Value::Text(core::str::from_utf8(self.take(length.ok()?)?).ok()?),
            4 => Value::Array(self.array(length.ok()?, depth.checked_sub(1)?)?),
            5 => Value::Map(self.map(length.ok()?, depth.checked_sub(1)?)?),
            _ => Value::Tag(argument, Box::new(self.item(depth.checked_sub(1)?)?)),
        })
    }

    fn array(&mut self, length: usize, depth: usize) -> Option<Vec<Value<'a>>> {
        // Checked before memory is reserved.
        let mut values = Vec::with_capacity(Some(length).filter(|length| *length <= self.items)?);
        for _ in 0..length {
            values.push(self.item(depth)?);
        }
        Some(values)
    }

    fn map(&mut self, length: usize, depth: usize) -> Option<Vec<Entry<'a>>> {
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(Some(length).filter(|length| *length <= MAX_ENTRIES)?);
        for _ in 0..length {
            let start = self.rest;
            let (key, value) = (self.item(depth)?, self.item(depth)?);
            if entries.iter().any(|other| other.key == key) {
                return None;
            }
            let raw = start.get(..start.len() - self.rest.len())?;
            entries.push(Entry { key, value, raw });
        }
        Some(entries)
    }

    fn simple(&mut self, info: u8) -> Option<Value<'a>> {
        Some(match info {
            20..=23 => Value::Simple(info),
            25 => Value::Float(half(self.number::<2>()?)),
            26 => Value::Float(f32::from_bits(u32::try_from(self.number::<4>()?).ok()?).into()),
            27 => Value::Float(f64::from_bits(self.number::<8>()?)),
            _ => return None,
        })
    }
}

/// A floating-point number of 16 bits (IEEE 754 binary16).
fn half(bits: u64) -> f64 {
    let (sign, exponent, fraction) = (bits >> 15 & 1, bits >> 10 & 0x1f, bits & 0x3ff);
    let size = match exponent {
        0 => fraction as f64 / 16_777_216.0,
        0x1f => f64::NAN,
        _ => f64::from_bits((exponent + 1008) << 52 | fraction << 42),
    };
    if sign == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        base16ct::lower::decode_vec(text).unwrap()
    }

    /// RFC 8949, appendix A.
    #[test]
    fn the_examples_of_the_standard() {
        for (text, expected) in [
            ("00", Value::Unsigned(0)),
            ("17", Value::Unsigned(23)),
            ("1818", Value::Unsigned(24)),
            ("1903e8", Value::Unsigned(1000)),
            ("1a000f4240", Value::Unsigned(1_000_000)),
            ("1bffffffffffffffff", Value::Unsigned(u64::MAX)),
            ("20", Value::Negative(0)),
            ("3903e7", Value::Negative(999)),
            ("f93c00", Value::Float(1.0)),
            ("f93e00", Value::Float(1.5)),
            ("f97bff", Value::Float(65504.0)),
            ("f90001", Value::Float(5.960_464_477_539_063e-8)),
            ("f90400", Value::Float(0.000_061_035_156_25)),
            ("f9c400", Value::Float(-4.0)),
            ("fa47c35000", Value::Float(100_000.0)),
            ("fb3ff199999999999a", Value::Float(1.1)),
            ("f4", Value::Simple(20)),
            ("f6", Value::Simple(22)),
            ("c11a514b67b0", Value::Tag(1, Box::new(Value::Unsigned(1_363_896_240)))),
            ("4401020304", Value::Bytes(&[1, 2, 3, 4])),
            ("62c3bc", Value::Text("ü")),
            ("820120", Value::Array(vec![Value::Unsigned(1), Value::Negative(0)])),
        ] {
            assert_eq!(read(&hex(text)), Some(expected), "{text}");
        }
        let map = hex("a20a0263626172f5");
        let Some(Value::Map(entries)) = read(&map) else { panic!() };
        assert_eq!((entries[0].raw, entries[1].raw), (&map[1..3], &map[3..]));
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [
            "",
            "18",
            "1c",
            "1d",
            "1e",
            "1f",
            "40 00",
            "5f4100ff",
            "7f6161ff",
            "9f00ff",
            "bf0000ff",
            "ff",
            "f0",
            "f8ff",
            "62c328",
            "81",
            "8101ff",
            "a101",
            "a201020103",
            "a2010218 0103",
            "c0",
            "9a00010000",
            "ba00010000",
            "9bffffffffffffffff",
            "5bffffffffffffffff",
            "a2616101616102",
            "e0",
        ] {
            assert_eq!(read(&hex(&bad.replace(' ', ""))), None, "{bad}");
        }
    }

    #[test]
    fn depth_items_and_entries_are_limited() {
        let nested = |depth: usize| [vec![0x81; depth], vec![0]].concat();
        assert!(read(&nested(MAX_DEPTH)).is_some() && read(&nested(MAX_DEPTH + 1)).is_none());
        assert!(read(&[&[0xc1; MAX_DEPTH + 1][..], &[0]].concat()).is_none());
        let array = |length: u16| [&[0x99], &length.to_be_bytes()[..], &vec![0; length.into()]].concat();
        assert!(read(&array(511)).is_some() && read(&array(512)).is_none());
        let map = |length: u8| {
            let entries = (0..length).flat_map(|key| [0x18, key, 0]);
            [0xb8, length].into_iter().chain(entries).collect::<Vec<_>>()
        };
        assert!(read(&map(64)).is_some() && read(&map(65)).is_none());
    }

    #[test]
    fn times_are_rounded_up() {
        for (value, expected) in [
            (Value::Unsigned(7), Some(7)),
            (Value::Float(7.0), Some(7)),
            (Value::Float(7.25), Some(8)),
            (Value::Float(-0.5), None),
            (Value::Float(f64::NAN), None),
            (Value::Float(f64::INFINITY), None),
            (Value::Float(1e300), None),
            (Value::Negative(0), None),
            (Value::Text("7"), None),
        ] {
            assert_eq!(value.seconds(), expected, "{value:?}");
        }
    }

    #[test]
    fn heads_are_as_short_as_possible() {
        for (argument, expected) in [
            (23, "57"),
            (24, "5818"),
            (255, "58ff"),
            (256, "590100"),
            (65_536, "5a00010000"),
            (1 << 32, "5b0000000100000000"),
        ] {
            let mut out = Vec::new();
            push_head(&mut out, 2, argument);
            assert_eq!(out, hex(expected), "{argument}");
        }
    }
}
