//! The protection of the samples of one `mdat`: their encryption, and `saiz`, `saio`, `senc` (ISO/IEC 23001-7 section 7).

use alloc::vec::Vec;
use core::mem::take;

use playlock_aes128::{Counter, Message};

use crate::boxes::FourCc;
use crate::iv::{GroupIv, SyntheticIvs};
use crate::samples::Range;
use crate::settings::{BLOCK, Ivs, Settings};
use crate::write::full;
use crate::{Error, Samples};

/// The flag of `senc`: its entries have ranges.
const WITH_RANGES: u32 = 2;

/// One sample of an `mdat`.
struct Sample {
    samples: Samples,
    /// The end of its ranges.
    ranges_end: usize,
    /// The number of protected blocks before it.
    blocks: u32,
}

/// The samples of one `mdat`, with ranges that together are its data.
#[derive(Default)]
pub(crate) struct Protection {
    ranges: Vec<Range>,
    samples: Vec<Sample>,
    /// The number of protected blocks: those that are begun, of each sample.
    blocks: u32,
    /// The beginning of the samples' IVs, once the data is encrypted; `None` under cbcs.
    iv: Option<GroupIv>,
}

impl Protection {
    /// Adds a sample whose ranges `ranges` appends.
    ///
    /// # Errors
    /// Those of `ranges`.
    pub(crate) fn add(
        &mut self,
        samples: Samples,
        ranges: impl FnOnce(&mut Vec<Range>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        ranges(&mut self.ranges)?;
        self.samples.push(Sample { samples, ranges_end: self.ranges.len(), blocks: self.blocks });
        let protected = self.ranges_of(self.len().saturating_sub(1)).iter().map(|range| u64::from(range.protected));
        let blocks = u32::try_from(protected.sum::<u64>().div_ceil(BLOCK as u64)).map_err(|_| Error::bug())?;
        self.blocks = self.blocks.checked_add(blocks).ok_or_else(Error::bug)?;
        Ok(())
    }

    /// The number of samples.
    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        let ranges = self.ranges.capacity().saturating_mul(size_of::<Range>());
        ranges.saturating_add(self.samples.capacity().saturating_mul(size_of::<Sample>()))
    }

    fn ranges_of(&self, number: usize) -> &[Range] {
        let end = |number: usize| self.samples.get(number).map(|sample| sample.ranges_end);
        let start = number.checked_sub(1).and_then(end).unwrap_or(0);
        end(number).and_then(|end| self.ranges.get(start..end)).unwrap_or_default()
    }

    /// Encrypts the data of the `mdat` in place, before [`Protection::write`].
    ///
    /// # Errors
    /// [`Error::Bug`].
    pub(crate) fn encrypt(&mut self, settings: &Settings, data: &mut [u8]) -> Result<(), Error> {
        match &settings.ivs {
            Ivs::Constant(iv) => {
                for (sort, skip) in [(Samples::Nal, settings.coverage.skipped()), (Samples::Whole, 0)] {
                    if self.samples.iter().any(|sample| sample.samples == sort) {
                        let protected = self.protected(data).filter(|(number, _)| self.is(*number, sort));
                        let messages =
                            protected.map(|(_, bytes)| Message { chain: *iv, blocks: bytes.as_chunks_mut().0 });
                        settings.key.encrypt_messages(skip.into(), messages);
                    }
                }
            }
            Ivs::Synthetic(ivs) => {
                let group = self.group_iv(ivs, data)?;
                let mut current = None;
                for (number, bytes) in self.protected(data) {
                    let counter = match &mut current {
                        Some((of, counter)) if *of == number => counter,
                        _ => &mut current.insert((number, Counter::new(&self.iv_of(group, number)))).1,
                    };
                    counter.encrypt(&settings.key, bytes);
                }
                self.iv = Some(group);
            }
        }
        Ok(())
    }

    /// The beginning of the IVs for this data, in clear.
    fn group_iv(&self, ivs: &SyntheticIvs, mut data: &[u8]) -> Result<GroupIv, Error> {
        let mut text = ivs.begin();
        for number in 0..self.len() {
            let mut length = 0;
            for range in self.ranges_of(number) {
                let protected = usize::try_from(range.protected).map_err(|_| Error::bug())?;
                let (_, rest) = data.split_at_checked(range.clear.into()).ok_or_else(Error::bug)?;
                let (bytes, rest) = rest.split_at_checked(protected).ok_or_else(Error::bug)?;
                text.add(bytes);
                length = u64::from(range.protected).saturating_add(length);
                data = rest;
            }
            text.end_of_sample(length);
        }
        ivs.finish(text)
    }

