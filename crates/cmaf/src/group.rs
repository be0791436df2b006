//! Whole samples of a fragment, held until they leave as a `moof` and an `mdat` of their own: the ranges of NAL units and the IVs
//! of cenc, which are in the `moof`, depend on the data.

use alloc::vec::Vec;
use core::mem::take;

use crate::fragment::{Cursor, Fragment, Part, Time, rebuild};
use crate::output::Output;
use crate::protection::Protection;
use crate::samples::{Recognition, is_text, nal_ranges, push};
use crate::settings::Settings;
use crate::{Error, GROUP, MAX_SAMPLE, Samples};

/// The bytes of a new `mdat`'s header.
const MDAT_HEADER: u32 = 8;

/// The samples of a fragment, group by group. A group ends before the sample with which it would pass [`GROUP`] bytes.
pub(crate) struct Group {
    /// The samples of this group.
    data: Vec<u8>,
    /// The bytes of `data` that are whole samples.
    complete: usize,
    parts: Vec<Part>,
    protection: Protection,
    /// The sample that is arriving.
    cursor: Cursor,
    /// The number of the next group.
    number: u32,
    clocks: Vec<Clock>,
}

/// The position in a traf's samples.
#[derive(Clone, Copy)]
struct Clock {
    /// The number of the next sample.
    index: u32,
    /// Its decode time, if the traf has a `tfdt`.
    time: Option<Time>,
    /// Whether the decode time is known: durations were.
    known: bool,
}

impl Group {
    /// Begins with a fragment's first sample, of which `data` has come.
    pub(crate) fn new(fragment: &Fragment, data: Vec<u8>) -> Self {
        let clocks = fragment.trafs.iter().map(|traf| Clock { index: 0, time: traf.time, known: true });
        Self {
            data,
            complete: 0,
            parts: Vec::new(),
            protection: Protection::default(),
            cursor: Cursor::default(),
            number: 0,
            clocks: clocks.collect(),
        }
    }

    /// Whether all samples are complete.
    pub(crate) fn is_done(&self, fragment: &Fragment) -> bool {
        fragment.size(self.cursor).is_none()
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        let parts = self.parts.capacity().saturating_mul(size_of::<Part>());
        let clocks = self.clocks.capacity().saturating_mul(size_of::<Clock>());
        [self.data.capacity(), parts, clocks, self.protection.held()].into_iter().fold(0, usize::saturating_add)
    }

