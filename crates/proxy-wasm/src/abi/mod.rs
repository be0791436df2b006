//! The proxy-wasm ABI 0.2.1 and three WASI calls, as safe functions over bytes. Only this file calls the host.
//!
//! No call panics, regardless of the host's result: a panic ends every stream of the worker. The host may call back
//! while a call runs (see `contexts`).

use std::ptr::null_mut;

/// Status of a successful call.
const OK: u32 = 0;
/// Status for an absent value.
const NOT_FOUND: u32 = 1;

/// Header maps, by their ABI numbers.
#[derive(Clone, Copy)]
pub enum Map {
    /// Request headers.
    Request = 0,
    /// Response headers.
    Response = 2,
    /// Response headers of an HTTP call, available only in its callback.
    Call = 6,
}

/// Buffers, by their ABI numbers.
#[derive(Clone, Copy)]
pub enum Buffer {
    /// Request body bytes that the host has received and not yet sent on.
    RequestBody = 0,
    /// Response body bytes that the host has received and not yet sent.
    ResponseBody = 1,
    /// Plugin configuration.
    PluginConfiguration = 7,
}

/// Log levels, by their ABI numbers.
#[derive(Clone, Copy)]
pub enum Level {
    /// Information for operators.
    Info = 2,
    /// Warnings for operators.
    Warn = 3,
    /// Errors, such as a rejected configuration.
    Error = 4,
    /// Errors that end the VM.
    Critical = 5,
}

/// Kinds of metrics, by their ABI numbers.
#[derive(Clone, Copy)]
pub enum Metric {
    /// Monotonic counter.
    Counter = 0,
    /// Value that increases and decreases.
    Gauge = 1,
    /// Distribution.
    Histogram = 2,
}

/// Number of `HttpResponse` among the ABI's stream types.
const RESPONSE_STREAM: u32 = 1;
/// Empty header map in ABI encoding.
const NO_PAIRS: [u8; 4] = [0; 4];
/// Absent gRPC status.
const NO_GRPC_STATUS: i32 = -1;

#[cfg(target_arch = "wasm32")]
mod imports;
pub mod memory;
#[cfg(not(target_arch = "wasm32"))]
pub mod stand_in;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "wasm32")]
use imports::{env, wasi};
#[cfg(not(target_arch = "wasm32"))]
use stand_in::{env, wasi};

use memory::take;

/// Takes the bytes that a successful call returned; `None` if the call failed.
fn given(status: u32, data: *mut u8, size: usize) -> Option<Vec<u8>> {
    // SAFETY: pointer and size are null and 0, or written by the host, as `take` requires.
    (status == OK).then(|| unsafe { take(data, size) })
}

/// Writes a line to the host's log.
pub fn log(level: Level, text: &str) {
    // SAFETY: the host reads exactly the bytes of the text.
    unsafe { env::proxy_log(level as u32, text.as_ptr(), text.len()) };
}

/// Time in nanoseconds since the epoch.
pub fn now() -> Option<u64> {
    let mut time = 0;
    // SAFETY: the host writes one number.
    (unsafe { env::proxy_get_current_time_nanoseconds(&raw mut time) } == OK).then_some(time)
}

/// Sets the tick period of the current root context in milliseconds; 0 disables ticks.
pub fn set_tick_period(milliseconds: u32) -> bool {
    // SAFETY: a number alone.
    unsafe { env::proxy_set_tick_period_milliseconds(milliseconds) == OK }
}

/// Host calls made during the rest of this callback act on this context.
pub fn set_effective_context(context: u32) -> bool {
    // SAFETY: a number alone.
    unsafe { env::proxy_set_effective_context(context) == OK }
}

/// Returns at most `most` bytes of a buffer, starting at `start`. `None` if the buffer is not available.
pub fn buffer(buffer: Buffer, start: usize, most: usize) -> Option<Vec<u8>> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host writes a pointer and a number.
    let status = unsafe { env::proxy_get_buffer_bytes(buffer as u32, start, most, &raw mut data, &raw mut size) };
    given(status, data, size)
}

/// Replaces `size` bytes from `start` on. Start and size 0 prepend; a start beyond the end appends.
pub fn set_buffer(buffer: Buffer, start: usize, size: usize, bytes: &[u8]) -> bool {
    // SAFETY: the host reads exactly the bytes of the slice.
    unsafe { env::proxy_set_buffer_bytes(buffer as u32, start, size, bytes.as_ptr(), bytes.len()) == OK }
}

/// Returns a header map in ABI encoding. `None` if it is not available.
pub fn header_pairs(map: Map) -> Option<Vec<u8>> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host writes a pointer and a number.
    let status = unsafe { env::proxy_get_header_map_pairs(map as u32, &raw mut data, &raw mut size) };
    given(status, data, size)
}

/// Removes all headers with this name. `false` if the header map is no longer available.
pub fn remove_header(map: Map, name: &str) -> bool {
    // SAFETY: the host reads exactly the bytes of the name.
    unsafe { env::proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) == OK }
}

/// Replaces a header's values with `value`. `false` if the header map is no longer available.
pub fn set_header(map: Map, name: &str, value: &[u8]) -> bool {
    let (n, v) = (name.as_ptr(), value.as_ptr());
    // SAFETY: the host reads exactly the bytes of name and value.
    unsafe { env::proxy_replace_header_map_value(map as u32, n, name.len(), v, value.len()) == OK }
}

