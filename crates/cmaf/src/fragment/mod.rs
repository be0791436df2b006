//! A fragment's `moof`, parsed: its tracks' runs of samples in the order of their data (ISO/IEC 14496-12 section 8.8).

mod rebuild;
mod side;
mod traf;

use alloc::vec;
use alloc::vec::Vec;
use core::mem::take;
use core::ops::Range;

pub(crate) use rebuild::{Part, rebuild};
pub(crate) use traf::{Run, Time, Traf};

use crate::boxes::{Child, Children, Fields, FourCc};
use crate::{Error, Track};

const MOOF: FourCc = FourCc(*b"moof");

/// A parsed `moof` and its bytes.
pub(crate) struct Fragment {
    pub(crate) moof: Vec<u8>,
    /// `mfhd`'s sequence number.
    pub(crate) sequence: u32,
    pub(crate) trafs: Vec<Traf>,
    /// The runs that have samples, in the order of their data.
    pub(crate) runs: Vec<Run>,
}

/// The position of one sample in a fragment: a run, and a sample of it.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Cursor {
    pub(crate) run: usize,
    pub(crate) sample: u32,
}

impl Fragment {
    /// Parses a whole `moof` box that began at `position` in the stream. `tracks`: what is known about tracks.
    ///
    /// # Errors
    /// All that concern `moof` and the boxes in it.
    pub(crate) fn parse(moof: Vec<u8>, position: u64, tracks: &[Track]) -> Result<Self, Error> {
        let (whole, _) = Child::read(&moof, MOOF)?;
        let mut sequence = None;
        let mut trafs = Vec::new();
        let mut runs = Vec::new();
        // Where the data of the previous traf ends: the base of one without an offset of its own (section 8.8.7.1).
        let mut base = 0;
        for child in Children::of(whole.body, MOOF) {
            let child = child?;
            match &child.kind.0 {
                b"mfhd" => {
                    let mut fields = Fields(child.body);
                    let read = fields.u32().and_then(|_| fields.u32()).ok_or(Error::Malformed(child.kind))?;
                    if sequence.replace(read).is_some() {
                        return Err(Error::DuplicateBox(child.kind));
                    }
                }
                b"traf" => {
                    let context = traf::Context { moof: &moof, position, base, number: trafs.len(), tracks };
                    let (traf, end) = traf::parse(&context, child.body, &mut runs)?;
                    trafs.push(traf);
                    base = end;
                }
                b"free" | b"skip" | b"uuid" | b"meta" | b"udta" => {}
                b"pssh" => return Err(Error::AlreadyEncrypted(child.kind)),
                _ => return Err(Error::UnexpectedBox(child.kind)),
            }
        }
        let sequence = sequence.ok_or(Error::MissingBox(FourCc(*b"mfhd")))?;
        sort(&mut runs, |run| run.start);
        Ok(Self { moof, sequence, trafs, runs })
    }

    /// Checks that the samples lie one after another in the `mdat` whose data begins `start` bytes after the beginning of
    /// the `moof`, and fill its `length` bytes (`None`: until the end of the stream).
    ///
    /// # Errors
    /// [`Error::DataOffset`] and [`Error::UnreferencedData`].
    pub(crate) fn lies_in(&self, start: u64, length: Option<u64>) -> Result<(), Error> {
        let mut end = start;
        let mut ordinals = vec![0_u32; self.trafs.len()];
        for run in &self.runs {
            let last = ordinals.get_mut(run.traf).ok_or_else(Error::bug)?;
            if run.start != end || run.ordinal < *last {
                return Err(Error::DataOffset);
            }
            *last = run.ordinal;
            end = end.checked_add(run.length).ok_or(Error::DataOffset)?;
        }
        match length.map(|length| start.saturating_add(length).cmp(&end)) {
            Some(core::cmp::Ordering::Less) => Err(Error::DataOffset),
            Some(core::cmp::Ordering::Greater) => Err(Error::UnreferencedData),
            _ => Ok(()),
        }
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        let runs = self.runs.capacity().saturating_mul(size_of::<Run>());
        let trafs = self.trafs.capacity().saturating_mul(size_of::<Traf>());
        self.moof.capacity().saturating_add(runs).saturating_add(trafs)
    }

    /// Whether data is found by its position in the stream.
    pub(crate) fn has_absolute_offsets(&self) -> bool {
        self.trafs.iter().any(|traf| traf.flags & traf::tfhd::BASE_DATA_OFFSET != 0)
    }

    /// The run and the traf at the cursor. `None` behind the last sample.
    pub(crate) fn run(&self, cursor: Cursor) -> Option<(&Run, &Traf)> {
        let run = self.runs.get(cursor.run)?;
        Some((run, self.trafs.get(run.traf)?))
    }

    /// The size of the sample at the cursor, in bytes. `None` behind the last sample.
    pub(crate) fn size(&self, cursor: Cursor) -> Option<u32> {
        self.runs.get(cursor.run)?.size(&self.moof, cursor.sample)
    }

    /// The cursor of the next sample.
    pub(crate) fn after(&self, cursor: Cursor) -> Cursor {
        let sample = cursor.sample.saturating_add(1);
        match self.runs.get(cursor.run) {
            Some(run) if sample < run.count => Cursor { sample, ..cursor },
            _ => Cursor { run: cursor.run.saturating_add(1), sample: 0 },
        }
    }
}

/// Sorts by a key; what has the same key stays in its order. One sort of numbers serves all types: sorts are large.
fn sort<T>(items: &mut Vec<T>, key: impl Fn(&T) -> u64) {
    if items.is_sorted_by_key(&key) {
        return;
    }
    let mut order: Vec<(u64, usize)> = items.iter().map(key).zip(0..).collect();
    order.sort_unstable();
    let mut slots: Vec<Option<T>> = take(items).into_iter().map(Some).collect();
    items.extend(order.iter().filter_map(|(_, at)| slots.get_mut(*at)?.take()));
}

/// The position of a part of the `moof`'s bytes.
pub(crate) fn position(outer: &[u8], inner: &[u8]) -> Result<Range<usize>, Error> {
    let start = inner.as_ptr().addr().checked_sub(outer.as_ptr().addr()).ok_or_else(Error::bug)?;
    let end = start.checked_add(inner.len()).filter(|end| *end <= outer.len()).ok_or_else(Error::bug)?;
    Ok(start..end)
}
