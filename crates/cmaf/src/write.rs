//! Writing boxes into a vector: a box's size is filled in when the box ends.

use alloc::vec::Vec;

use crate::Error;
use crate::boxes::FourCc;

/// Appends a box with the contents that `contents` appends.
///
/// # Errors
/// Those of `contents`, and [`Error::BoxTooLarge`] if the box reaches 4 GB.
pub(crate) fn boxed(
    out: &mut Vec<u8>,
    kind: &[u8; 4],
    contents: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(kind);
    contents(out)?;
    let size = out.len().saturating_sub(start);
    let size = u32::try_from(size).map_err(|_| Error::BoxTooLarge(FourCc(*kind)))?;
    patch(out, start, size)
}

/// Appends a box with a version and 24 bits of flags (ISO/IEC 14496-12 section 4.2).
///
/// # Errors
/// As [`boxed`].
pub(crate) fn full(
    out: &mut Vec<u8>,
    kind: &[u8; 4],
    version: u8,
    flags: u32,
    contents: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    boxed(out, kind, |out| {
        let word = u32::from(version) << 24 | flags & 0xFF_FFFF;
        out.extend_from_slice(&word.to_be_bytes());
        contents(out)
    })
}

/// Replaces the four bytes at `at`.
///
/// # Errors
/// [`Error::Bug`] if they are not there.
pub(crate) fn patch(out: &mut [u8], at: usize, value: u32) -> Result<(), Error> {
    let field = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut).ok_or_else(Error::bug)?;
    *field = value.to_be_bytes();
    Ok(())
}
