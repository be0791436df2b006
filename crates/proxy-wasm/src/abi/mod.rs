//! The proxy-wasm ABI 0.2.1 and the three WASI calls beside it, as safe functions over bytes: the only file that calls
//! the host.
//!
//! No call panics, whatever the host answers: one panic costs every stream of the worker. While a call runs, the host
//! may call back (see `contexts`).

use std::ptr::null_mut;

/// What a call answers when it was carried out.
const OK: u32 = 0;
/// What it answers when there is no such value.
const NOT_FOUND: u32 = 1;

/// Header maps, by their numbers in the ABI.
#[derive(Clone, Copy)]
pub enum Map {
    /// Of the request.
    Request = 0,
    /// Of the response.
    Response = 2,
    /// Of the answer to a call, while it is told.
    Call = 6,
}

/// Buffers, by their numbers in the ABI.
#[derive(Clone, Copy)]
pub enum Buffer {
    /// The response's body, as far as it has come and not gone.
    ResponseBody = 1,
    /// The plugin's configuration.
    PluginConfiguration = 7,
}

/// Log levels, by their numbers in the ABI.
#[derive(Clone, Copy)]
pub enum Level {
    /// Something an operator may want to see.
    Info = 2,
    /// Something an operator should know.
    Warn = 3,
    /// Something was refused.
    Error = 4,
    /// The VM ends.
    Critical = 5,
}

/// Kinds of metrics, by their numbers in the ABI.
#[derive(Clone, Copy)]
pub enum Metric {
    /// It only grows.
    Counter = 0,
    /// It goes up and down.
    Gauge = 1,
    /// A distribution.
    Histogram = 2,
}

/// `HttpResponse` among the streams of the ABI.
const RESPONSE_STREAM: u32 = 1;
/// An empty header map as the ABI writes it.
const NO_PAIRS: [u8; 4] = [0; 4];
/// No status of gRPC.
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

/// What the host has handed over, if the call was carried out.
fn given(status: u32, data: *mut u8, size: usize) -> Option<Vec<u8>> {
    // SAFETY: pointer and size are null and 0, or what the host has written, as it promises `take`.
    (status == OK).then(|| unsafe { take(data, size) })
}

/// Writes a line into the host's log.
pub fn log(level: Level, text: &str) {
    // SAFETY: the host reads exactly the bytes of the text.
    unsafe { env::proxy_log(level as u32, text.as_ptr(), text.len()) };
}

/// Nanoseconds since the epoch.
pub fn now() -> Option<u64> {
    let mut time = 0;
    // SAFETY: the host writes one number.
    (unsafe { env::proxy_get_current_time_nanoseconds(&raw mut time) } == OK).then_some(time)
}

/// Asks for a tick of the context's root every so many milliseconds; 0: none.
pub fn set_tick_period(milliseconds: u32) -> bool {
    // SAFETY: a number alone.
    unsafe { env::proxy_set_tick_period_milliseconds(milliseconds) == OK }
}

/// Further calls of this callback concern this context.
pub fn set_effective_context(context: u32) -> bool {
    // SAFETY: a number alone.
    unsafe { env::proxy_set_effective_context(context) == OK }
}

/// At most `most` bytes of a buffer from `start` on. `None` if there is no such buffer now.
pub fn buffer(buffer: Buffer, start: usize, most: usize) -> Option<Vec<u8>> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host writes a pointer and a number.
    let status = unsafe { env::proxy_get_buffer_bytes(buffer as u32, start, most, &raw mut data, &raw mut size) };
    given(status, data, size)
}

/// Puts bytes in place of `size` bytes from `start` on: from 0 with size 0 before all, from behind the end after all.
pub fn set_buffer(buffer: Buffer, start: usize, size: usize, bytes: &[u8]) -> bool {
    // SAFETY: the host reads exactly the bytes of the slice.
    unsafe { env::proxy_set_buffer_bytes(buffer as u32, start, size, bytes.as_ptr(), bytes.len()) == OK }
}

/// All pairs of a header map as the ABI writes them. `None` if it is not there now.
pub fn header_pairs(map: Map) -> Option<Vec<u8>> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host writes a pointer and a number.
    let status = unsafe { env::proxy_get_header_map_pairs(map as u32, &raw mut data, &raw mut size) };
    given(status, data, size)
}

/// Removes every header of a name. `false` if they have gone already.
pub fn remove_header(map: Map, name: &str) -> bool {
    // SAFETY: the host reads exactly the bytes of the name.
    unsafe { env::proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) == OK }
}

