//! Reading boxes: four-character codes, headers, the children of a box, fields (ISO/IEC 14496-12 section 4.2).

use core::fmt;

use crate::Error;

/// A four-character code: the type of a box or of a sample entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FourCc(pub [u8; 4]);

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The longest header: size, type, and a size of 64 bits.
pub(crate) const MAX_HEADER: usize = 16;

/// A box's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) kind: FourCc,
    /// The header's length in bytes: 8, or 16 with a size of 64 bits.
    pub(crate) len: usize,
    /// The length of what follows the header. `None`: until the end of the file.
    pub(crate) body: Option<u64>,
}

impl Header {
    /// Reads the header that `bytes` begin with. `None` if there are too few bytes for it.
    ///
    /// # Errors
    /// [`Error::BoxSize`] if the size is below the header's length.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, Error> {
        let mut fields = Fields(bytes);
        let (Some(size), Some(kind)) = (fields.u32(), fields.array()) else { return Ok(None) };
        let kind = FourCc(kind);
        let (len, size) = match size {
            0 => return Ok(Some(Self { kind, len: 8, body: None })),
            1 => match fields.u64() {
                Some(size) => (MAX_HEADER, size),
                None => return Ok(None),
            },
            size => (8, u64::from(size)),
        };
        let body = size.checked_sub(len as u64).ok_or(Error::BoxSize(kind))?;
        Ok(Some(Self { kind, len, body: Some(body) }))
    }
}

/// A box in memory.
#[derive(Clone, Copy)]
pub(crate) struct Child<'a> {
    pub(crate) kind: FourCc,
    /// With its header.
    pub(crate) whole: &'a [u8],
    pub(crate) header_len: usize,
    /// Without its header.
    pub(crate) body: &'a [u8],
}

impl<'a> Child<'a> {
    /// The box that `bytes` begin with, and what follows it.
    ///
    /// # Errors
    /// [`Error::BoxSize`] if it does not fit into `bytes`, or has the size 0, which only a file's last box may have.
    pub(crate) fn read(bytes: &'a [u8], parent: FourCc) -> Result<(Self, &'a [u8]), Error> {
        let header = Header::read(bytes)?.ok_or(Error::BoxSize(parent))?;
        let lies = Error::BoxSize(header.kind);
        let body = header.body.and_then(|body| usize::try_from(body).ok()).ok_or(lies)?;
        let end = header.len.checked_add(body).ok_or(lies)?;
        let (whole, rest) = bytes.split_at_checked(end).ok_or(lies)?;
        let body = whole.get(header.len..).ok_or(lies)?;
        Ok((Self { kind: header.kind, whole, header_len: header.len, body }, rest))
    }
}

/// The boxes that lie one after another in the bytes of the box `parent`.
pub(crate) struct Children<'a> {
    rest: &'a [u8],
    parent: FourCc,
}

impl<'a> Children<'a> {
    pub(crate) fn of(rest: &'a [u8], parent: FourCc) -> Self {
        Self { rest, parent }
    }

    /// The only box of this type.
    ///
    /// # Errors
    /// [`Error::MissingBox`] or [`Error::DuplicateBox`]; [`Error::BoxSize`] if a box's size lies.
    pub(crate) fn only(self, kind: FourCc) -> Result<&'a [u8], Error> {
        let mut found = None;
        for child in self {
            let child = child?;
            if child.kind == kind && found.replace(child.body).is_some() {
                return Err(Error::DuplicateBox(kind));
            }
        }
        found.ok_or(Error::MissingBox(kind))
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = Result<Child<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(match Child::read(self.rest, self.parent) {
            Ok((child, rest)) => {
                self.rest = rest;
                Ok(child)
            }
            Err(error) => {
                self.rest = &[];
                Err(error)
            }
        })
    }
}

/// Reads fields one after another, big-endian. `None` beyond the end.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// The version and the flags of a full box.
    pub(crate) fn full(&mut self) -> Option<(u8, u32)> {
        let word = self.u32()?;
        let [version, ..] = word.to_be_bytes();
        Some((version, word & 0xFF_FFFF))
    }

    /// A field that is there if `present`: outer `None` beyond the end.
    #[expect(clippy::option_option, reason = "beyond the end, absent, present")]
    pub(crate) fn optional_u32(&mut self, present: bool) -> Option<Option<u32>> {
        if present { self.u32().map(Some) } else { Some(None) }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    #[test]
    fn headers_of_both_kinds() {
        let kind = FourCc(*b"mdat");
        let of = |bytes: &[u8]| Header::read(bytes);
        assert_eq!(of(b"\0\0\0\x0Amdat"), Ok(Some(Header { kind, len: 8, body: Some(2) })));
        assert_eq!(of(b"\0\0\0\0mdat"), Ok(Some(Header { kind, len: 8, body: None })));
        assert_eq!(of(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x12"), Ok(Some(Header { kind, len: 16, body: Some(2) })));
        assert_eq!(of(b"\0\0\0\x01mdat\0\0\0\0\0\0\0"), Ok(None));
        assert_eq!(of(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0F"), Err(Error::BoxSize(kind)));
        assert_eq!(of(b"\0\0\0\x07mdat"), Err(Error::BoxSize(kind)));
        assert_eq!(of(b"\0\0\0\x10mda"), Ok(None));
    }

    #[test]
    fn children_end_with_their_parent() {
        let parent = FourCc(*b"moov");
        let kinds = |bytes: &[u8]| {
            Children::of(bytes, parent).map(|child| child.map(|it| it.kind.0)).collect::<Result<Vec<_>, _>>()
        };
        assert_eq!(kinds(b""), Ok(vec![]));
        assert_eq!(kinds(b"\0\0\0\x08free\0\0\0\x09skip!"), Ok(vec![*b"free", *b"skip"]));
        assert_eq!(kinds(b"\0\0\0\x08free\0\0\0\x09skip"), Err(Error::BoxSize(FourCc(*b"skip"))));
        assert_eq!(kinds(b"\0\0\0\0free"), Err(Error::BoxSize(FourCc(*b"free"))));
        assert_eq!(kinds(b"\0\0\0"), Err(Error::BoxSize(parent)));
    }
}
