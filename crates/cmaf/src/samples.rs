//! Recognising samples by their bytes, and the ranges of a sample that are protected.

use alloc::vec::Vec;

use crate::boxes::{Children, FourCc};
use crate::settings::Coverage;
use crate::{Error, Samples};

/// The bytes of a NAL unit that stay clear after its length: its header and, as a rule, the whole slice header.
pub(crate) const LEAD: usize = 32;

/// The bytes of a NAL unit's length.
const LENGTH: usize = 4;

/// The bytes of a block.
const BLOCK: usize = 16;

/// A TTML document has its first `<` within so many bytes.
const TTML_START: usize = 64;

/// One entry of `senc`: bytes that stay clear, then bytes that are protected (ISO/IEC 23001-7 section 7.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Range {
    pub(crate) clear: u16,
    pub(crate) protected: u32,
}

/// The recognition of a track's first sample from the bytes of it that have arrived.
#[derive(Default)]
pub(crate) struct Recognition {
    /// The position up to which NAL units follow each other.
    chained: usize,
    no_nal: bool,
}

impl Recognition {
    /// The sort of a sample of `size` bytes that begins with `bytes`. `None`: more bytes are needed.
    ///
    /// It depends on the sample only, not on the sizes of the pieces in which the sample arrives: whole samples are those
    /// that are neither text nor NAL units.
    pub(crate) fn look(&mut self, bytes: &[u8], size: usize) -> Option<Samples> {
        if !self.no_nal {
            self.no_nal = !self.follow(bytes, size)?;
        }
        let complete = bytes.len() >= size;
        match (may_be_text(bytes, complete), self.no_nal) {
            (true, _) if !complete => None,
            (true, _) if is_text(bytes) => Some(Samples::Text),
            (_, true) => Some(Samples::Whole),
            _ => Some(Samples::Nal),
        }
    }

    /// Follows the NAL units: whether they end with the sample. `None`: more bytes are needed.
    fn follow(&mut self, bytes: &[u8], size: usize) -> Option<bool> {
        while self.chained < size {
            let left = size.saturating_sub(self.chained);
            let rest = bytes.get(self.chained..).unwrap_or_default();
            let Some(&[a, b, c, d, header]) = rest.first_chunk() else {
                return if left > LENGTH { None } else { Some(false) };
            };
            let whole = whole_nal([a, b, c, d]).filter(|whole| *whole <= left);
            // The first bit of a NAL unit is 0 in all codecs.
            let Some(whole) = whole.filter(|_| header & 0x80 == 0) else { return Some(false) };
            self.chained = self.chained.saturating_add(whole);
        }
        (bytes.len() >= size).then_some(true)
    }
}

/// The length of a NAL unit with its length field. `None` for an empty one.
fn whole_nal(length: [u8; LENGTH]) -> Option<usize> {
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    if length == 0 { None } else { length.checked_add(LENGTH) }
}

/// Whether a sample that begins with `bytes` may be text.
fn may_be_text(bytes: &[u8], complete: bool) -> bool {
    match bytes.get(4..8) {
        Some(kind) if is_cue(kind) => return true,
        None if !complete => return true,
        _ => {}
    }
    let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let start = start.get(..TTML_START.min(start.len())).unwrap_or_default();
    match start.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(first) => *first == b'<',
        None => start.len() < TTML_START,
    }
}

/// Whether a whole sample is text: boxes of WebVTT (ISO/IEC 14496-30 section 7) or a TTML document (section 5).
pub(crate) fn is_text(sample: &[u8]) -> bool {
    is_webvtt(sample) || is_ttml(sample)
}

fn is_cue(kind: &[u8]) -> bool {
    [b"vttc", b"vtte", b"vtta"].iter().any(|cue| *cue == kind)
}

fn is_webvtt(sample: &[u8]) -> bool {
    let cue = |child: Result<crate::boxes::Child<'_>, Error>| child.is_ok_and(|child| is_cue(&child.kind.0));
    !sample.is_empty() && Children::of(sample, FourCc(*b"mdat")).all(cue)
}

fn is_ttml(sample: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(sample) else { return false };
    let start = text.trim_start_matches('\u{FEFF}').trim_ascii_start();
    let plain = |byte: u8| byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r');
    start.starts_with('<') && text.bytes().all(plain) && (text.contains("<tt") || text.contains(":tt"))
}

/// Appends the ranges of a sample of NAL units: of each its length and the next [`LEAD`] bytes stay clear, and the rest is
/// protected, of all types, if it is a block or more. With a share, protected ranges are whole blocks (ISO/IEC 23001-7
/// section 9.5.2), and only that share of them.
///
/// # Errors
/// [`Error::NalBeyondSample`] if the NAL units do not end with the sample; [`Error::TooManyRanges`].
pub(crate) fn nal_ranges(sample: &[u8], share: Option<Coverage>, ranges: &mut Vec<Range>) -> Result<(), Error> {
    let begin = ranges.len();
    let mut clear = 0_usize;
    let mut rest = sample;
    while !rest.is_empty() {
        let length = rest.first_chunk().ok_or(Error::NalBeyondSample)?;
        let whole = whole_nal(*length).ok_or(Error::NalBeyondSample)?;
        rest = rest.get(whole..).ok_or(Error::NalBeyondSample)?;
        let behind_lead = whole.saturating_sub(LENGTH + LEAD);
        let aligned = behind_lead / BLOCK * BLOCK;
        // The bytes that could be protected, and how many of them are.
        let (behind, protected) = match share {
            None => (behind_lead, behind_lead),
            Some(share) => (aligned, share.of(aligned / BLOCK).saturating_mul(BLOCK)),
        };
        if aligned == 0 {
            clear = clear.saturating_add(whole);
        } else {
            push(ranges, clear.saturating_add(whole.saturating_sub(behind)), protected)?;
            clear = behind.saturating_sub(protected);
        }
    }
    if clear > 0 {
        push(ranges, clear, 0)?;
    }
    let count = ranges.len().saturating_sub(begin);
    if count > usize::from(u16::MAX) { Err(Error::TooManyRanges) } else { Ok(()) }
}

