//! The functions of the ABI that the host calls. A callback that is missing here is one that lets everything pass, and
//! costs nothing: these are what an HTTP filter needs that looks at no request body.
//!
//! Without a context nothing is known of a stream, and so nothing of it may pass: [`Action::Pause`].

use crate::contexts::{self, Action, Factory};
use crate::host;

/// The entry of a module: `$root` is a [`Factory`].
#[macro_export]
macro_rules! filter {
    ($root:expr) => {
        /// Called once, before everything else.
        #[allow(unsafe_code, reason = "a function under the name that the host looks for")]
        #[unsafe(no_mangle)]
        pub extern "C" fn _initialize() {
            $crate::start($root);
        }
    };
}

/// Begins: from now on, the host's plugins are what `root` makes. For [`filter!`](crate::filter).
pub fn start(root: Factory) {
    std::panic::set_hook(Box::new(|panic| host::critical(&panic.to_string())));
    contexts::set_factory(root);
}

/// Names the ABI.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_abi_version_0_2_1() {}

/// Memory for what the host hands over. Natively that name is the system's.
#[cfg(target_arch = "wasm32")]
#[unsafe(export_name = "malloc")]
pub extern "C" fn allocate(size: usize) -> *mut u8 {
    crate::abi::memory::allocate(size)
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

/// A plugin's configuration has come. 0 refuses it.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_configure(root: u32, _size: usize) -> u32 {
    contexts::root(root).is_some_and(|root| root.on_configure()).into()
}

/// Time has passed.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_tick(root: u32) {
    if let Some(root) = contexts::root(root) {
        root.on_tick();
    }
}

/// A request's headers have come.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_request_headers(id: u32, _count: usize, end_of_stream: u32) -> Action {
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
    contexts::with_stream(id, |http| http.on_response_trailers()).unwrap_or(Action::Pause)
}

/// The answer to a call has come; without headers the call failed.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_http_call_response(_root: u32, token: u32, headers: usize, _body: usize, _trailers: usize) {
    contexts::on_http_call_response(token, headers);
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
