//! A filter on the bare ABI that does nothing: the minimum cost of Envoy's wasm boundary. It has playlock's callbacks, so that
//! Envoy calls it as often, and returns "continue" from all of them.
#![no_std]

include!("../../callbacks.rs");

/// The place for the host's values. It passes none that anyone would read.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_memory_allocate(_size: usize) -> usize {
    0
}

/// A request's headers.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_request_headers(_context: i32, _count: i32, _end: i32) -> i32 {
    CONTINUE
}
