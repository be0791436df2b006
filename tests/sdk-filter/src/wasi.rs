//! Random bytes and environment, for which the SDK has no functions. A module for `wasm32-wasip1` would use `getrandom`
//! and `std::env`; this one is built like the filter, for `wasm32-unknown-unknown`.

use std::ptr::null_mut;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(buffer: *mut u8, length: usize) -> u16;
    fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u16;
    fn environ_get(pointers: *mut *mut u8, buffer: *mut u8) -> u16;
}

/// 16 random bytes.
pub fn random() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    // SAFETY: the host writes exactly the 16 bytes that the array has.
    (unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) } == 0).then_some(bytes)
}

/// The VM's environment variables. Omits those that are not UTF-8.
pub fn environment() -> Vec<(String, String)> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: the host writes one number behind each pointer.
    if unsafe { environ_sizes_get(&raw mut count, &raw mut size) } != 0 {
        return Vec::new();
    }
    let mut pointers = vec![null_mut(); count];
    let mut buffer = vec![0; size];
    // SAFETY: the host writes `count` pointers and `size` bytes, which it has just named.
    if unsafe { environ_get(pointers.as_mut_ptr(), buffer.as_mut_ptr()) } != 0 {
        return Vec::new();
    }
    let pair = |bytes| std::str::from_utf8(bytes).ok()?.split_once('=');
    let pairs = buffer.split(|byte| *byte == 0).filter_map(pair);
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