    /// Takes the fragment's next bytes, and appends the groups that they complete to `out`.
    ///
    /// # Errors
    /// [`Error::UnreferencedData`] behind the last sample, and all that concern samples.
    pub(crate) fn feed(
        &mut self,
        fragment: &mut Fragment,
        settings: &Settings,
        mut bytes: &[u8],
        out: &mut Output,
    ) -> Result<(), Error> {
        while let Some(size) = fragment.size(self.cursor) {
            let end = self.complete.saturating_add(sample_size(size)?);
            let missing = end.saturating_sub(self.data.len());
            let (now, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
            if !now.is_empty() {
                if self.data.capacity() < self.data.len().saturating_add(now.len()) {
                    let group = self.end_of_group(fragment, end);
                    reserve(&mut self.data, now.len(), group);
                }
                self.data.extend_from_slice(now);
                bytes = rest;
            }
            if self.data.len() < end {
                return Ok(());
            }
            self.add(fragment, settings, end)?;
            self.cursor = fragment.after(self.cursor);
            let next = fragment.size(self.cursor).and_then(|size| usize::try_from(size).ok());
            if next.is_none_or(|next| end.saturating_add(next) > GROUP) {
                self.leave(fragment, settings, out)?;
            }
        }
        if bytes.is_empty() { Ok(()) } else { Err(Error::UnreferencedData) }
    }

    /// The end of the group whose current sample ends at `end`, looking ahead a few samples at most.
    fn end_of_group(&self, fragment: &Fragment, mut end: usize) -> usize {
        let mut cursor = self.cursor;
        while end < GROUP {
            cursor = fragment.after(cursor);
            let Some(size) = fragment.size(cursor).and_then(|size| usize::try_from(size).ok()) else { break };
            if size == 0 || end.saturating_add(size) > GROUP {
                break;
            }
            end = end.saturating_add(size);
        }
        end
    }

    /// Adds the sample at the cursor, whose data end at `end`, to the group.
    fn add(&mut self, fragment: &mut Fragment, settings: &Settings, end: usize) -> Result<(), Error> {
        let sample = self.data.get(self.complete..end).ok_or_else(Error::bug)?;
        let (run, traf) = fragment.run(self.cursor).ok_or_else(Error::bug)?;
        let known =
            traf.samples.or_else(|| Recognition::default().look(sample, sample.len()).filter(|_| !sample.is_empty()));
        let samples = known.unwrap_or(Samples::Whole);
        let number = self.protection.len();
        self.protection.add(samples, |ranges| match samples {
            Samples::Nal => nal_ranges(sample, settings.protected_share(), ranges),
            Samples::Whole => push(ranges, 0, sample.len()),
            Samples::Text if is_text(sample) || sample.is_empty() => push(ranges, sample.len(), 0),
            Samples::Text => Err(Error::NotText),
        })?;

        let clock = self.clocks.get_mut(run.traf).ok_or_else(Error::bug)?;
        let Cursor { run: run_number, sample: first } = self.cursor;
        match self.parts.last_mut() {
            Some(part) if part.run == run_number => {
                part.count = part.count.saturating_add(1);
                part.samples.end = number.saturating_add(1);
            }
            _ => {
                if clock.time.is_some() && !clock.known {
                    return Err(Error::DurationsInInit(traf.track));
                }
                self.parts.push(Part {
                    run: run_number,
                    traf: run.traf,
                    first,
                    count: 1,
                    offset: u32::try_from(self.complete).map_err(|_| Error::bug())?,
                    time: clock.time,
                    index: clock.index,
                    samples: number..number.saturating_add(1),
                });
            }
        }
        clock.index = clock.index.saturating_add(1);
        match run.duration(&fragment.moof, first).or(traf.duration) {
            Some(duration) => {
                if let Some(time) = &mut clock.time {
                    time.value = time.value.checked_add(u64::from(duration)).ok_or(Error::TimeOverflow)?;
                }
            }
            None => clock.known = false,
        }
        let traf = run.traf;
        self.complete = end;
        if let Some(traf) = fragment.trafs.get_mut(traf) {
            traf.samples = known;
        }
        Ok(())
    }

    /// Encrypts the group and appends it to `out`.
    fn leave(&mut self, fragment: &Fragment, settings: &Settings, out: &mut Output) -> Result<(), Error> {
        let mut protection = take(&mut self.protection);
        let mut data = take(&mut self.data);
        protection.encrypt(settings, &mut data)?;
        let mut head = rebuild(fragment, take(&mut self.parts), &protection, self.number, MDAT_HEADER)?;
        let size = u32::try_from(data.len()).ok().and_then(|length| length.checked_add(MDAT_HEADER));
        head.extend_from_slice(&size.ok_or_else(Error::bug)?.to_be_bytes());
        head.extend_from_slice(b"mdat");
        out.copy(&head);
        out.hand_over(data, 0);
        self.number = self.number.wrapping_add(1);
        self.complete = 0;
        Ok(())
    }
}

/// The size of a sample that has to be held.
///
/// # Errors
/// [`Error::SampleTooLarge`] above [`MAX_SAMPLE`].
pub(crate) fn sample_size(size: u32) -> Result<usize, Error> {
    usize::try_from(size).ok().filter(|size| *size <= MAX_SAMPLE).ok_or(Error::SampleTooLarge(size))
}

/// Makes room for `more` bytes of data that will have `whole`: doubling, so that a size that lies costs nothing, but never
/// beyond `whole`, so that nothing is held in vain.
pub(crate) fn reserve(data: &mut Vec<u8>, more: usize, whole: usize) {
    let needed = data.len().saturating_add(more);
    if data.capacity() < needed {
        let room = whole.min(needed.saturating_mul(2).max(GROUP)).max(needed);
        data.reserve_exact(room.saturating_sub(data.len()));
    }
}
