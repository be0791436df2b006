// The callbacks that the minimal filters share and include, so that Envoy calls them as often as playlock.

const CONTINUE: i32 = 0;
const TRUE: i32 = 1;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// The version of the interface.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_abi_version_0_2_1() {}

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
