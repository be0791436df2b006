//! Host functions for filters, implemented by the SDK.

use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType};

use crate::pairs::Pair;
pub use crate::wasi::{environment, random};

/// Header maps.
#[derive(Debug, Clone, Copy)]
pub enum Map {
    /// Request headers.
    Request,
    /// Response headers.
    Response,
}

impl Map {
    /// The SDK's type of this map.
    pub fn number(self) -> MapType {
        match self {
            Self::Request => MapType::HttpRequestHeaders,
            Self::Response => MapType::HttpResponseHeaders,
        }
    }
}

/// Kinds of metrics.
#[derive(Debug, Clone, Copy)]
pub enum Metric {
    /// Monotonic counter.
    Counter,
    /// Value that increases and decreases.
    Gauge,
    /// Distribution.
    Histogram,
}

/// Logs a line at level info.
pub fn info(text: &str) {
    let _ = hostcalls::log(LogLevel::Info, text);
}

/// Logs a line at level warn.
pub fn warn(text: &str) {
    let _ = hostcalls::log(LogLevel::Warn, text);
}

/// Logs a line at level error.
pub fn error(text: &str) {
    let _ = hostcalls::log(LogLevel::Error, text);
}

/// Logs a line at level critical, for errors that end the VM.
pub fn critical(text: &str) {
    let _ = hostcalls::log(LogLevel::Critical, text);
}

/// Removes all headers with this name.
pub fn remove_header(of: Map, name: &str) -> bool {
    hostcalls::remove_map_value(of.number(), name).is_ok()
}

/// Replaces a header's values with `value`.
pub fn set_header(of: Map, name: &str, value: &[u8]) -> bool {
    hostcalls::set_map_value_bytes(of.number(), name, Some(value)).is_ok()
}

/// Adds a header.
pub fn add_header(of: Map, name: &str, value: &[u8]) -> bool {
    hostcalls::add_map_value_bytes(of.number(), name, value).is_ok()
}

fn set_body(start: usize, size: usize, bytes: &[u8]) -> bool {
    hostcalls::set_buffer(BufferType::HttpResponseBody, start, size, bytes).is_ok()
}

/// Returns the `size` request body bytes in the host's buffer; `None` if the host does not return all of them.
pub fn request_body(size: usize) -> Option<Vec<u8>> {
    body(BufferType::HttpRequestBody, size)
}

/// Removes the `size` request body bytes from the host's buffer.
pub fn drop_request_body(size: usize) -> bool {
    size == 0 || hostcalls::set_buffer(BufferType::HttpRequestBody, 0, size, &[]).is_ok()
}

/// Returns the `size` response body bytes in the host's buffer; `None` if the host does not return all of them.
pub fn response_body(size: usize) -> Option<Vec<u8>> {
    body(BufferType::HttpResponseBody, size)
}

fn body(of: BufferType, size: usize) -> Option<Vec<u8>> {
    if size == 0 {
        return Some(Vec::new());
    }
    let bytes = hostcalls::get_buffer(of, 0, size).ok().flatten();
    bytes.filter(|bytes| bytes.len() == size)
}

/// Replaces the `size` bytes in the host's buffer with `[head, middle, tail]`.
pub fn replace_response_body(size: usize, [head, middle, tail]: [&[u8]; 3]) -> bool {
    set_body(0, size, middle)
        && (head.is_empty() || set_body(0, 0, head))
        && (tail.is_empty() || set_body(usize::MAX, 0, tail))
}

/// Prepends `parts` to the bytes in the host's buffer.
pub fn prepend_response_body(parts: &[&[u8]]) -> bool {
    parts.iter().rev().all(|part| part.is_empty() || set_body(0, 0, part))
}

/// Host calls made during the rest of this callback act on this context.
pub fn set_effective_context(context: u32) -> bool {
    hostcalls::set_effective_context(context).is_ok()
}

/// Resumes a paused response.
pub fn continue_response() -> bool {
    hostcalls::resume_http_response().is_ok()
}

/// Resets the response.
pub fn reset_response() {
    let _ = hostcalls::reset_http_response();
}

/// Resets the response of another stream.
pub fn reset_paused(stream: u32) {
    if set_effective_context(stream) {
        reset_response();
    }
}

/// Sets the tick period of a root context.
pub fn tick_every(root: u32, period: Duration) {
    let _ = set_effective_context(root) && hostcalls::set_tick_period(period).is_ok();
}

/// Sends a response instead of the origin's. The SDK's header values are strings: bytes that are not UTF-8 become
/// replacement characters.
pub fn send_response<'a>(status: u16, headers: impl Iterator<Item = Pair<'a>>, body: &[u8]) {
    let plain = |(_, value): &Pair<'_>| !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
    let owned: Vec<_> = headers.filter(plain).map(|(name, value)| (name, String::from_utf8_lossy(value))).collect();
    let headers = owned.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    let _ = hostcalls::send_http_response(status.into(), headers, Some(body));
}

/// Returns a property, by its path with zero bytes as separators.
pub fn property(path: &[u8]) -> Result<Option<Vec<u8>>, u32> {
    hostcalls::get_property(parts(path)).map_err(|status| status as u32)
}

/// Sets a property, by its path with zero bytes as separators.
pub fn set_property(path: &[u8], value: &[u8]) -> bool {
    hostcalls::set_property(parts(path), Some(value)).is_ok()
}

fn parts(path: &[u8]) -> Vec<&str> {
    path.split(|byte| *byte == 0).filter_map(|part| std::str::from_utf8(part).ok()).collect()
}

/// Returns the value and version of a key that VMs share.
pub fn shared(key: &[u8]) -> Option<(Vec<u8>, u32)> {
    let (value, version) = hostcalls::get_shared_data(std::str::from_utf8(key).ok()?).ok()?;
    Some((value?, version.unwrap_or(0)))
}

/// Sets the value of a key that VMs share.
pub fn set_shared(key: &[u8], value: &[u8], version: u32) -> bool {
    let Ok(key) = std::str::from_utf8(key) else { return false };
    hostcalls::set_shared_data(key, Some(value), Some(version)).is_ok()
}

/// Client address that the proxy trusts.
pub fn client_address() -> Option<Vec<u8>> {
    property(b"source\0address").ok().flatten()
}

/// Time in nanoseconds since the epoch.
pub fn nanoseconds() -> Option<u64> {
    let time = hostcalls::get_current_time().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(time.as_nanos()).ok()
}

/// The plugin's configuration.
pub fn configuration() -> Vec<u8> {
    hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX).ok().flatten().unwrap_or_default()
}

/// Defines a metric.
pub fn define_metric(kind: Metric, name: &str) -> Option<u32> {
    let kind = match kind {
        Metric::Counter => MetricType::Counter,
        Metric::Gauge => MetricType::Gauge,
        Metric::Histogram => MetricType::Histogram,
    };
    hostcalls::define_metric(kind, name).ok()
}

/// Adds to a counter or gauge.
pub fn increment(metric: u32, by: i64) -> bool {
    hostcalls::increment_metric(metric, by).is_ok()
}

/// Records a value in a histogram.
pub fn record(metric: u32, value: u64) -> bool {
    hostcalls::record_metric(metric, value).is_ok()
}
