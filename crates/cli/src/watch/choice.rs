//! The part of a stream that `playlock watch` plays.

use clap::ValueEnum;

/// The variant to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VariantChoice {
    /// The first, with which players start.
    First,
    /// The one with the highest bandwidth.
    Best,
    /// The one with the lowest bandwidth.
    Least,
}

/// The part of the stream to play.
pub struct Choice {
    /// `None`: all variants and renditions.
    pub variant: Option<VariantChoice>,
    /// Maximum number of segments of each playlist.
    pub segments: usize,
    /// Segments in clear are errors.
    pub encrypted: bool,
}