/// Adds a header. `false` if the header map is no longer available.
pub fn add_header(map: Map, name: &str, value: &[u8]) -> bool {
    let (n, v) = (name.as_ptr(), value.as_ptr());
    // SAFETY: the host reads exactly the bytes of name and value.
    unsafe { env::proxy_add_header_map_value(map as u32, n, name.len(), v, value.len()) == OK }
}

/// Returns a property, by its path with zero bytes as separators; `None` if it does not exist.
///
/// # Errors
/// The host's status, if the property exists but cannot be returned.
pub fn property(path: &[u8]) -> Result<Option<Vec<u8>>, u32> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host reads exactly the bytes of the path, and writes a pointer and a number.
    match unsafe { env::proxy_get_property(path.as_ptr(), path.len(), &raw mut data, &raw mut size) } {
        NOT_FOUND => Ok(None),
        OK => Ok(given(OK, data, size)),
        status => Err(status),
    }
}

/// Sets a property, by its path with zero bytes as separators.
pub fn set_property(path: &[u8], value: &[u8]) -> bool {
    // SAFETY: the host reads exactly the bytes of path and value.
    unsafe { env::proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) == OK }
}

/// Returns the value and version of a key shared by all VMs with the same `vm_id`; `None` if the key does not exist.
pub fn shared(key: &[u8]) -> Option<(Vec<u8>, u32)> {
    let (mut data, mut size, mut version) = (null_mut(), 0, 0);
    let (k, ks) = (key.as_ptr(), key.len());
    // SAFETY: the host reads exactly the bytes of the key, and writes a pointer and two numbers.
    let status = unsafe { env::proxy_get_shared_data(k, ks, &raw mut data, &raw mut size, &raw mut version) };
    given(status, data, size).map(|value| (value, version))
}

/// Sets the value of a shared key. `false` if its version has changed; version 0 sets it unconditionally.
pub fn set_shared(key: &[u8], value: &[u8], version: u32) -> bool {
    let (k, v) = (key.as_ptr(), value.as_ptr());
    // SAFETY: the host reads exactly the bytes of key and value.
    unsafe { env::proxy_set_shared_data(k, key.len(), v, value.len(), version) == OK }
}

/// Resumes a paused response at the end of this callback.
pub fn continue_response() -> bool {
    // SAFETY: a number alone.
    unsafe { env::proxy_continue_stream(RESPONSE_STREAM) == OK }
}

/// Resets the response.
pub fn close_response() -> bool {
    // SAFETY: a number alone.
    unsafe { env::proxy_close_stream(RESPONSE_STREAM) == OK }
}

/// Sends a response instead of the origin's; `pairs` are its headers in ABI encoding.
pub fn send_local_response(status: u16, pairs: &[u8], body: &[u8]) -> bool {
    let (p, b) = (pairs.as_ptr(), body.as_ptr());
    // SAFETY: the host reads exactly the bytes of headers and body, and none of the details.
    let sent = unsafe {
        env::proxy_send_local_response(status.into(), null_mut(), 0, b, body.len(), p, pairs.len(), NO_GRPC_STATUS)
    };
    sent == OK
}

/// Sends a request without a body to a cluster. `pairs` are its headers in ABI encoding, `timeout` is in milliseconds.
/// Returns the token of the response; `None` if the cluster does not exist.
pub fn http_call(cluster: &str, pairs: &[u8], timeout: u32) -> Option<u32> {
    let (c, p, none) = (cluster.as_ptr(), pairs.as_ptr(), NO_PAIRS.as_ptr());
    let mut token = 0;
    // SAFETY: the host reads exactly the bytes of name, headers and trailers (none), and writes a number.
    let status = unsafe {
        env::proxy_http_call(c, cluster.len(), p, pairs.len(), none, 0, none, NO_PAIRS.len(), timeout, &raw mut token)
    };
    (status == OK).then_some(token)
}

/// Defines a metric and returns its id.
pub fn define_metric(kind: Metric, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: the host reads exactly the bytes of the name, and writes a number.
    let status = unsafe { env::proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) };
    (status == OK).then_some(id)
}

/// Adds to a counter or gauge.
pub fn increment(metric: u32, by: i64) -> bool {
    // SAFETY: numbers alone.
    unsafe { env::proxy_increment_metric(metric, by) == OK }
}

/// Records a value in a histogram.
pub fn record(metric: u32, value: u64) -> bool {
    // SAFETY: numbers alone.
    unsafe { env::proxy_record_metric(metric, value) == OK }
}

/// Returns 16 random bytes.
pub fn random() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    // SAFETY: the host writes exactly the 16 bytes that the array has.
    (unsafe { wasi::random_get(bytes.as_mut_ptr(), bytes.len()) } == 0).then_some(bytes)
}

/// Returns the VM's environment: `NAME=value` pairs, each followed by a zero byte.
pub fn environment() -> Option<Vec<u8>> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: the host writes one number behind each pointer.
    if unsafe { wasi::environ_sizes_get(&raw mut count, &raw mut size) } != 0 {
        return None;
    }
    let mut pointers = vec![null_mut(); count];
    let mut buffer = vec![0; size];
    // SAFETY: the host writes `count` pointers and `size` bytes, which it has just named.
    (unsafe { wasi::environ_get(pointers.as_mut_ptr(), buffer.as_mut_ptr()) } == 0).then_some(buffer)
}
