//! A filter that does nothing, on the bare ABI: what Envoy's wasm boundary costs at least. It has the callbacks that
//! playlock needs, so that Envoy calls it as often, and answers all of them with "continue".
#![no_std]

include!("../../callbacks.rs");

/// Where the host puts what it passes. It passes nothing here that anyone would read.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_memory_allocate(_size: usize) -> usize {
    0
}

/// A request's headers.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_request_headers(_context: i32, _count: i32, _end: i32) -> i32 {
    CONTINUE
}
