//! Host functions of the ABI and of WASI, as imported.

pub mod env {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        pub fn proxy_log(level: u32, text: *const u8, size: usize) -> u32;
        pub fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
        pub fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
        pub fn proxy_set_effective_context(context: u32) -> u32;
        pub fn proxy_get_buffer_bytes(b: u32, start: usize, most: usize, data: *mut *mut u8, size: *mut usize) -> u32;
        pub fn proxy_set_buffer_bytes(b: u32, start: usize, size: usize, data: *const u8, length: usize) -> u32;
        pub fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
        pub fn proxy_remove_header_map_value(map: u32, name: *const u8, size: usize) -> u32;
        pub fn proxy_replace_header_map_value(m: u32, n: *const u8, ns: usize, v: *const u8, vs: usize) -> u32;
        pub fn proxy_add_header_map_value(m: u32, n: *const u8, ns: usize, v: *const u8, vs: usize) -> u32;
        pub fn proxy_get_property(path: *const u8, size: usize, data: *mut *mut u8, length: *mut usize) -> u32;
        pub fn proxy_set_property(path: *const u8, size: usize, value: *const u8, length: usize) -> u32;
        pub fn proxy_get_shared_data(k: *const u8, ks: usize, v: *mut *mut u8, vs: *mut usize, cas: *mut u32) -> u32;
        pub fn proxy_set_shared_data(k: *const u8, ks: usize, v: *const u8, vs: usize, cas: u32) -> u32;
        pub fn proxy_continue_stream(stream: u32) -> u32;
        pub fn proxy_close_stream(stream: u32) -> u32;
        pub fn proxy_send_local_response(
            status: u32,
            details: *const u8,
            details_size: usize,
            body: *const u8,
            body_size: usize,
            headers: *const u8,
            headers_size: usize,
            grpc_status: i32,
        ) -> u32;
        pub fn proxy_http_call(
            upstream: *const u8,
            upstream_size: usize,
            headers: *const u8,
            headers_size: usize,
            body: *const u8,
            body_size: usize,
            trailers: *const u8,
            trailers_size: usize,
            timeout: u32,
            token: *mut u32,
        ) -> u32;
        pub fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32) -> u32;
        pub fn proxy_increment_metric(id: u32, by: i64) -> u32;
        pub fn proxy_record_metric(id: u32, value: u64) -> u32;
    }
}

pub mod wasi {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        pub fn random_get(buffer: *mut u8, length: usize) -> u16;
        pub fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u16;
        pub fn environ_get(pointers: *mut *mut u8, buffer: *mut u8) -> u16;
    }
}
