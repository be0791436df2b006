//! A track's part of a fragment: `tfhd`, `tfdt`, `trun` (ISO/IEC 14496-12 sections 8.8.7, 8.8.8, 8.8.12).

use alloc::vec::Vec;
use core::ops::Range;

use super::position;
use super::side::Side;
use crate::boxes::{Children, Fields, FourCc};
use crate::{Error, Samples, Track};

const TRAF: FourCc = FourCc(*b"traf");
const TFHD: FourCc = FourCc(*b"tfhd");
const TFDT: FourCc = FourCc(*b"tfdt");
const TRUN: FourCc = FourCc(*b"trun");

/// Flags of `tfhd`.
pub(crate) mod tfhd {
    pub(crate) const BASE_DATA_OFFSET: u32 = 0x1;
    pub(crate) const DESCRIPTION: u32 = 0x2;
    pub(crate) const DURATION: u32 = 0x8;
    pub(crate) const SIZE: u32 = 0x10;
    pub(crate) const FLAGS: u32 = 0x20;
    pub(crate) const BASE_IS_MOOF: u32 = 0x2_0000;
}

/// Flags of `trun`. Those of a sample's fields are in the order of the fields.
pub(crate) mod trun {
    pub(crate) const DATA_OFFSET: u32 = 0x1;
    pub(crate) const FIRST_FLAGS: u32 = 0x4;
    pub(crate) const DURATION: u32 = 0x100;
    pub(crate) const SIZE: u32 = 0x200;
    pub(crate) const OF_SAMPLES: [u32; 4] = [DURATION, SIZE, 0x400, 0x800];
}

/// `tfdt`: a decode time in the track's timescale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Time {
    pub(crate) version: u8,
    pub(crate) value: u64,
}

/// A track's part of a fragment.
pub(crate) struct Traf {
    /// The track ID.
    pub(crate) track: u32,
    /// The flags of `tfhd`.
    pub(crate) flags: u32,
    /// The fields of `tfhd` after its base data offset.
    pub(crate) defaults: Range<usize>,
    /// The decode time of the first sample, if there is a `tfdt`.
    pub(crate) time: Option<Time>,
    pub(crate) duration: Option<u32>,
    /// Boxes that describe samples besides `trun`.
    pub(crate) side: Vec<Side>,
    /// The sort of samples, once it is known.
    pub(crate) samples: Option<Samples>,
}

/// A run of samples whose data lie one after another.
pub(crate) struct Run {
    /// The number of its traf.
    pub(crate) traf: usize,
    /// Its number among the runs of the fragment, in the order of the boxes.
    pub(crate) ordinal: u32,
    pub(crate) version: u8,
    pub(crate) flags: u32,
    pub(crate) first_flags: Option<u32>,
    /// The samples' records in the `moof`.
    pub(crate) records: Range<usize>,
    /// Bytes of a record: 0, 4, 8, 12 or 16.
    pub(crate) record: usize,
    /// The number of samples, at least 1.
    pub(crate) count: u32,
    /// The size of every sample without a size of its own.
    size: Option<u32>,
    /// The beginning of the data in bytes after the beginning of the `moof`.
    pub(crate) start: u64,
    /// The bytes of data.
    pub(crate) length: u64,
}

impl Run {
    /// The size of a sample in bytes. `None` behind the last one.
    pub(crate) fn size(&self, moof: &[u8], sample: u32) -> Option<u32> {
        if self.flags & trun::SIZE == 0 {
            return self.size.filter(|_| sample < self.count);
        }
        self.field(moof, sample, usize::from(self.flags & trun::DURATION != 0))
    }

    /// The duration of a sample in the track's timescale, if the run has durations.
    pub(crate) fn duration(&self, moof: &[u8], sample: u32) -> Option<u32> {
        if self.flags & trun::DURATION == 0 { None } else { self.field(moof, sample, 0) }
    }

    /// A field of a sample's record. `None` behind the last sample: this is asked for each of them.
    fn field(&self, moof: &[u8], sample: u32, number: usize) -> Option<u32> {
        if sample >= self.count {
            return None;
        }
        let at = self.record.checked_mul(usize::try_from(sample).ok()?)?.checked_add(number.checked_mul(4)?)?;
        let field = moof.get(self.records.start.checked_add(at)?..)?.first_chunk()?;
        Some(u32::from_be_bytes(*field))
    }

    /// The records of `count` samples.
    pub(crate) fn records_of<'a>(&self, moof: &'a [u8], first: u32, count: u32) -> Option<&'a [u8]> {
        let start = self.record.checked_mul(usize::try_from(first).ok()?)?;
        let length = self.record.checked_mul(usize::try_from(count).ok()?)?;
        moof.get(self.records.clone())?.get(start..)?.get(..length)
    }
}

/// The surroundings of a `traf`.
pub(super) struct Context<'a> {
    pub(super) moof: &'a [u8],
    /// The position of the `moof` in the stream.
    pub(super) position: u64,
    /// The end of the previous traf's data, in bytes after the beginning of the `moof`.
    pub(super) base: u64,
    /// The number of this traf.
    pub(super) number: usize,
    pub(super) tracks: &'a [Track],
}

/// `tfhd`'s fields that only the runs need.
struct Defaults {
    size: Option<u32>,
    base: u64,
}

