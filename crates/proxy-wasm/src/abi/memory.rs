//! Memory that the host passes to the module.

use std::alloc::{Layout, alloc};
use std::ptr::{NonNull, null_mut};

/// Allocates `size` bytes for the host to fill; [`take`] takes ownership of them. Null if the allocation fails.
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

/// Takes ownership of the memory that the host obtained from [`allocate`]. Empty if the host did not set the pointer.
///
/// # Safety
/// `data` is null, or points to `size` bytes from [`allocate`] that the host has filled and no longer uses.
pub unsafe fn take(data: *mut u8, size: usize) -> Vec<u8> {
    if data.is_null() || size == 0 {
        return Vec::new();
    }
    // SAFETY: guaranteed by the caller; `allocate` uses the layout of a vector.
    unsafe { Vec::from_raw_parts(data, size, size) }
}