    fn is(&self, number: usize, sort: Samples) -> bool {
        self.samples.get(number).is_some_and(|sample| sample.samples == sort)
    }

    /// The IV of a sample.
    fn iv_of(&self, group: GroupIv, number: usize) -> [u8; BLOCK] {
        group.of_sample(self.samples.get(number).map_or(self.blocks, |sample| sample.blocks))
    }

    /// The protected bytes of every range, each with its sample's number.
    fn protected<'a>(&'a self, mut data: &'a mut [u8]) -> impl Iterator<Item = (usize, &'a mut [u8])> {
        let ranges = (0..self.len()).flat_map(|number| self.ranges_of(number).iter().map(move |range| (number, range)));
        ranges.map_while(move |(number, range)| {
            let protected = usize::try_from(range.protected).ok()?;
            let (_, rest) = take(&mut data).split_at_mut_checked(usize::from(range.clear))?;
            let (bytes, rest) = rest.split_at_mut_checked(protected)?;
            data = rest;
            Some((number, bytes))
        })
    }

    /// Appends `saiz`, `saio` and `senc` for a track's samples with these numbers, if the track needs them: cbcs with a
    /// constant IV and without ranges does not (ISO/IEC 23000-19 section 8.2.2.1), text neither. `out` begins with the
    /// `moof`.
    ///
    /// # Errors
    /// [`Error::TooManyRanges`].
    pub(crate) fn write(
        &self,
        samples: Samples,
        numbers: impl Iterator<Item = usize> + Clone,
        count: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let ranged = samples == Samples::Nal;
        if samples == Samples::Text || self.iv.is_none() && !ranged {
            return Ok(());
        }
        let iv_len = if self.iv.is_some() { BLOCK } else { 0 };
        // An entry has an IV, and where there are ranges their number and 6 bytes for each.
        let entry = |number: usize| {
            let ranges = if ranged { self.ranges_of(number).len().saturating_mul(6).saturating_add(2) } else { 0 };
            ranges.saturating_add(iv_len)
        };
        // `saiz` counts to 255: 42 ranges. Players do without it, because `senc` has everything.
        let lengths = numbers.clone().map(|number| u8::try_from(entry(number)).ok());
        if let Some(lengths) = lengths.collect::<Option<Vec<u8>>>() {
            write_saiz(&lengths, count, out)?;
            // Behind this `saio` (20 bytes), the header of `senc`, its flags and its count (16 bytes).
            let first = u32::try_from(out.len()).ok().and_then(|at| at.checked_add(36));
            let first = first.ok_or(Error::BoxTooLarge(FourCc(*b"moof")))?;
            full(out, b"saio", 0, 0, |out| {
                out.extend([1, first].into_iter().flat_map(u32::to_be_bytes));
                Ok(())
            })?;
        }
        full(out, b"senc", 0, if ranged { WITH_RANGES } else { 0 }, |out| {
            out.extend_from_slice(&count.to_be_bytes());
            for number in numbers {
                out.extend(self.iv.map(|group| self.iv_of(group, number)).iter().flatten());
                if ranged {
                    write_ranges(self.ranges_of(number), out)?;
                }
            }
            Ok(())
        })
    }
}

/// Appends a `saiz` for entries of these lengths (ISO/IEC 14496-12 section 8.7.8).
fn write_saiz(lengths: &[u8], count: u32, out: &mut Vec<u8>) -> Result<(), Error> {
    let equal = lengths.first().filter(|first| lengths.iter().all(|length| length == *first));
    full(out, b"saiz", 0, 0, |out| {
        out.push(equal.copied().unwrap_or(0));
        out.extend_from_slice(&count.to_be_bytes());
        if equal.is_none() {
            out.extend_from_slice(lengths);
        }
        Ok(())
    })
}

fn write_ranges(ranges: &[Range], out: &mut Vec<u8>) -> Result<(), Error> {
    let count = u16::try_from(ranges.len()).map_err(|_| Error::TooManyRanges)?;
    out.extend_from_slice(&count.to_be_bytes());
    for range in ranges {
        out.extend_from_slice(&range.clear.to_be_bytes());
        out.extend_from_slice(&range.protected.to_be_bytes());
    }
    Ok(())
}
