//! Memory that passes from the host to the module.

use std::alloc::{Layout, alloc};
use std::ptr::{NonNull, null_mut};

/// Memory of `size` bytes for what the host hands over; [`take`] becomes its owner. Null if there is none.
pub fn allocate(size: usize) -> *mut u8 {
    match Layout::array::<u8>(size) {
        Ok(layout) if size > 0 => {
            // SAFETY: the layout is not of size zero.
            unsafe { alloc(layout) }
        }
        Ok(_) => NonNull::dangling().as_ptr(),
        Err(_) => null_mut(),
    }
}

/// What the host has put into memory that it asked [`allocate`] for. Nothing if it left the pointer as it was.
///
/// # Safety
/// `data` is null, or `size` bytes from [`allocate`] that the host has filled and gives up.
pub unsafe fn take(data: *mut u8, size: usize) -> Vec<u8> {
    if data.is_null() || size == 0 {
        return Vec::new();
    }
    // SAFETY: the caller promises it; what `allocate` gives is a vector's memory.
    unsafe { Vec::from_raw_parts(data, size, size) }
}
