//! A filter on the bare ABI that responds to every request itself: the minimum cost of a refusal by a filter that reads the
//! request headers and writes two words to the access log. It checks nothing. It has playlock's callbacks, so that Envoy
//! calls it as often.
#![no_std]

const PAUSE: i32 = 1;
const REQUEST_HEADERS: u32 = 0;
const NO_GRPC_STATUS: i32 = -1;

/// playlock's response to a request without a token: as many headers, a body as long.
const BODY: &[u8] = br#"{"type":"missing","title":"A token is needed and none was sent","status":403,"instance":"0a9b6dd5-0f70-4b51-b6ae-0d4ce8fd8f0e"}
"#;
const HEADERS: &[u8] = b"\x02\0\0\0\x0c\0\0\0\x18\0\0\0\x0d\0\0\0\x08\0\0\0content-type\0application/problem+json\0\
cache-control\0no-store\0";
const FACTS: [(&[u8], &[u8]); 2] = [(b"playlock.kind", b"playlist"), (b"playlock.reason", b"missing")];

/// The place for a request's headers: one request's at a time.
static mut MEMORY: [u8; 65536] = [0; 65536];

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, size: usize, value: *const u8, length: usize) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
}

include!("../../callbacks.rs");

/// The place for the host's values.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    if size <= 65536 { &raw mut MEMORY as *mut u8 } else { core::ptr::null_mut() }
}

/// A request's headers.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_request_headers(_context: i32, _count: i32, _end: i32) -> i32 {
    let (mut data, mut size) = (core::ptr::null_mut(), 0);
    let none = core::ptr::null();
    // SAFETY: the host writes a pointer and a number, and reads exactly the bytes of the constants.
    unsafe {
        proxy_get_header_map_pairs(REQUEST_HEADERS, &raw mut data, &raw mut size);
        for (path, value) in FACTS {
            proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len());
        }
        let (body, headers) = (BODY.as_ptr(), HEADERS.as_ptr());
        proxy_send_local_response(403, none, 0, body, BODY.len(), headers, HEADERS.len(), NO_GRPC_STATUS);
    }
    PAUSE
}
