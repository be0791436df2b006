//! The only file that calls hostcalls, and only the byte getters: the SDK's string getters panic on a header
//! that is not UTF-8, and a panic costs every stream on the VM.

use std::time::UNIX_EPOCH;

use playlock_core::reply::{Header, Reply};
use playlock_core::step::HeaderEdits;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType, MetricType};

/// WASI calls that proxy-wasm hosts provide and Rust's standard library does not reach on this target.
#[allow(unsafe_code, reason = "foreign functions")]
mod wasi {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        pub fn random_get(buffer: *mut u8, length: usize) -> u16;
        pub fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u16;
        pub fn environ_get(pointers: *mut *mut u8, buffer: *mut u8) -> u16;
    }
}

/// Which message a header map belongs to.
#[derive(Clone, Copy)]
pub enum Message {
    /// To the origin.
    Request,
    /// To the client.
    Response,
}

impl Message {
    fn map(self) -> MapType {
        match self {
            Self::Request => MapType::HttpRequestHeaders,
            Self::Response => MapType::HttpResponseHeaders,
        }
    }
}

/// All headers of a message, in order.
pub fn headers(of: Message) -> Vec<Header> {
    hostcalls::get_map_bytes(of.map()).unwrap_or_default()
}

/// Carries header changes out. Only while the headers have not gone: the host refuses it then, and the SDK panics.
pub fn edit_headers(of: Message, edits: &HeaderEdits) {
    let map = of.map();
    for name in &edits.remove {
        let _ = hostcalls::set_map_value_bytes(map, name, None);
    }
    for (name, value) in &edits.set {
        let _ = hostcalls::set_map_value_bytes(map, name, Some(value));
    }
    for (name, value) in &edits.add {
        let _ = hostcalls::add_map_value_bytes(map, name, value);
    }
}

/// The bytes of the response's body that are in the host's buffer; `None` if the host does not give all of them.
pub fn body(size: usize) -> Option<Vec<u8>> {
    if size == 0 {
        return Some(Vec::new());
    }
    let bytes = hostcalls::get_buffer(BufferType::HttpResponseBody, 0, size).ok().flatten();
    bytes.filter(|bytes| bytes.len() == size)
}

/// Puts `bytes` in place of the `size` bytes in the host's buffer. `false` if the host did not: they are still there.
#[must_use]
pub fn replace_body(size: usize, bytes: &[u8]) -> bool {
    hostcalls::set_buffer(BufferType::HttpResponseBody, 0, size, bytes).is_ok()
}

/// Answers in place of the origin. Headers that are not UTF-8, or that would break the answer up, are left out.
pub fn reply(reply: &Reply) {
    let is_plain = |text: &&str| !text.contains(['\r', '\n', '\0']);
    let headers = reply
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), std::str::from_utf8(value).ok().filter(is_plain)?)))
        .collect();
    let _ = hostcalls::send_http_response(u32::from(reply.status), headers, Some(&reply.body));
}

/// Breaks the response off, so that the client sees it. The callback must return `Pause` then.
pub fn reset_response() {
    let _ = hostcalls::reset_http_response();
}

/// The client's address as the proxy trusts it.
pub fn client() -> Option<Vec<u8>> {
    hostcalls::get_property(vec!["source", "address"]).ok().flatten()
}

/// The name of the policy in the route's metadata. What is there and cannot be read is a name that no policy has.
pub fn route_policy() -> Option<Vec<u8>> {
    let path = vec!["xds", "route_metadata", "filter_metadata", "playlock", "policy"];
    hostcalls::get_property(path).unwrap_or_else(|_| Some(Vec::new()))
}

/// Sets `wasm.playlock.NAME` in the filter state, for the access log.
pub fn set_filter_state(name: &str, value: &str) {
    let _ = hostcalls::set_property(vec![&format!("playlock.{name}")], Some(value.as_bytes()));
}

/// Seconds since the epoch.
pub fn now() -> u64 {
    let time = hostcalls::get_current_time().ok();
    time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs())
}

/// 16 random bytes; `None` if the host has none, and then no session may be opened.
#[allow(unsafe_code, reason = "a foreign function writes into a buffer of ours")]
pub fn random() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    // SAFETY: the host writes exactly the 16 bytes that the array has.
    let status = unsafe { wasi::random_get(bytes.as_mut_ptr(), bytes.len()) };
    (status == 0).then_some(bytes)
}

/// The VM's environment variables.
#[allow(unsafe_code, reason = "a foreign function writes into buffers of ours")]
pub fn environment() -> Vec<(String, String)> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: the host writes one number behind each pointer.
    if unsafe { wasi::environ_sizes_get(&raw mut count, &raw mut size) } != 0 {
        return Vec::new();
    }
    let mut pointers = vec![std::ptr::null_mut(); count];
    let mut buffer = vec![0; size];
    // SAFETY: the host writes `count` pointers and `size` bytes, which it has just named.
    if unsafe { wasi::environ_get(pointers.as_mut_ptr(), buffer.as_mut_ptr()) } != 0 {
        return Vec::new();
    }
    // The variables stand one after another, each ended by a zero; the pointers say nothing more.
    let pair = |bytes| std::str::from_utf8(bytes).ok()?.split_once('=');
    buffer.split(|byte| *byte == 0).filter_map(pair).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The plugin's configuration.
pub fn configuration() -> Vec<u8> {
    hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX).ok().flatten().unwrap_or_default()
}

/// Defines a counter.
pub fn define_counter(name: &str) -> Option<u32> {
    hostcalls::define_metric(MetricType::Counter, name).ok()
}

/// Adds one to a counter.
pub fn increment(counter: u32) {
    let _ = hostcalls::increment_metric(counter, 1);
}
