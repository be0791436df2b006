//! A filter that does nothing, on the bare ABI: what Envoy's wasm boundary costs at least. It has the callbacks that
//! playlock needs, so that Envoy calls it as often, and answers all of them with "continue".
#![no_std]

const CONTINUE: i32 = 0;
const TRUE: i32 = 1;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// The version of the interface.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_abi_version_0_2_1() {}

/// Where the host puts what it passes. It passes nothing here that anyone would read.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_memory_allocate(_size: usize) -> usize {
    0
}

/// A new plugin or stream.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_context_create(_context: i32, _parent: i32) {}

/// The VM's start.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_vm_start(_root: i32, _size: i32) -> i32 {
    TRUE
}

/// The plugin's configuration.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_configure(_root: i32, _size: i32) -> i32 {
    TRUE
}

/// A request's headers.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_request_headers(_context: i32, _count: i32, _end: i32) -> i32 {
    CONTINUE
}

/// A response's headers.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_response_headers(_context: i32, _count: i32, _end: i32) -> i32 {
    CONTINUE
}

/// A chunk of a response's body.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_response_body(_context: i32, _size: i32, _end: i32) -> i32 {
    CONTINUE
}

/// A response's trailers.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_response_trailers(_context: i32, _count: i32) -> i32 {
    CONTINUE
}

/// The end of a stream.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_done(_context: i32) -> i32 {
    TRUE
}

/// The access log's moment.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_log(_context: i32) {}

/// Nothing will come for this context any more.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_delete(_context: i32) {}
