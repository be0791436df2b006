//! Boxes of a `traf` that describe samples besides `trun`: dependencies and sample groups (ISO/IEC 14496-12 sections 8.6.4
//! and 8.9). A part of a fragment gets the part of them that is about its samples.

use alloc::vec::Vec;
use core::ops::Range;

use super::position;
use crate::Error;
use crate::boxes::{Child, Fields};
use crate::write::{boxed, full};

/// The longest `sgpd`, in bytes: each part of a fragment repeats it.
const MAX_DESCRIPTIONS: usize = 4096;

/// A box beside `trun`.
pub(crate) enum Side {
    /// `sdtp`: a byte for each sample.
    Dependencies(Range<usize>),
    /// `sgpd`: descriptions that `sbgp` refers to.
    Descriptions(Range<usize>),
    /// `sbgp`: runs of samples in the same group.
    Groups {
        version: u8,
        /// The grouping type, with its parameter in version 1.
        grouping: Range<usize>,
        /// The entries: a number of samples and a description's number.
        entries: Range<usize>,
    },
}

impl Side {
    /// Parses an `sdtp`, `sgpd` or `sbgp`.
    ///
    /// # Errors
    /// [`Error::AlreadyEncrypted`] for groups of encryption parameters (`seig`); [`Error::Malformed`]; a too long `sgpd`.
    pub(super) fn parse(moof: &[u8], child: &Child<'_>) -> Result<Self, Error> {
        let malformed = Error::Malformed(child.kind);
        let mut fields = Fields(child.body);
        let (version, _) = fields.full().ok_or(malformed)?;
        if &child.kind.0 == b"sdtp" {
            return Ok(Self::Dependencies(position(moof, fields.0)?));
        }
        let begin = fields;
        let grouping: [u8; 4] = fields.array().ok_or(malformed)?;
        if &grouping == b"seig" {
            return Err(Error::AlreadyEncrypted(crate::FourCc(grouping)));
        }
        if &child.kind.0 == b"sgpd" {
            if child.whole.len() > MAX_DESCRIPTIONS {
                return Err(Error::BoxTooLarge(child.kind));
            }
            return Ok(Self::Descriptions(position(moof, child.whole)?));
        }
        if version > 1 {
            return Err(malformed);
        }
        fields.optional_u32(version == 1).ok_or(malformed)?;
        let grouping = begin.0.get(..begin.0.len().saturating_sub(fields.0.len())).ok_or(malformed)?;
        let count = fields.u32().ok_or(malformed)?;
        let entries = fields.0.as_chunks::<8>();
        if !entries.1.is_empty() || u32::try_from(entries.0.len()) != Ok(count) {
            return Err(malformed);
        }
        Ok(Self::Groups { version, grouping: position(moof, grouping)?, entries: position(moof, fields.0)? })
    }

    /// Appends the box for `count` samples of the traf, the first of which has the number `index`.
    ///
    /// # Errors
    /// [`Error::Malformed`] if an `sdtp` has no byte for each of them.
    pub(super) fn write(&self, moof: &[u8], index: u32, count: u32, out: &mut Vec<u8>) -> Result<(), Error> {
        let part = |range: &Range<usize>| moof.get(range.clone()).ok_or_else(Error::bug);
        match self {
            Self::Descriptions(whole) => out.extend_from_slice(part(whole)?),
            Self::Dependencies(bytes) => {
                let start = usize::try_from(index).map_err(|_| Error::bug())?;
                let length = usize::try_from(count).map_err(|_| Error::bug())?;
                let bytes = part(bytes)?.get(start..).and_then(|bytes| bytes.get(..length));
                let bytes = bytes.ok_or(Error::Malformed(crate::FourCc(*b"sdtp")))?;
                full(out, b"sdtp", 0, 0, |out| {
                    out.extend_from_slice(bytes);
                    Ok(())
                })?;
            }
            Self::Groups { version, grouping, entries } => {
                let entries = cut(part(entries)?, index, count);
                let number = u32::try_from(entries.len()).map_err(|_| Error::bug())?;
                let grouping = part(grouping)?;
                boxed(out, b"sbgp", |out| {
                    out.extend_from_slice(&[*version, 0, 0, 0]);
                    out.extend_from_slice(grouping);
                    out.extend_from_slice(&number.to_be_bytes());
                    out.extend(
                        entries.iter().flat_map(|(samples, group)| [*samples, *group]).flat_map(u32::to_be_bytes),
                    );
                    Ok(())
                })?;
            }
        }
        Ok(())
    }
}

/// The entries of an `sbgp` for `count` samples from the number `index`: how many samples, and their description's number.
fn cut(entries: &[u8], index: u32, count: u32) -> Vec<(u32, u32)> {
    let (first, end) = (u64::from(index), u64::from(index).saturating_add(u64::from(count)));
    let mut cut = Vec::new();
    let mut at = 0_u64;
    for entry in entries.as_chunks::<8>().0 {
        let mut fields = Fields(entry);
        let (Some(samples), Some(group)) = (fields.u32(), fields.u32()) else { break };
        let next = at.saturating_add(u64::from(samples));
        let inside = next.min(end).saturating_sub(at.max(first));
        if let (1.., Ok(inside)) = (inside, u32::try_from(inside)) {
            cut.push((inside, group));
        }
        at = next;
        if at >= end {
            break;
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_cut_at_samples() {
        let entries: Vec<u8> = [3_u32, 1, 2, 0, 5, 2].iter().flat_map(|field| field.to_be_bytes()).collect();
        assert_eq!(cut(&entries, 0, 10), [(3, 1), (2, 0), (5, 2)]);
        assert_eq!(cut(&entries, 0, 1), [(1, 1)]);
        assert_eq!(cut(&entries, 2, 4), [(1, 1), (2, 0), (1, 2)]);
        assert_eq!(cut(&entries, 9, 9), [(1, 2)]);
        assert_eq!(cut(&entries, 10, 1), []);
    }
}
