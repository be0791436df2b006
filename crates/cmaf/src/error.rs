//! The closed list of reasons to refuse a stream.

use core::fmt;

use crate::boxes::FourCc;

/// The reason to refuse a stream. Bytes that came out before are encrypted as far as they have to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The stream ends within a box, or before all samples that a fragment announces.
    Truncated,
    /// The size of this box is below its header's, or reaches beyond the box around it; or this box ends with bytes that
    /// are no box.
    BoxSize(FourCc),
    /// A box that is held in memory is larger than [`crate::MAX_BOX`].
    BoxTooLarge(FourCc),
    /// This box must not be here, or is not understood.
    UnexpectedBox(FourCc),
    /// This box is missing.
    MissingBox(FourCc),
    /// There are two of this box.
    DuplicateBox(FourCc),
    /// The fields of this box contradict each other or end too early.
    Malformed(FourCc),
    /// The `moov` box describes samples itself, or has no `mvex`.
    NotFragmented,
    /// The stream is already encrypted: it has this box or sample entry.
    AlreadyEncrypted(FourCc),
    /// A sample entry whose samples cannot be recognised.
    UnknownCodec(FourCc),
    /// The lengths of the NAL units have this many bytes instead of 4.
    NalLengthSize(u8),
    /// The sizes of this track's samples are in the init segment, which is not known.
    SizesInInit(u32),
    /// The durations of this track's samples are in the init segment, which is not known.
    DurationsInInit(u32),
    /// The offsets of a fragment's samples do not lie one after another in the fragment's `mdat`.
    DataOffset,
    /// An `mdat` has bytes that belong to no sample.
    UnreferencedData,
    /// The NAL units of a video sample do not end with it.
    NalBeyondSample,
    /// A text track's sample is neither WebVTT boxes nor a TTML document.
    NotText,
    /// A sample that has to be held is larger than [`crate::MAX_SAMPLE`].
    SampleTooLarge(u32),
    /// A video sample has more than 65,535 protected ranges.
    TooManyRanges,
    /// The stream has more tracks than [`crate::MAX_TRACKS`].
    TooManyTracks,
    /// A decode time above 2⁶⁴ − 1.
    TimeOverflow,
    /// An index (`sidx`) without media: its sizes are those of the plain stream.
    IndexOnly,
    /// A condition does not hold that the code relies on.
    Bug,
}

impl Error {
    /// Reports a bug: panics in tests and under fuzzing.
    #[cold]
    #[track_caller]
    #[expect(clippy::assertions_on_constants, reason = "it is for some builds only")]
    pub(crate) fn bug() -> Self {
        assert!(!cfg!(any(debug_assertions, fuzzing)), "a condition does not hold that the code relies on");
        Self::Bug
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => {
                f.write_str("end of the stream: within a box or a sample; expected whole boxes and samples")
            }
            Self::BoxSize(kind) => {
                write!(f, "`{kind}`: a size that does not fit; expected one within the box around it")
            }
            Self::BoxTooLarge(kind) => write!(f, "`{kind}`: larger than {} bytes; expected less", crate::MAX_BOX),
            Self::UnexpectedBox(kind) => write!(f, "`{kind}`: a box that is not understood here; expected CMAF"),
            Self::MissingBox(kind) => write!(f, "`{kind}`: missing; expected one"),
            Self::DuplicateBox(kind) => write!(f, "`{kind}`: two boxes; expected one"),
            Self::Malformed(kind) => {
                write!(f, "`{kind}`: fields that contradict each other; expected ISO/IEC 14496-12")
            }
            Self::NotFragmented => {
                f.write_str("`moov`: samples, or no `mvex`; expected a fragmented file's init segment")
            }
            Self::AlreadyEncrypted(kind) => write!(f, "`{kind}`: already encrypted; expected a stream in clear"),
            Self::UnknownCodec(kind) => write!(
                f,
                "`stsd`: the sample entry `{kind}`; expected AVC, HEVC, VVC, AV1, VP8, VP9, audio, wvtt or stpp"
            ),
            Self::NalLengthSize(size) => write!(f, "`stsd`: NAL lengths of {size} bytes; expected 4"),
            Self::SizesInInit(track) => {
                write!(f, "`moof`: no sample sizes for track {track}; expected them in `tfhd` or `trun`")
            }
            Self::DurationsInInit(track) => {
                write!(f, "`moof`: no sample durations for track {track}; expected them in `tfhd` or `trun`")
            }
            Self::DataOffset => {
                f.write_str("`trun`: data outside the next `mdat` or not in order; expected the samples of one `mdat`")
            }
            Self::UnreferencedData => f.write_str("`mdat`: bytes that belong to no sample; expected samples only"),
            Self::NalBeyondSample => {
                f.write_str("`mdat`: NAL units that do not end with their sample; expected lengths that add up")
            }
            Self::NotText => {
                f.write_str("`mdat`: a text track's sample that is no text; expected WebVTT boxes or TTML")
            }
            Self::SampleTooLarge(size) => {
                write!(f, "`trun`: a sample of {size} bytes; expected at most {}", crate::MAX_SAMPLE)
            }
            Self::TooManyRanges => f.write_str("`mdat`: more than 65535 NAL units in a sample; expected fewer"),
            Self::TooManyTracks => write!(f, "`tfhd`: too many track IDs; expected at most {}", crate::MAX_TRACKS),
            Self::TimeOverflow => f.write_str("`tfdt`: a decode time that overflows; expected less than 2^64"),
            Self::IndexOnly => f.write_str("`sidx`: an index without media; expected fragments behind it"),
            Self::Bug => f.write_str("playlock-cmaf: a position that cannot be; expected none (please report this)"),
        }
    }
}

impl core::error::Error for Error {}
