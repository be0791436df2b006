//! What the proxy tells an exchange, and the steps that it is asked to take.

use crate::bytes::output::Output;
pub use crate::http::message::{Call, HeaderEdits, Request};
use crate::http::reply::{Reason, Reply};

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestStep {
    /// Send it to the origin with these changes.
    Forward(HeaderEdits),
    /// Answer it here; it never reaches the origin.
    Reply(Reply),
    /// Hold it and ask an upstream; what comes of it goes to [`crate::exchange::Exchange::on_answer`].
    Ask(Call),
}

/// What to do with a response's headers.
#[derive(Debug, PartialEq, Eq)]
pub enum HeadStep {
    /// Let them go with these changes.
    Forward(HeaderEdits),
    /// Make these changes and hold the headers until the first body step that is not [`BodyStep::Hold`].
    Hold(HeaderEdits),
    /// Answer this in place of the origin's response.
    Reply(Reply),
}

/// What to do with a chunk of a response's body.
#[derive(Debug)]
pub enum BodyStep {
    /// Let it go as it is.
    Forward,
    /// Send these bytes (perhaps none) in its place.
    Replace(Output),
    /// The headers are still held, and these bytes are the whole body: set `content-length` to how many they are, and send
    /// them in its place.
    Whole(Output),
    /// Send nothing in its place yet, and pause the stream: its bytes are kept. Never for the last chunk.
    Hold,
    /// The headers are still held: answer this in place of the origin's response.
    Reply(Reply),
    /// The headers are out: break the response off so that the client sees that it is broken.
    Reset(Reason),
}

/// What to do with a response's trailers.
#[derive(Debug, PartialEq, Eq)]
pub enum TrailersStep {
    /// Let them go.
    Forward,
    /// Break the response off.
    Reset(Reason),
}
