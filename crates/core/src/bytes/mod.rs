//! Bytes: encodings, ranges, and the pieces that replace a chunk.

pub mod bug;
pub mod output;
pub mod percent;
pub mod ranges;
