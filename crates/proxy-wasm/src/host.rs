//! Host functions for filters, on top of the ABI calls.

use std::time::Duration;

use crate::abi::{self, Buffer, Level};
pub use crate::abi::{
    Map, Metric, add_header, continue_response, define_metric, increment, property, random, record, remove_header,
    set_effective_context, set_header, set_property, set_shared, shared,
};
use crate::pairs::{self, Pair};

/// Logs a line at level info.
pub fn info(text: &str) {
    abi::log(Level::Info, text);
}

/// Logs a line at level warn.
pub fn warn(text: &str) {
    abi::log(Level::Warn, text);
}

/// Logs a line at level error.
pub fn error(text: &str) {
    abi::log(Level::Error, text);
}

/// Logs a line at level critical, for errors that end the VM.
pub fn critical(text: &str) {
    abi::log(Level::Critical, text);
}

/// Returns a header map in ABI encoding, for [`headers`]. Empty if the map is unavailable.
pub fn header_buffer(of: Map) -> Vec<u8> {
    abi::header_pairs(of).unwrap_or_default()
}

/// Decodes the headers in such a buffer, in order. Empty if it is malformed.
pub fn headers(buffer: &[u8]) -> Vec<Pair<'_>> {
    pairs::read(buffer).unwrap_or_default()
}

/// Returns the `size` request body bytes in the host's buffer; `None` if the host does not return all of them.
pub fn request_body(size: usize) -> Option<Vec<u8>> {
    body(Buffer::RequestBody, size)
}

/// Removes the `size` request body bytes from the host's buffer. `false` if the host rejects it.
#[must_use]
pub fn drop_request_body(size: usize) -> bool {
    size == 0 || abi::set_buffer(Buffer::RequestBody, 0, size, &[])
}

/// Returns the `size` response body bytes in the host's buffer; `None` if the host does not return all of them.
pub fn response_body(size: usize) -> Option<Vec<u8>> {
    body(Buffer::ResponseBody, size)
}

fn body(of: Buffer, size: usize) -> Option<Vec<u8>> {
    if size == 0 {
        return Some(Vec::new());
    }
    abi::buffer(of, 0, size).filter(|bytes| bytes.len() == size)
}

/// Replaces the `size` bytes in the host's buffer with `[head, middle, tail]`. `false` if the host rejects it; the
/// original bytes may still be in the buffer.
#[must_use]
pub fn replace_response_body(size: usize, [head, middle, tail]: [&[u8]; 3]) -> bool {
    abi::set_buffer(Buffer::ResponseBody, 0, size, middle)
        && (head.is_empty() || abi::set_buffer(Buffer::ResponseBody, 0, 0, head))
        && (tail.is_empty() || abi::set_buffer(Buffer::ResponseBody, usize::MAX, 0, tail))
}

/// Prepends `parts` to the bytes in the host's buffer. `false` if the host rejects one of them.
#[must_use]
pub fn prepend_response_body(parts: &[&[u8]]) -> bool {
    let put = |part: &&[u8]| part.is_empty() || abi::set_buffer(Buffer::ResponseBody, 0, 0, part);
    parts.iter().rev().all(put)
}

/// Sends a request without a body to a cluster; `timeout` is in milliseconds. Returns the token of the response; `None`
/// if the host rejects the call.
pub(crate) fn http_call<'a>(
    cluster: &str,
    headers: impl Iterator<Item = Pair<'a>> + Clone,
    timeout: u32,
) -> Option<u32> {
    abi::http_call(cluster, &pairs::write(headers)?, timeout)
}

/// Resets the response, so the client sees an incomplete one. The callback must then return `Pause`.
pub fn reset_response() {
    abi::close_response();
}

/// Resets the paused response of another stream. Does nothing if its context cannot be made effective.
pub fn reset_paused(stream: u32) {
    if abi::set_effective_context(stream) {
        abi::close_response();
    }
}

/// Sets the tick period of a root context; zero disables ticks. The root context is effective afterwards.
pub fn tick_every(root: u32, period: Duration) {
    let milliseconds = u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
    let _ = abi::set_effective_context(root) && abi::set_tick_period(milliseconds);
}

/// Sends a response instead of the origin's. Omits headers with CR, LF or NUL, which hosts would write unescaped.
pub fn send_response<'a>(status: u16, headers: impl Iterator<Item = Pair<'a>>, body: &[u8]) {
    let plain = |(_, value): &Pair<'_>| !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
    let headers: Vec<Pair<'_>> = headers.filter(plain).collect();
    let pairs = pairs::write(headers.iter().copied()).unwrap_or_default();
    abi::send_local_response(status, &pairs, body);
}

/// Client address that the proxy trusts: `ip:port` or `[ip]:port`.
pub fn client_address() -> Option<Vec<u8>> {
    abi::property(b"source\0address").ok().flatten()
}

/// Time in nanoseconds since the epoch; `None` if the host has no clock.
pub fn nanoseconds() -> Option<u64> {
    abi::now()
}

/// The VM's environment variables. Omits those that are not UTF-8.
pub fn environment() -> Vec<(String, String)> {
    let variables = abi::environment().unwrap_or_default();
    let pair = |bytes| std::str::from_utf8(bytes).ok()?.split_once('=');
    let pairs = variables.split(|byte| *byte == 0).filter_map(pair);
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The plugin's configuration.
pub fn configuration() -> Vec<u8> {
    abi::buffer(Buffer::PluginConfiguration, 0, usize::MAX).unwrap_or_default()
}

#[cfg(test)]
mod tests;
