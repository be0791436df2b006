//! A counting allocator: the bytes in use by this thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static IN_USE: Cell<isize> = const { Cell::new(0) };
}

/// The system's heap.
struct Counting;

#[global_allocator]
static HEAP: Counting = Counting;

fn count(bytes: usize, sign: isize) {
    // Not while a thread ends.
    let _ = IN_USE.try_with(|it| it.set(it.get() + sign * bytes.cast_signed()));
}

// SAFETY: every call goes to the system's heap as it is; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(layout.size(), -1);
        count(size, 1);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

/// Bytes of heap that this thread has taken and not given back.
pub fn in_use() -> isize {
    IN_USE.with(Cell::get)
}
