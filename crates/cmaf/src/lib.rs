//! Sample encryption of fragmented MP4 as a stream: the bytes of an init segment, a media segment or a whole fragmented file
//! go in, chunk by chunk, and come out under Common Encryption.
//!
//! Sources: ISO/IEC 14496-12 (boxes), ISO/IEC 14496-15 (NAL units), ISO/IEC 14496-30 (text), ISO/IEC 23000-19 (CMAF),
//! ISO/IEC 23001-7 (Common Encryption).
//!
//! # Schemes
//!
//! - **cbcs** ([`Scheme::Cbcs`]): AES-128-CBC with a constant IV. In AVC, HEVC and VVC each NAL unit is a message of its own:
//!   its length and the next 32 bytes stay clear, and of the rest one block in ten is encrypted, or more
//!   ([`Settings::with_coverage`]). All other samples are encrypted from the first block to the last whole one.
//! - **cenc** ([`Scheme::Cenc`]): AES-128-CTR with an IV for each sample, which follows from the bytes that it encrypts.
//!   Ranges as above, in whole blocks, but every byte of them. With less coverage, a range ends before its NAL unit does.
//!
//! # Boxes
//!
//! | box | |
//! |---|---|
//! | `moov` | sample entries become `encv` and `enca`; `pssh` boxes are appended; everything else stays |
//! | `moof`, `mdat` of audio, AV1, VP8, VP9 under cbcs | `moof` stays byte for byte, and `mdat` keeps its length; constant memory |
//! | the same under cenc; of AVC, HEVC, VVC; of several tracks | several `moof` and `mdat` with groups of samples |
//! | `moof`, `mdat` of WebVTT and TTML | stay |
//! | `styp`, `emsg`, `prft`, `free` and others around media | stay |
//! | `sidx`, `ssix`, `mfra` | stay where all lengths do; otherwise they leave the stream, for they would lie |
//! | anything else | refused |
//!
//! A group ends before the sample with which it would pass [`GROUP`] bytes, and with its fragment: a stream holds [`GROUP`]
//! bytes or the largest sample, whichever is more, and a `moof`. A low-latency chunk leaves when its last byte has come.
//!
//! # Samples are recognised by their bytes
//!
//! A media segment does not say what its samples are. The first sample of a track decides. It consists of NAL units if their
//! lengths of 4 bytes lead to the sample's end, and of text if it is a chain of WebVTT boxes or a TTML document. Every later
//! sample is checked: NAL units that do not end with their sample and text that is none are errors. All other samples are
//! encrypted as a whole. The types of NAL units are not looked at, so that no codec has to be known: SEI messages and
//! parameter sets longer than 48 bytes are encrypted too.
//!
//! # Failing closed
//!
//! Nothing leaves before it is known how it is protected, and bytes of `mdat` that belong to no sample are an error. After an
//! [`Error`] the stream has to be reset: a prefix of it may be out.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod boxes;
mod context;
mod encryptor;
mod error;
mod fragment;
mod group;
mod init;
mod iv;
mod media;
mod output;
mod protection;
mod samples;
mod settings;
mod whole;
mod write;

pub use boxes::FourCc;
pub use encryptor::Encryptor;
pub use error::Error;
pub use iv::IV_SECRET;
pub use output::{Output, Parts};
pub use settings::{Coverage, Samples, Scheme, Settings, Track, common_pssh};

/// Bytes of samples that leave together at most, unless a single sample is larger.
pub const GROUP: usize = 65_536;

/// The largest box that is held, in bytes: `moov`, `moof`, `sidx`, and boxes behind a `sidx`.
pub const MAX_BOX: usize = 1 << 20;

/// The largest sample that is held, in bytes. Samples that stream may be larger.
pub const MAX_SAMPLE: usize = 16 << 20;

/// Tracks of a stream.
pub const MAX_TRACKS: usize = 64;
