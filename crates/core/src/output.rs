//! The replacement of a chunk's bytes, made without copying the chunk.

use alloc::vec::Vec;
use core::ops::Range;

use playlock_aes128::BLOCK;

/// What takes a chunk's place: a part of the chunk's own buffer, perhaps with a block before and after it.
#[derive(Debug, Default)]
pub struct Output {
    head: Option<[u8; BLOCK]>,
    buffer: Vec<u8>,
    middle: Range<usize>,
    tail: Option<[u8; BLOCK]>,
}

impl Output {
    /// `head`, then this part of `buffer`.
    pub(crate) fn new(head: Option<[u8; BLOCK]>, buffer: Vec<u8>, middle: Range<usize>) -> Self {
        Self { head, buffer, middle, tail: None }
    }

    /// Appends a block after everything else.
    pub(crate) fn close(&mut self, tail: Option<[u8; BLOCK]>) {
        self.tail = tail;
    }

    /// The part of the buffer.
    pub(crate) fn middle_mut(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.middle.clone()).unwrap_or_default()
    }

    /// Its parts in order. Any of them may be empty.
    pub fn parts(&self) -> [&[u8]; 3] {
        fn block(block: Option<&[u8; BLOCK]>) -> &[u8] {
            block.map(<[u8; BLOCK]>::as_slice).unwrap_or_default()
        }
        let middle = self.buffer.get(self.middle.clone()).unwrap_or_default();
        [block(self.head.as_ref()), middle, block(self.tail.as_ref())]
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes in one vector.
    pub fn into_vec(self) -> Vec<u8> {
        if self.head.is_none() && self.tail.is_none() && self.middle.start == 0 {
            let mut bytes = self.buffer;
            bytes.truncate(self.middle.end);
            return bytes;
        }
        self.parts().concat()
    }
}

impl From<Vec<u8>> for Output {
    fn from(bytes: Vec<u8>) -> Self {
        let middle = 0..bytes.len();
        Self::new(None, bytes, middle)
    }
}
