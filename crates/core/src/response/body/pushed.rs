//! Result of passing a chunk to a body.

use crate::bytes::output::Output;

/// Replacement for a chunk.
#[derive(Debug)]
pub enum Pushed {
    /// Bytes to send instead of the chunk.
    Out(Output),
    /// Bytes to send instead of the chunk, and the last ones.
    Last(Output),
    /// Nothing yet: the body or the batch keeps the chunk.
    Kept,
}
