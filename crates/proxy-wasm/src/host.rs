//! What a filter asks of its host, over the calls of the ABI.

use std::time::Duration;

use crate::abi::{self, Buffer, Level};
pub use crate::abi::{
    Map, Metric, add_header, continue_response, define_metric, increment, property, random, record, remove_header,
    set_effective_context, set_header, set_property, set_shared, shared,
};
use crate::pairs::{self, Pair};

/// Writes a line that an operator may want to see into the host's log.
pub fn info(text: &str) {
    abi::log(Level::Info, text);
}

/// Writes a line that an operator should know.
pub fn warn(text: &str) {
    abi::log(Level::Warn, text);
}

/// Writes the reason of a refusal.
pub fn error(text: &str) {
    abi::log(Level::Error, text);
}

/// Writes why the VM ends.
pub fn critical(text: &str) {
    abi::log(Level::Critical, text);
}

/// A header map in the host's own bytes, which [`headers`] reads. Empty if it is not there now.
pub fn header_buffer(of: Map) -> Vec<u8> {
    abi::header_pairs(of).unwrap_or_default()
}

/// The headers in such a buffer, in order; none if it is malformed.
pub fn headers(buffer: &[u8]) -> Vec<Pair<'_>> {
    pairs::read(buffer).unwrap_or_default()
}

/// The bytes of the response's body that are in the host's buffer; `None` if the host does not give all of them.
pub fn response_body(size: usize) -> Option<Vec<u8>> {
    if size == 0 {
        return Some(Vec::new());
    }
    abi::buffer(Buffer::ResponseBody, 0, size).filter(|bytes| bytes.len() == size)
}

/// Puts `[head, middle, tail]` in place of the `size` bytes in the host's buffer. `false` if the host did not: they are
/// still there.
#[must_use]
pub fn replace_response_body(size: usize, [head, middle, tail]: [&[u8]; 3]) -> bool {
    abi::set_buffer(Buffer::ResponseBody, 0, size, middle)
        && (head.is_empty() || abi::set_buffer(Buffer::ResponseBody, 0, 0, head))
        && (tail.is_empty() || abi::set_buffer(Buffer::ResponseBody, usize::MAX, 0, tail))
}

/// Puts `parts` before the bytes in the host's buffer. `false` if the host did not put all of them there.
#[must_use]
pub fn prepend_response_body(parts: &[&[u8]]) -> bool {
    let put = |part: &&[u8]| part.is_empty() || abi::set_buffer(Buffer::ResponseBody, 0, 0, part);
    parts.iter().rev().all(put)
}

/// Sends a request without a body to a cluster; the timeout is in milliseconds. The token under which its answer comes;
/// `None` if the host did not take it.
pub(crate) fn http_call<'a>(
    cluster: &str,
    headers: impl Iterator<Item = Pair<'a>> + Clone,
    timeout: u32,
) -> Option<u32> {
    abi::http_call(cluster, &pairs::write(headers)?, timeout)
}

/// Resets the response, so that the client sees that it is broken. The callback must return `Pause` then.
pub fn reset_response() {
    abi::close_response();
}

/// Resets the response of another stream, which is paused. Not whichever is in effect, if that cannot be changed.
pub fn reset_paused(stream: u32) {
    if abi::set_effective_context(stream) {
        abi::close_response();
    }
}

/// Asks for a tick of the root context every `period`; none for zero. The root's context is in effect afterwards.
pub fn tick_every(root: u32, period: Duration) {
    let milliseconds = u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
    let _ = abi::set_effective_context(root) && abi::set_tick_period(milliseconds);
}

/// Answers in place of the origin. Headers that would break the answer up are left out: hosts write them as they are.
pub fn send_response<'a>(status: u16, headers: impl Iterator<Item = Pair<'a>>, body: &[u8]) {
    let plain = |(_, value): &Pair<'_>| !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
    let headers: Vec<Pair<'_>> = headers.filter(plain).collect();
    let pairs = pairs::write(headers.iter().copied()).unwrap_or_default();
    abi::send_local_response(status, &pairs, body);
}

/// The client's address as the proxy trusts it: `ip:port` or `[ip]:port`.
pub fn client_address() -> Option<Vec<u8>> {
    abi::property(b"source\0address").ok().flatten()
}

/// Nanoseconds since the epoch; `None` if the host has no clock.
pub fn nanoseconds() -> Option<u64> {
    abi::now()
}

/// The VM's environment variables, those that are UTF-8.
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
