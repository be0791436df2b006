//! Writing the `moof` of a part of a fragment: the origin's fields for its samples, and what players need to decrypt them
//! (ISO/IEC 14496-12 section 8.8, ISO/IEC 23001-7 section 7).

use alloc::vec::Vec;
use core::ops::Range;

use super::traf::{tfhd, trun};
use super::{Fragment, Time, sort};
use crate::protection::Protection;
use crate::write::{boxed, full, patch};
use crate::{Error, Samples};

/// Consecutive samples of one run.
pub(crate) struct Part {
    /// The number of the run.
    pub(crate) run: usize,
    /// The number of the run's traf.
    pub(crate) traf: usize,
    /// The first sample's number in the run.
    pub(crate) first: u32,
    pub(crate) count: u32,
    /// The position of the first sample in the data of the new `mdat`.
    pub(crate) offset: u32,
    /// The decode time of the first sample, if the traf has a `tfdt`.
    pub(crate) time: Option<Time>,
    /// The first sample's number in the traf.
    pub(crate) index: u32,
    /// The numbers of the samples in the new `mdat`.
    pub(crate) samples: Range<usize>,
}

/// The place where an offset into the new `mdat` has to be filled in once the length of the `moof` is known.
struct Offset {
    /// The position of the field.
    at: usize,
    /// The offset in the data.
    value: u32,
}

/// The `moof` of an `mdat` with these parts, in the order of their data, and a header of `mdat_header` bytes. `sequence` is
/// added to the fragment's sequence number.
pub(crate) fn rebuild(
    fragment: &Fragment,
    mut parts: Vec<Part>,
    protection: &Protection,
    sequence: u32,
    mdat_header: u32,
) -> Result<Vec<u8>, Error> {
    sort(&mut parts, |part| part.traf as u64);
    let mut out = Vec::with_capacity(256);
    let mut offsets = Vec::new();
    boxed(&mut out, b"moof", |out| {
        let sequence = fragment.sequence.wrapping_add(sequence);
        full(out, b"mfhd", 0, 0, |out| {
            out.extend_from_slice(&sequence.to_be_bytes());
            Ok(())
        })?;
        for parts in parts.chunk_by(|a, b| a.traf == b.traf) {
            boxed(out, b"traf", |out| traf(fragment, parts, protection, out, &mut offsets))?;
        }
        Ok(())
    })?;
    let data = u32::try_from(out.len()).ok().and_then(|length| length.checked_add(mdat_header));
    for Offset { at, value } in offsets {
        let value = data.and_then(|data| data.checked_add(value)).filter(|value| i32::try_from(*value).is_ok());
        patch(&mut out, at, value.ok_or(Error::DataOffset)?)?;
    }
    Ok(out)
}

fn traf(
    fragment: &Fragment,
    parts: &[Part],
    protection: &Protection,
    out: &mut Vec<u8>,
    offsets: &mut Vec<Offset>,
) -> Result<(), Error> {
    let part = parts.first().ok_or_else(Error::bug)?;
    let traf = fragment.trafs.get(part.traf).ok_or_else(Error::bug)?;
    let defaults = fragment.moof.get(traf.defaults.clone()).ok_or_else(Error::bug)?;
    full(out, b"tfhd", 0, traf.flags & !tfhd::BASE_DATA_OFFSET | tfhd::BASE_IS_MOOF, |out| {
        out.extend_from_slice(&traf.track.to_be_bytes());
        out.extend_from_slice(defaults);
        Ok(())
    })?;
    if let Some(time) = part.time {
        match u32::try_from(time.value) {
            Ok(value) if time.version == 0 => {
                full(out, b"tfdt", 0, 0, |out| {
                    out.extend_from_slice(&value.to_be_bytes());
                    Ok(())
                })?;
            }
            _ => full(out, b"tfdt", 1, 0, |out| {
                out.extend_from_slice(&time.value.to_be_bytes());
                Ok(())
            })?,
        }
    }
    for part in parts {
        trun(fragment, part, out, offsets)?;
    }
    let count = parts.iter().fold(0_u32, |count, part| count.saturating_add(part.count));
    for side in &traf.side {
        side.write(&fragment.moof, part.index, count, out)?;
    }
    // Unknown as long as all samples are empty.
    let samples = traf.samples.unwrap_or(Samples::Whole);
    protection.write(samples, parts.iter().flat_map(|part| part.samples.clone()), count, out)
}

fn trun(fragment: &Fragment, part: &Part, out: &mut Vec<u8>, offsets: &mut Vec<Offset>) -> Result<(), Error> {
    let run = fragment.runs.get(part.run).ok_or_else(Error::bug)?;
    let records = run.records_of(&fragment.moof, part.first, part.count).ok_or_else(Error::bug)?;
    let first_flags = run.first_flags.filter(|_| part.first == 0);
    let flags = match first_flags {
        Some(_) => run.flags,
        None => run.flags & !trun::FIRST_FLAGS,
    };
    full(out, b"trun", run.version, flags | trun::DATA_OFFSET, |out| {
        out.extend_from_slice(&part.count.to_be_bytes());
        offsets.push(Offset { at: out.len(), value: part.offset });
        out.extend_from_slice(&[0; 4]);
        out.extend(first_flags.map(u32::to_be_bytes).iter().flatten());
        out.extend_from_slice(records);
        Ok(())
    })
}
