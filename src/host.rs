//! What the filter wants of its host, in its own types, over the calls of `abi`.

use std::time::Duration;

use playlock_core::bytes::output::Output;
use playlock_core::http::reply::{Header, Reply};
use playlock_core::step::{Call, HeaderEdits};

use crate::abi::{self, Buffer, Level};
pub use crate::abi::{Map, Metric};
use crate::contexts;

/// Says something that an operator may want to see, once for all workers: if it is not what was said so last for the
/// plugin of this name.
pub fn announce(text: &str) {
    let mut key = b"playlock.announced.".to_vec();
    key.extend(abi::property(b"plugin_name").ok().flatten().unwrap_or_default());
    let version = match abi::shared(&key) {
        Some((said, _)) if said == text.as_bytes() => return,
        Some((_, version)) => version,
        None => 0,
    };
    if abi::set_shared(&key, text.as_bytes(), version) {
        abi::log(Level::Info, text);
    }
}

/// Says something that an operator should know.
pub fn warn(text: &str) {
    abi::log(Level::Warn, text);
}

/// Says what was refused.
pub fn error(text: &str) {
    abi::log(Level::Error, text);
}

/// Says why the VM ends.
pub fn critical(text: &str) {
    abi::log(Level::Critical, text);
}

/// All headers of a message, in order.
pub fn headers(of: Map) -> Vec<Header> {
    abi::header_pairs(of).and_then(|pairs| pairs::read(&pairs)).unwrap_or_default()
}

/// Carries header changes out. `false` if the headers have gone, so that not all of them are.
#[must_use]
pub fn edit_headers(of: Map, edits: &HeaderEdits) -> bool {
    edits.remove.iter().all(|name| abi::remove_header(of, name))
        && edits.set.iter().all(|(name, value)| abi::set_header(of, name, value))
        && edits.add.iter().all(|(name, value)| abi::add_header(of, name, value))
}

/// The bytes of the response's body that are in the host's buffer; `None` if the host does not give all of them.
pub fn body(size: usize) -> Option<Vec<u8>> {
    if size == 0 {
        return Some(Vec::new());
    }
    abi::buffer(Buffer::ResponseBody, 0, size).filter(|bytes| bytes.len() == size)
}

/// Puts `out` in place of the `size` bytes in the host's buffer. `false` if the host did not: they are still there.
#[must_use]
pub fn replace_body(size: usize, out: &Output) -> bool {
    let [head, middle, tail] = out.parts();
    abi::set_buffer(Buffer::ResponseBody, 0, size, middle)
        && (head.is_empty() || abi::set_buffer(Buffer::ResponseBody, 0, 0, head))
        && (tail.is_empty() || abi::set_buffer(Buffer::ResponseBody, usize::MAX, 0, tail))
}

/// Sets the length of a response whose headers are held. `false` if they have gone.
#[must_use]
pub fn set_length(length: usize) -> bool {
    abi::set_header(Map::Response, "content-length", length.to_string().as_bytes())
}

/// Puts `out` before the bytes in the host's buffer. `false` if the host did not put all of it there.
#[must_use]
pub fn prepend_body(out: &Output) -> bool {
    let put = |part: &&[u8]| part.is_empty() || abi::set_buffer(Buffer::ResponseBody, 0, 0, part);
    out.parts().iter().rev().all(put)
}

/// Puts outputs into the host's empty buffer of another stream, which is paused. Its context is in effect afterwards.
#[must_use]
pub fn fill_paused(stream: u32, outputs: &[Output]) -> bool {
    abi::set_effective_context(stream) && outputs.iter().rev().all(prepend_body)
}

/// Lets the paused response go on whose context is in effect, when this callback has ended.
#[must_use]
pub fn resume_response() -> bool {
    abi::continue_response()
}

/// Sends a request to an upstream, and expects its answer for `stream`. `false` if the host did not take it.
#[must_use]
pub fn ask(stream: u32, call: &Call) -> bool {
    let headers: Vec<&Header> = call.headers.iter().collect();
    let milliseconds = u32::try_from(call.timeout.saturating_mul(1000)).unwrap_or(u32::MAX);
    let token = abi::http_call(&call.cluster, &pairs::write(&headers), milliseconds);
    token.map(|token| contexts::expect_answer(token, stream)).is_some()
}

