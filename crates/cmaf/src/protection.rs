//! The protection of the samples of one `mdat`: their encryption, and `saiz`, `saio`, `senc` (ISO/IEC 23001-7 section 7).

use alloc::vec::Vec;
use core::mem::take;

use playlock_aes128::{Counter, Message};

use crate::boxes::FourCc;
use crate::samples::Range;
use crate::settings::{Scheme, Settings};
use crate::write::full;
use crate::{Error, Samples};

/// The flag of `senc`: its entries have ranges.
const WITH_RANGES: u32 = 2;

/// One sample of an `mdat`.
struct Sample {
    samples: Samples,
    /// The end of its ranges.
    ranges_end: usize,
}

/// The samples of one `mdat`, with ranges that together are its data.
pub(crate) struct Protection {
    scheme: Scheme,
    /// The number of the first sample in the stream.
    first: u64,
    ranges: Vec<Range>,
    samples: Vec<Sample>,
}

impl Protection {
    /// The protection of an `mdat` whose first sample has the number `first` in the stream.
    pub(crate) fn new(scheme: Scheme, first: u64) -> Self {
        Self { scheme, first, ranges: Vec::new(), samples: Vec::new() }
    }

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
        self.samples.push(Sample { samples, ranges_end: self.ranges.len() });
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

    /// Encrypts the data of the `mdat` in place.
    ///
    /// # Errors
    /// [`Error::TooManySamples`].
    pub(crate) fn encrypt(&self, settings: &Settings, data: &mut [u8]) -> Result<(), Error> {
        match self.scheme {
            Scheme::Cbcs { iv } => {
                for (sort, skip) in [(Samples::Nal, settings.coverage.skipped()), (Samples::Whole, 0)] {
                    if self.samples.iter().any(|sample| sample.samples == sort) {
                        let protected = self.protected(data).filter(|(_, samples, _)| *samples == sort);
                        let messages =
                            protected.map(|(_, _, bytes)| Message { chain: iv, blocks: bytes.as_chunks_mut().0 });
                        settings.key.encrypt_messages(skip.into(), messages);
                    }
                }
            }
            Scheme::Cenc { .. } => {
                let mut current = None;
                for (number, samples, bytes) in self.protected(data) {
                    let counter = match &mut current {
                        Some((of, counter)) if *of == number => counter,
                        _ => &mut current.insert((number, self.counter(number)?)).1,
                    };
                    if samples != Samples::Text {
                        counter.encrypt(&settings.key, bytes);
                    }
                }
            }
        }
        Ok(())
    }

    fn counter(&self, number: usize) -> Result<Counter, Error> {
        Ok(Counter::new(&self.iv(number)?.ok_or_else(Error::bug)?))
    }

    /// The IV of a sample, as a counter block.
    fn iv(&self, number: usize) -> Result<Option<[u8; 16]>, Error> {
        self.scheme.sample_iv(self.first.saturating_add(number as u64))
    }

    /// The protected bytes of every range, each with its sample's number and sort.
    fn protected<'a>(&'a self, mut data: &'a mut [u8]) -> impl Iterator<Item = (usize, Samples, &'a mut [u8])> {
        let samples = self.samples.iter().enumerate();
        let ranges = samples.flat_map(|(number, sample)| {
            self.ranges_of(number).iter().map(move |range| (number, sample.samples, range))
        });
        ranges.map_while(move |(number, samples, range)| {
            let protected = usize::try_from(range.protected).ok()?;
            let (_, rest) = take(&mut data).split_at_mut_checked(usize::from(range.clear))?;
            let (bytes, rest) = rest.split_at_mut_checked(protected)?;
            data = rest;
            Some((number, samples, bytes))
        })
    }

    /// Appends `saiz`, `saio` and `senc` for a track's samples with these numbers, if the track needs them: cbcs with a
    /// constant IV and without ranges does not (ISO/IEC 23000-19 section 8.2.2.1), text neither. `out` begins with the
    /// `moof`.
    ///
    /// # Errors
    /// [`Error::TooManyRanges`], [`Error::TooManySamples`].
    pub(crate) fn write(
        &self,
        samples: Samples,
        numbers: impl Iterator<Item = usize> + Clone,
        count: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let iv_len = self.scheme.sample_iv_len();
        let ranged = samples == Samples::Nal;
        if samples == Samples::Text || iv_len == 0 && !ranged {
            return Ok(());
        }
        // An entry has an IV, and where there are ranges their number and 6 bytes for each.
        let entry = |number: usize| {
            let ranges = if ranged { self.ranges_of(number).len().saturating_mul(6).saturating_add(2) } else { 0 };
            usize::from(iv_len).saturating_add(ranges)
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
                let iv = self.iv(number)?.unwrap_or_default();
                out.extend_from_slice(iv.get(..usize::from(iv_len)).unwrap_or_default());
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
