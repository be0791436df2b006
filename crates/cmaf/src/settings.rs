//! The key and the scheme of a stream's encryption, and the IVs of its samples.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use playlock_aes128::Key;

use crate::iv::{IV_SECRET, SyntheticIvs};

/// Bytes of a key, a key ID and a constant IV.
pub const BLOCK: usize = 16;

/// The protection scheme (ISO/IEC 23001-7 section 10).
#[derive(Clone, Copy)]
pub enum Scheme<'a> {
    /// AES-128-CBC with one IV for every sample, or every protected range of a sample. In video a pattern chooses the
    /// blocks, one in ten by default.
    Cbcs {
        /// The constant IV, which `tenc` carries.
        iv: [u8; BLOCK],
    },
    /// AES-128-CTR with an IV of 16 bytes for each sample, which `senc` carries. It follows from the bytes that are encrypted.
    Cenc {
        /// The secret from which IVs are made: for each key another one, which nobody gets who may choose content.
        secret: &'a [u8; IV_SECRET],
    },
}

/// The IVs of samples.
pub(crate) enum Ivs {
    /// One for all, under cbcs.
    Constant([u8; BLOCK]),
    /// Under cenc.
    Synthetic(Box<SyntheticIvs>),
}

/// Everything that the encryption of a stream needs.
pub struct Settings {
    pub(crate) key: Key,
    pub(crate) kid: [u8; BLOCK],
    pub(crate) ivs: Ivs,
    pub(crate) coverage: Coverage,
    pub(crate) pssh: Vec<u8>,
    pub(crate) tracks: Vec<Track>,
}

impl Settings {
    /// Settings with this content key and key ID, and the scheme's own coverage: 10 % under cbcs, all under cenc.
    pub fn new(key: &[u8; BLOCK], kid: [u8; BLOCK], scheme: Scheme<'_>) -> Self {
        let (ivs, coverage) = match scheme {
            Scheme::Cbcs { iv } => (Ivs::Constant(iv), Coverage::LEAST_CBCS),
            Scheme::Cenc { secret } => (Ivs::Synthetic(Box::new(SyntheticIvs::new(secret))), Coverage::ALL),
        };
        Self { key: Key::new(key), kid, ivs, coverage, pssh: Vec::new(), tracks: Vec::new() }
    }

    /// Sets how much of NAL units is encrypted. An init segment and its media segments need the same coverage under cbcs.
    #[must_use]
    pub fn with_coverage(mut self, coverage: Coverage) -> Self {
        self.coverage = coverage;
        self
    }

    /// The part of a NAL unit behind its lead that becomes a protected range. `None`: all of it, and the pattern chooses
    /// blocks.
    pub(crate) fn protected_share(&self) -> Option<Coverage> {
        match self.ivs {
            Ivs::Constant(_) => None,
            Ivs::Synthetic(_) => Some(self.coverage),
        }
    }

    /// Appends whole `pssh` boxes, such as [`common_pssh`], to the end of the init segment's `moov`.
    #[must_use]
    pub fn with_pssh(mut self, boxes: &[u8]) -> Self {
        self.pssh.extend_from_slice(boxes);
        self
    }

    /// Gives what the init segment says about the tracks ([`crate::Encryptor::tracks`]), for media segments that omit it.
    #[must_use]
    pub fn with_tracks(mut self, tracks: &[Track]) -> Self {
        self.tracks = tracks.to_vec();
        self
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings([redacted])")
    }
}

/// The facts known about a track from its init segment or from the fragments so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Track {
    /// The track ID.
    pub id: u32,
    /// The sort of samples, if it is known.
    pub samples: Option<Samples>,
    /// The default duration of a sample in the track's timescale (`trex`), unless 0.
    pub duration: Option<u32>,
    /// The default size of a sample in bytes (`trex`), unless 0.
    pub size: Option<u32>,
}

/// The sort of a track's samples, which decides how they are protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Samples {
    /// Chains of NAL units with lengths of four bytes (AVC, HEVC, VVC): a protected range in each NAL unit.
    Nal,
    /// Audio and video of other codecs: protected from the first byte to the last.
    Whole,
    /// WebVTT and TTML: clear, because players read them themselves.
    Text,
}

/// The share of the blocks of NAL units that is encrypted, of those behind the lead that stays clear: at least so many
/// percent. Other samples are encrypted as a whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Coverage(u8);

