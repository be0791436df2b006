//! The filter's entry: the functions of the proxy-wasm ABI 0.2.1 that the host calls. A callback that is missing here is
//! one that lets everything pass, and costs nothing.
#![allow(unsafe_code, reason = "functions under the names that the host looks for")]

mod abi;
mod contexts;
mod host;
mod http;
mod metrics;
mod root;
mod worker;

use crate::http::Action;

/// Names the ABI.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_abi_version_0_2_1() {}

/// Once, before everything else.
#[unsafe(no_mangle)]
pub extern "C" fn _initialize() {
    std::panic::set_hook(Box::new(|panic| host::critical(&panic.to_string())));
}

/// Memory for what the host hands over.
#[cfg_attr(target_arch = "wasm32", unsafe(export_name = "malloc"))]
pub extern "C" fn allocate(size: usize) -> *mut u8 {
    abi::allocate(size)
}

/// A plugin (parent 0) or a stream of one begins.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_context_create(id: u32, parent: u32) {
    contexts::create(id, parent);
}

/// The VM has started: 1, go on.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_vm_start(_root: u32, _size: usize) -> u32 {
    1
}

/// A plugin's configuration has come. 0 refuses it, also in `envoy --mode validate`.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_configure(root: u32, _size: usize) -> u32 {
    contexts::with_root(root, root::Root::on_configure).unwrap_or_default().into()
}

/// Time has passed.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_tick(root: u32) {
    // Not within the root's borrow: streams go on here.
    if let Some(worker) = contexts::with_root(root, |root| root.worker()) {
        worker.tick();
    }
}

/// A request's headers have come.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_request_headers(id: u32, _count: usize, end_of_stream: u32) -> Action {
    // Without a context nothing is known of the stream, and so nothing may pass.
    contexts::with_stream(id, |http| http.on_request_headers(end_of_stream != 0)).unwrap_or(Action::Pause)
}

/// A response's headers have come.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_response_headers(id: u32, _count: usize, end_of_stream: u32) -> Action {
    contexts::with_stream(id, |http| http.on_response_headers(end_of_stream != 0)).unwrap_or(Action::Pause)
}

/// More of a response's body has come; `size` bytes of it are in the host's buffer.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_response_body(id: u32, size: usize, end_of_stream: u32) -> Action {
    contexts::with_stream(id, |http| http.on_response_body(size, end_of_stream != 0)).unwrap_or(Action::Pause)
}

/// A response's trailers have come.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_response_trailers(id: u32, _count: usize) -> Action {
    contexts::with_stream(id, http::Http::on_response_trailers).unwrap_or(Action::Pause)
}

/// The answer to a call has come; without headers the call failed.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_http_call_response(_root: u32, token: u32, headers: usize, _body: usize, _trailers: usize) {
    if let Some((id, status)) = host::answer(token, headers) {
        let _ = contexts::with_stream(id, |http| http.answered(status));
    }
}

/// A stream is over.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_log(id: u32) {
    contexts::log(id);
}

/// A context is dropped.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_delete(id: u32) {
    contexts::delete(id);
}
