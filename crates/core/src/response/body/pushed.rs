//! The result of handing a chunk to a body.

use crate::bytes::output::Output;

/// What becomes of a chunk.
#[derive(Debug)]
pub enum Pushed {
    /// This goes out in its place.
    Out(Output),
    /// This goes out in its place, and nothing after it.
    Last(Output),
    /// It is kept for now, here or in the batch.
    Kept,
}
