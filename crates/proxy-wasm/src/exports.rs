//! ABI functions that the host calls. A callback that is not exported here passes everything at no cost.
//!
//! A callback for an unknown context returns [`Action::Pause`]: nothing may pass unchecked.

use crate::contexts::{self, Action, Factory};
use crate::host;

/// Defines the entry point of a module; `$root` is a [`Factory`].
#[macro_export]
macro_rules! filter {
    ($root:expr) => {
        /// Runs once, before all other functions.
        #[allow(unsafe_code, reason = "a function under the name that the host looks for")]
        #[unsafe(no_mangle)]
        pub extern "C" fn _initialize() {
            $crate::start($root);
        }
    };
}

/// Sets the factory `root` for plugins. Called by [`filter!`](crate::filter).
pub fn start(root: Factory) {
    std::panic::set_hook(Box::new(|panic| host::critical(&panic.to_string())));
    contexts::set_factory(root);
}

/// Declares the ABI version.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_abi_version_0_2_1() {}

/// Allocates memory for the host. Not exported in native builds, where `malloc` is the system's.
#[cfg(target_arch = "wasm32")]
#[unsafe(export_name = "malloc")]
pub extern "C" fn allocate(size: usize) -> *mut u8 {
    crate::abi::memory::allocate(size)
}

/// Creates a plugin (parent 0) or one of its streams.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_context_create(id: u32, parent: u32) {
    contexts::create(id, parent);
}

/// Starts the VM: returns 1 for success.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_vm_start(_root: u32, _size: usize) -> u32 {
    1
}

/// Configures a plugin. Returns 0 if the configuration is rejected.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_configure(root: u32, _size: usize) -> u32 {
    contexts::root(root).is_some_and(|root| root.on_configure()).into()
}

/// Runs a plugin's tick.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_tick(root: u32) {
    if let Some(root) = contexts::root(root) {
        root.on_tick();
    }
}

/// Passes the request headers to a stream.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_request_headers(id: u32, _count: usize, end_of_stream: u32) -> Action {
    contexts::with_stream(id, |http| http.on_request_headers(end_of_stream != 0)).unwrap_or(Action::Pause)
}

/// Passes a chunk of the request body to a stream. The host's buffer holds `size` bytes.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_request_body(id: u32, size: usize, end_of_stream: u32) -> Action {
    contexts::with_stream(id, |http| http.on_request_body(size, end_of_stream != 0)).unwrap_or(Action::Pause)
}

/// Passes the request trailers to a stream.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_request_trailers(id: u32, _count: usize) -> Action {
    contexts::with_stream(id, |http| http.on_request_trailers()).unwrap_or(Action::Pause)
}

/// Passes the response headers to a stream.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_response_headers(id: u32, _count: usize, end_of_stream: u32) -> Action {
    contexts::with_stream(id, |http| http.on_response_headers(end_of_stream != 0)).unwrap_or(Action::Pause)
}

/// Passes a chunk of the response body to a stream. The host's buffer holds `size` bytes.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_response_body(id: u32, size: usize, end_of_stream: u32) -> Action {
    contexts::with_stream(id, |http| http.on_response_body(size, end_of_stream != 0)).unwrap_or(Action::Pause)
}

/// Passes the response trailers to a stream.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_response_trailers(id: u32, _count: usize) -> Action {
    contexts::with_stream(id, |http| http.on_response_trailers()).unwrap_or(Action::Pause)
}

/// Passes the response of an HTTP call to its stream; 0 headers mean that the call failed.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_http_call_response(_root: u32, token: u32, headers: usize, _body: usize, _trailers: usize) {
    contexts::on_http_call_response(token, headers);
}

/// Reports the end of a stream.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_log(id: u32) {
    contexts::log(id);
}

/// Deletes a context.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_delete(id: u32) {
    contexts::delete(id);
}