/// Parses a `traf`, appends its runs, and returns where its data end.
pub(super) fn parse(context: &Context<'_>, body: &[u8], runs: &mut Vec<Run>) -> Result<(Traf, u64), Error> {
    let (mut traf, defaults) = parse_tfhd(context, Children::of(body, TRAF).only(TFHD)?)?;
    let mut end = defaults.base;
    for child in Children::of(body, TRAF) {
        let child = child?;
        match &child.kind.0 {
            b"tfhd" | b"free" | b"skip" | b"uuid" | b"udta" | b"meta" | b"subs" => {}
            b"tfdt" => {
                let read = parse_tfdt(Fields(child.body)).ok_or(Error::Malformed(TFDT))?;
                if traf.time.replace(read).is_some() {
                    return Err(Error::DuplicateBox(TFDT));
                }
            }
            b"trun" => {
                if let Some(run) = parse_trun(context, &traf, &defaults, child.body, runs.len(), end)? {
                    end = run.start.checked_add(run.length).ok_or(Error::DataOffset)?;
                    runs.push(run);
                }
            }
            b"sdtp" | b"sbgp" | b"sgpd" => traf.side.push(Side::parse(context.moof, &child)?),
            b"senc" | b"saiz" | b"saio" => return Err(Error::AlreadyEncrypted(child.kind)),
            _ => return Err(Error::UnexpectedBox(child.kind)),
        }
    }
    Ok((traf, end))
}

fn parse_tfhd(context: &Context<'_>, body: &[u8]) -> Result<(Traf, Defaults), Error> {
    let malformed = Error::Malformed(TFHD);
    let mut fields = Fields(body);
    let (_, flags) = fields.full().ok_or(malformed)?;
    let track = fields.u32().ok_or(malformed)?;
    let base = if flags & tfhd::BASE_DATA_OFFSET != 0 {
        let offset = fields.u64().ok_or(malformed)?;
        offset.checked_sub(context.position).ok_or(Error::DataOffset)?
    } else if flags & tfhd::BASE_IS_MOOF != 0 {
        0
    } else {
        context.base
    };
    let defaults = position(context.moof, fields.0)?;
    let known = context.tracks.iter().find(|known| known.id == track);
    let mut optional = |flag| fields.optional_u32(flags & flag != 0).ok_or(malformed);
    optional(tfhd::DESCRIPTION)?;
    let duration = optional(tfhd::DURATION)?.or(known.and_then(|known| known.duration));
    let size = optional(tfhd::SIZE)?.or(known.and_then(|known| known.size));
    optional(tfhd::FLAGS)?;
    if !fields.0.is_empty() {
        return Err(malformed);
    }
    let samples = known.and_then(|known| known.samples);
    let traf = Traf { track, flags, defaults, time: None, duration, side: Vec::new(), samples };
    Ok((traf, Defaults { size, base }))
}

fn parse_tfdt(mut fields: Fields<'_>) -> Option<Time> {
    let (version, _) = fields.full()?;
    let value = if version == 0 { u64::from(fields.u32()?) } else { fields.u64()? };
    Some(Time { version, value })
}

/// Parses a `trun`. `None` if it has no samples.
fn parse_trun(
    context: &Context<'_>,
    traf: &Traf,
    defaults: &Defaults,
    body: &[u8],
    ordinal: usize,
    end: u64,
) -> Result<Option<Run>, Error> {
    let malformed = Error::Malformed(TRUN);
    let mut fields = Fields(body);
    let (version, flags) = fields.full().ok_or(malformed)?;
    let count = fields.u32().ok_or(malformed)?;
    let offset = fields.optional_u32(flags & trun::DATA_OFFSET != 0).ok_or(malformed)?;
    let first_flags = fields.optional_u32(flags & trun::FIRST_FLAGS != 0).ok_or(malformed)?;
    let start = match offset {
        Some(offset) => defaults.base.checked_add_signed(i64::from(offset.cast_signed())).ok_or(Error::DataOffset)?,
        None => end,
    };
    let record = trun::OF_SAMPLES.iter().filter(|flag| flags & **flag != 0).count().saturating_mul(4);
    let records = usize::try_from(count).ok().and_then(|count| count.checked_mul(record));
    if records != Some(fields.0.len()) {
        return Err(malformed);
    }
    if count == 0 {
        return Ok(None);
    }
    // Samples without records and without bytes would cost time and no byte of the stream.
    if flags & trun::SIZE == 0 && defaults.size.is_none_or(|size| size == 0) {
        return Err(Error::SizesInInit(traf.track));
    }
    let mut run = Run {
        traf: context.number,
        ordinal: u32::try_from(ordinal).map_err(|_| Error::BoxTooLarge(TRUN))?,
        version,
        flags,
        first_flags,
        records: position(context.moof, fields.0)?,
        record,
        count,
        size: defaults.size,
        start,
        length: 0,
    };
    run.length = if flags & trun::SIZE != 0 {
        (0..count).filter_map(|sample| run.size(context.moof, sample)).map(u64::from).sum()
    } else {
        u64::from(count).saturating_mul(u64::from(defaults.size.unwrap_or(0)))
    };
    Ok(Some(run))
}
