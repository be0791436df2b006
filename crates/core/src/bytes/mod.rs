//! Bytes: encodings, addresses, ranges, and the pieces that replace a chunk.

pub mod bug;
pub mod cidr;
pub mod output;
pub mod percent;
pub mod ranges;
