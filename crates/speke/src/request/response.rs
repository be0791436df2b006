//! Headers of responses.

use alloc::vec::Vec;

use crate::version::Version;

/// The body of a heartbeat's response.
pub const HEARTBEAT: &str = "SUCCESS";

/// The name of this key provider.
const AGENT: &str = "playlock";

/// The headers of a response, in lower case: of an answer, which is XML, or else of a text. A response has keys or a
/// reason that depends on secrets: no cache may keep it.
#[must_use]
pub fn headers(version: Version, is_answer: bool) -> Vec<(&'static str, &'static str)> {
    let media_type = if is_answer { "application/xml" } else { "text/plain; charset=utf-8" };
    let mut headers = Vec::from([("content-type", media_type), ("cache-control", "no-store")]);
    match version.header() {
        None => headers.push(("speke-user-agent", AGENT)),
        Some(version) => headers.extend([("x-speke-user-agent", AGENT), ("x-speke-version", version)]),
    }
    headers
}