impl Coverage {
    /// Every block.
    pub const ALL: Self = Self(100);
    /// The least under cbcs, one block in ten: the pattern that the standard recommends (ISO/IEC 23001-7 section 10.4).
    pub const LEAST_CBCS: Self = Self(10);

    /// A share in percent, from 1 to 100.
    pub fn percent(share: u8) -> Option<Self> {
        (1..=100).contains(&share).then_some(Self(share))
    }

    /// The number of blocks that stay clear after each encrypted block under cbcs, 0 to 9: the most that leave this share
    /// encrypted.
    ///
    /// The pattern encrypts single blocks. Players disagree on a longer run that the end of a range cuts short: by the
    /// standard it is encrypted (section 9.6), and Shaka Packager decrypts it, but ffmpeg takes it for clear.
    pub fn skipped(self) -> u8 {
        100_u8.checked_div(self.0).unwrap_or(1).saturating_sub(1).min(9)
    }

    /// The number of blocks to encrypt of so many: under cenc from the first one on.
    pub(crate) fn of(self, blocks: usize) -> usize {
        blocks.saturating_mul(usize::from(self.0)).div_ceil(100).min(blocks)
    }
}

impl fmt::Debug for Scheme<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cbcs { .. } => "Cbcs",
            Self::Cenc { .. } => "Cenc([redacted])",
        })
    }
}

/// The `pssh` box of the W3C's common format (system 1077efec-c0b2-4d02-ace3-3c1e52e2fb4b) with these key IDs.
///
/// Source: W3C, "cenc" Initialization Data Format, section 4; ISO/IEC 23001-7 section 8.1.
pub fn common_pssh(kids: &[[u8; BLOCK]]) -> Vec<u8> {
    const SYSTEM: [u8; BLOCK] = 0x1077_efec_c0b2_4d02_ace3_3c1e_52e2_fb4b_u128.to_be_bytes();
    let kids = kids.get(..kids.len().min(usize::from(u8::MAX))).unwrap_or_default();
    let count = u32::try_from(kids.len()).unwrap_or_default();
    // Header, version and flags, system, count, key IDs, and no data.
    let size = 36_u32.saturating_add(count.saturating_mul(16));
    let fields: [&[u8]; 7] =
        [&size.to_be_bytes(), b"pssh", &[1, 0, 0, 0], &SYSTEM, &count.to_be_bytes(), kids.as_flattened(), &[0; 4]];
    fields.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every percentage: the share that the pattern encrypts, and the bounds of it.
    #[test]
    fn a_pattern_encrypts_the_share_or_a_little_more() {
        let table = [
            (1, 9),
            (9, 9),
            (10, 9),
            (11, 8),
            (12, 7),
            (13, 6),
            (14, 6),
            (15, 5),
            (16, 5),
            (17, 4),
            (20, 4),
            (21, 3),
            (25, 3),
            (26, 2),
            (30, 2),
            (33, 2),
            (34, 1),
            (50, 1),
            (51, 0),
            (75, 0),
            (99, 0),
            (100, 0),
        ];
        for (share, skipped) in table {
            assert_eq!(Coverage::percent(share).unwrap().skipped(), skipped, "{share}");
        }
        for share in 1..=100_u8 {
            let skipped = u32::from(Coverage::percent(share).unwrap().skipped());
            // At least the share, and one block less in the pattern would be too few.
            assert!(100 >= u32::from(share) * (skipped + 1) || share > 50 && skipped == 0, "{share}");
            assert!(skipped == 9 || 100 < u32::from(share) * (skipped + 2), "{share}");
        }
        assert_eq!([0, 101, 255].map(Coverage::percent), [None; 3]);
        assert_eq!(Coverage::LEAST_CBCS.skipped(), 9);
        assert_eq!(Coverage::ALL.skipped(), 0);
    }

    #[test]
    fn a_share_of_blocks_is_rounded_up() {
        for (share, blocks, expected) in [
            (10, 0, 0),
            (10, 1, 1),
            (10, 10, 1),
            (10, 11, 2),
            (50, 3, 2),
            (99, 100, 99),
            (100, 7, 7),
            (1, 1 << 20, 10_486),
        ] {
            assert_eq!(Coverage::percent(share).unwrap().of(blocks), expected, "{share} of {blocks}");
        }
        assert_eq!(Coverage::ALL.of(usize::MAX / 200), usize::MAX / 200);
    }
}
