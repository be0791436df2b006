//! The steps that an exchange asks the proxy to carry out.

use crate::bytes::output::Output;
pub use crate::http::message::{Attributes, Call, HeaderEdits, Known, Request};
use crate::http::reply::{Reason, Reply};

/// The next step for a request.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestStep {
    /// Forward it to the origin with these changes.
    Forward(HeaderEdits),
    /// Answer it here; it never reaches the origin.
    Reply(Reply),
    /// Hold it and call an upstream; the result goes to [`crate::exchange::Exchange::on_answer`].
    Ask(Call),
    /// Hold it and pass its body to [`crate::exchange::Exchange::on_request_body`]; it never reaches the origin.
    Collect,
}

/// The next step for a chunk of a request body.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestBodyStep {
    /// The exchange keeps the bytes: drop them, and hold the request.
    Hold,
    /// Answer the request with this.
    Reply(Reply),
    /// The body is complete: hold the request and call an upstream; the result goes to
    /// [`crate::exchange::Exchange::on_answer`].
    Ask(Call),
}

/// The next step for response headers.
#[derive(Debug, PartialEq, Eq)]
pub enum HeadStep {
    /// Forward them with these changes.
    Forward(HeaderEdits),
    /// Apply these changes, and hold the headers until the first body step other than [`BodyStep::Hold`].
    Hold(HeaderEdits),
    /// Send this in place of the origin's response.
    Reply(Reply),
}

/// The next step for a chunk of a response body.
#[derive(Debug)]
pub enum BodyStep {
    /// Forward it unchanged.
    Forward,
    /// Send these bytes, possibly none, in its place.
    Replace(Output),
    /// The headers are still held and these bytes are the whole body: set `content-length` to their number, and send
    /// them.
    Whole(Output),
    /// Send nothing yet and pause the stream; the exchange keeps the bytes. Never the step for the last chunk.
    Hold,
    /// The headers are still held: send this in place of the origin's response.
    Reply(Reply),
    /// The headers have been sent: reset the stream, so that the client sees that the response is incomplete.
    Reset(Reason),
}

/// The next step for response trailers.
#[derive(Debug, PartialEq, Eq)]
pub enum TrailersStep {
    /// Forward them.
    Forward,
    /// Reset the stream.
    Reset(Reason),
}