/// Appends one range, after others without protected bytes if the clear bytes do not fit into 16 bits.
///
/// # Errors
/// [`Error::SampleTooLarge`] if the protected bytes do not fit into 32 bits.
pub(crate) fn push(ranges: &mut Vec<Range>, mut clear: usize, protected: usize) -> Result<(), Error> {
    let protected = u32::try_from(protected).map_err(|_| Error::SampleTooLarge(u32::MAX))?;
    loop {
        match u16::try_from(clear) {
            Ok(clear) => {
                ranges.push(Range { clear, protected });
                return Ok(());
            }
            Err(_) => ranges.push(Range { clear: u16::MAX, protected: 0 }),
        }
        clear = clear.saturating_sub(usize::from(u16::MAX));
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn nal(size: usize) -> Vec<u8> {
        let length = u32::try_from(size).unwrap().to_be_bytes();
        [&length[..], &vec![0x25; size]].concat()
    }

    fn sort(sample: &[u8]) -> Option<Samples> {
        // In pieces of every size, with the same result.
        let results = (1..=sample.len().max(1)).map(|piece| {
            let mut recognition = Recognition::default();
            (0..=sample.len()).step_by(piece).chain([sample.len()]).find_map(|end| {
                let bytes = sample.get(..end).unwrap();
                recognition.look(bytes, sample.len())
            })
        });
        let results: Vec<_> = results.collect();
        assert!(results.iter().all(|result| result == results.first().unwrap()), "{results:?}");
        *results.first().unwrap()
    }

    #[test]
    fn samples_are_recognised_by_their_bytes() {
        let ttml = "\u{FEFF} \n<?xml version=\"1.0\"?><tt xmlns=\"http://www.w3.org/ns/ttml\"/>";
        let cues = b"\0\0\0\x10vttc\0\0\0\x08payl\0\0\0\x08vtte";
        let table: &[(&[u8], Samples)] = &[
            (&nal(1), Samples::Nal),
            (&[nal(2), nal(100), nal(5)].concat(), Samples::Nal),
            (&[nal(2), nal(100), nal(5), vec![0]].concat(), Samples::Whole),
            (&[nal(2), vec![0, 0, 0, 0]].concat(), Samples::Whole),
            (&[0, 0, 0, 1, 0x80], Samples::Whole),
            (&[0], Samples::Whole),
            (b"\0\0\0\0", Samples::Whole),
            (b"\x21\x10\x04\x60\x8c\x1c", Samples::Whole),
            (ttml.as_bytes(), Samples::Text),
            (b"<tt>\0</tt>", Samples::Whole),
            (b"<svg></svg>", Samples::Whole),
            (&[b' '; 100], Samples::Whole),
            (cues, Samples::Text),
            (&[cues, &b"\0\0\0\x08mdat"[..]].concat(), Samples::Whole),
            (b"\0\0\0\x09vtte", Samples::Whole),
        ];
        for (sample, expected) in table {
            assert_eq!(sort(sample), Some(*expected), "{}", sample.escape_ascii());
        }
    }

    fn ranges(sample: &[u8], share: Option<u8>) -> Vec<(u16, u32)> {
        let mut ranges = Vec::new();
        nal_ranges(sample, share.map(|share| Coverage::percent(share).unwrap()), &mut ranges).unwrap();
        ranges.iter().map(|range| (range.clear, range.protected)).collect()
    }

    #[test]
    fn ranges_by_nal_lengths() {
        assert_eq!(ranges(&nal(LEAD + 15), None), [(51, 0)]);
        assert_eq!(ranges(&nal(LEAD + 16), None), [(36, 16)]);
        assert_eq!(ranges(&[nal(6), nal(132), nal(4)].concat(), None), [(46, 100), (8, 0)]);
        assert_eq!(ranges(&[nal(6), nal(132), nal(4)].concat(), Some(100)), [(50, 96), (8, 0)]);
        assert_eq!(ranges(&nal(20).repeat(5000), None), [(65535, 0), (54465, 0)]);
        assert_eq!(ranges(b"", None), []);
        // A share of them, from the first one on; what stays clear behind it is the beginning of the next range.
        assert_eq!(ranges(&nal(LEAD + 15), Some(1)), [(51, 0)]);
        assert_eq!(ranges(&nal(LEAD + 16), Some(1)), [(36, 16)]);
        assert_eq!(ranges(&[nal(6), nal(132), nal(4)].concat(), Some(50)), [(50, 48), (56, 0)]);
        assert_eq!(ranges(&[nal(132), nal(132)].concat(), Some(10)), [(40, 16), (120, 16), (80, 0)]);
        assert_eq!(ranges(&nal(LEAD + 160_000), Some(10)), [(36, 16_000), (u16::MAX, 0), (u16::MAX, 0), (12_930, 0)]);
    }

    #[test]
    fn nal_units_end_with_their_sample() {
        for sample in [&b"\0\0\0\x02a"[..], b"\0\0\0", b"\0\0\0\0", b"\xFF\xFF\xFF\xFFabc", b"\0\0\0\x01a\0"] {
            assert_eq!(nal_ranges(sample, None, &mut Vec::new()), Err(Error::NalBeyondSample));
        }
        assert_eq!(nal_ranges(&nal(48).repeat(65_536), None, &mut Vec::new()), Err(Error::TooManyRanges));
    }
}