/// Whose answer has come under `token`, from then on in effect; and its status, if it has so many headers as to have
/// one.
pub fn answer(token: u32, headers: usize) -> Option<(u32, Option<u16>)> {
    let all = if headers == 0 { Vec::new() } else { self::headers(Map::Call) };
    let status = all.iter().find(|(name, _)| name == ":status");
    let status = status.and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok());
    let stream = contexts::answered(token)?;
    abi::set_effective_context(stream).then_some((stream, status))
}

/// Breaks the response off, so that the client sees it. The callback must return `Pause` then.
pub fn reset_response() {
    abi::close_response();
}

/// Breaks the response of another stream off, which is paused. Not whichever is in effect, if that cannot be changed.
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

/// Answers in place of the origin. Headers that would break the answer up are left out.
pub fn reply(reply: &Reply) {
    let plain = |(_, value): &&Header| !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
    let headers: Vec<&Header> = reply.headers.iter().filter(plain).collect();
    abi::send_local_response(reply.status, &pairs::write(&headers), &reply.body);
}

/// The client's address as the proxy trusts it.
pub fn client() -> Option<Vec<u8>> {
    abi::property(b"source\0address").ok().flatten()
}

/// The name of the policy in the route's metadata. What is there and cannot be read is a name that no policy has.
pub fn route_policy() -> Option<Vec<u8>> {
    abi::property(b"xds\0route_metadata\0filter_metadata\0playlock\0policy").unwrap_or_else(|_| Some(Vec::new()))
}

/// Sets `wasm.playlock.NAME` in the filter state, for the access log.
pub fn set_filter_state(name: &str, value: &str) {
    let mut path = Vec::with_capacity(32);
    path.extend_from_slice(b"playlock.");
    path.extend_from_slice(name.as_bytes());
    abi::set_property(&path, value.as_bytes());
}

/// Seconds since the epoch; `None` if the host has no clock, and then no token can be said to hold. A clock at the epoch
/// itself is one that was never set.
pub fn now() -> Option<u64> {
    abi::now().map(|nanoseconds| nanoseconds / 1_000_000_000).filter(|seconds| *seconds > 0)
}

/// Nanoseconds since the epoch, to tell how long something took; 0 without a clock.
pub fn nanoseconds() -> u64 {
    abi::now().unwrap_or(0)
}

/// 16 random bytes; `None` if the host has none, and then no session may be opened.
pub fn random() -> Option<[u8; 16]> {
    abi::random()
}

/// The VM's environment variables.
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

/// Defines a metric.
pub fn define(kind: Metric, name: &str) -> Option<u32> {
    abi::define_metric(kind, name)
}

/// Adds to a counter or gauge.
pub fn increase(metric: u32, by: i64) {
    abi::increment(metric, by);
}

/// Adds a value to a histogram.
pub fn record(metric: u32, value: u64) {
    abi::record(metric, value);
}

/// Header maps as the ABI writes them: how many pairs, the lengths of each name and value (all as four bytes,
/// little-endian), then each name and value followed by a zero.
mod pairs {
    use playlock_core::http::reply::Header;

    /// The pairs; `None` if the bytes are not that. Names that are not UTF-8 are left out: none of them is ours.
    pub fn read(bytes: &[u8]) -> Option<Vec<Header>> {
        let (count, mut lengths) = number(bytes)?;
        let mut texts = lengths.get(count.checked_mul(8)?..)?;
        let mut headers = Vec::with_capacity(count);
        for _ in 0..count {
            let (name_length, rest) = number(lengths)?;
            let (value_length, rest) = number(rest)?;
            lengths = rest;
            let (name, rest) = text(texts, name_length)?;
            let (value, rest) = text(rest, value_length)?;
            texts = rest;
            if let Ok(name) = std::str::from_utf8(name) {
                headers.push((name.to_owned(), value.to_vec()));
            }
        }
        Some(headers)
    }

    fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
        let (number, rest) = bytes.split_first_chunk()?;
        Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
    }

    fn text(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
        let (text, rest) = bytes.split_at_checked(length)?;
        Some((text, rest.get(1..)?))
    }

    /// The bytes of the pairs.
    pub fn write(headers: &[&Header]) -> Vec<u8> {
        let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        let texts: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 10).sum();
        let mut bytes = Vec::with_capacity(4 + texts);
        bytes.extend_from_slice(&size(headers.len()));
        for (name, value) in headers {
            bytes.extend_from_slice(&size(name.len()));
            bytes.extend_from_slice(&size(value.len()));
        }
        for text in headers.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_slice()]) {
            bytes.extend_from_slice(text);
            bytes.push(0);
        }
        bytes
    }
}