/// Sets a header to one value. `false` if they have gone already.
pub fn set_header(map: Map, name: &str, value: &[u8]) -> bool {
    let (n, v) = (name.as_ptr(), value.as_ptr());
    // SAFETY: the host reads exactly the bytes of name and value.
    unsafe { env::proxy_replace_header_map_value(map as u32, n, name.len(), v, value.len()) == OK }
}

/// Adds a header. `false` if they have gone already.
pub fn add_header(map: Map, name: &str, value: &[u8]) -> bool {
    let (n, v) = (name.as_ptr(), value.as_ptr());
    // SAFETY: the host reads exactly the bytes of name and value.
    unsafe { env::proxy_add_header_map_value(map as u32, n, name.len(), v, value.len()) == OK }
}

/// A property, by its path with a zero between the parts; `None` if there is none.
///
/// # Errors
/// The host's status, if it is there and cannot be given.
pub fn property(path: &[u8]) -> Result<Option<Vec<u8>>, u32> {
    let (mut data, mut size) = (null_mut(), 0);
    // SAFETY: the host reads exactly the bytes of the path, and writes a pointer and a number.
    match unsafe { env::proxy_get_property(path.as_ptr(), path.len(), &raw mut data, &raw mut size) } {
        NOT_FOUND => Ok(None),
        OK => Ok(given(OK, data, size)),
        status => Err(status),
    }
}

/// Sets a property, by its path with a zero between the parts.
pub fn set_property(path: &[u8], value: &[u8]) -> bool {
    // SAFETY: the host reads exactly the bytes of path and value.
    unsafe { env::proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) == OK }
}

/// The value under a key that the VMs with this VM's `vm_id` share, and its version; `None` if there is none.
pub fn shared(key: &[u8]) -> Option<(Vec<u8>, u32)> {
    let (mut data, mut size, mut version) = (null_mut(), 0, 0);
    let (k, ks) = (key.as_ptr(), key.len());
    // SAFETY: the host reads exactly the bytes of the key, and writes a pointer and two numbers.
    let status = unsafe { env::proxy_get_shared_data(k, ks, &raw mut data, &raw mut size, &raw mut version) };
    given(status, data, size).map(|value| (value, version))
}

/// Sets the value under a key that VMs share. `false` if it has no longer this version; 0: whatever its version.
pub fn set_shared(key: &[u8], value: &[u8], version: u32) -> bool {
    let (k, v) = (key.as_ptr(), value.as_ptr());
    // SAFETY: the host reads exactly the bytes of key and value.
    unsafe { env::proxy_set_shared_data(k, key.len(), v, value.len(), version) == OK }
}

/// Lets a paused response go on, when this callback has ended.
pub fn continue_response() -> bool {
    // SAFETY: a number alone.
    unsafe { env::proxy_continue_stream(RESPONSE_STREAM) == OK }
}

/// Breaks a response off.
pub fn close_response() -> bool {
    // SAFETY: a number alone.
    unsafe { env::proxy_close_stream(RESPONSE_STREAM) == OK }
}

/// Answers in place of the origin; `pairs` are headers as the ABI writes them.
pub fn send_local_response(status: u16, pairs: &[u8], body: &[u8]) -> bool {
    let (p, b) = (pairs.as_ptr(), body.as_ptr());
    // SAFETY: the host reads exactly the bytes of headers and body, and none of the details.
    let sent = unsafe {
        env::proxy_send_local_response(status.into(), null_mut(), 0, b, body.len(), p, pairs.len(), NO_GRPC_STATUS)
    };
    sent == OK
}

/// Sends a request without a body to a cluster; `pairs` are headers as the ABI writes them, the timeout is in
/// milliseconds. The token under which the answer comes; `None` if there is no such cluster.
pub fn http_call(cluster: &str, pairs: &[u8], timeout: u32) -> Option<u32> {
    let (c, p, none) = (cluster.as_ptr(), pairs.as_ptr(), NO_PAIRS.as_ptr());
    let mut token = 0;
    // SAFETY: the host reads exactly the bytes of name, headers and trailers (none), and writes a number.
    let status = unsafe {
        env::proxy_http_call(c, cluster.len(), p, pairs.len(), none, 0, none, NO_PAIRS.len(), timeout, &raw mut token)
    };
    (status == OK).then_some(token)
}

/// Defines a metric; its number.
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

/// Adds a value to a histogram.
pub fn record(metric: u32, value: u64) -> bool {
    // SAFETY: numbers alone.
    unsafe { env::proxy_record_metric(metric, value) == OK }
}

/// 16 random bytes.
pub fn random() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    // SAFETY: the host writes exactly the 16 bytes that the array has.
    (unsafe { wasi::random_get(bytes.as_mut_ptr(), bytes.len()) } == 0).then_some(bytes)
}

/// The VM's environment: `NAME=value`, each followed by a zero.
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
