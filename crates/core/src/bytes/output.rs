//! The replacement of a chunk's bytes, made without copying the chunk.

use alloc::vec::Vec;
use core::ops::Range;

use playlock_aes128::BLOCK;

use crate::bytes::bug;

/// The replacement of a chunk: a part of the chunk's own buffer, optionally with a block before and after it.
#[derive(Debug, Default)]
pub struct Output {
    head: Option<[u8; BLOCK]>,
    /// The chunk's buffer, cut at the end of the part.
    buffer: Vec<u8>,
    /// The position in the buffer where the part begins.
    start: usize,
    tail: Option<[u8; BLOCK]>,
}

impl Output {
    /// Creates an output of `head` and the part `middle` of `buffer`.
    pub(crate) fn new(head: Option<[u8; BLOCK]>, mut buffer: Vec<u8>, middle: Range<usize>) -> Self {
        buffer.truncate(bug::within(middle.end, buffer.len()));
        let start = bug::within(middle.start, buffer.len());
        Self { head, buffer, start, tail: None }
    }

    /// Appends a block after everything else.
    pub(crate) fn close(&mut self, tail: Option<[u8; BLOCK]>) {
        self.tail = tail;
    }

    /// The part of the buffer.
    pub(crate) fn middle_mut(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.start..).unwrap_or_else(|| bug::instead(&mut []))
    }

    /// The output's parts, in order. Any of them may be empty.
    pub fn parts(&self) -> [&[u8]; 3] {
        fn block(block: Option<&[u8; BLOCK]>) -> &[u8] {
            block.map(<[u8; BLOCK]>::as_slice).unwrap_or_default()
        }
        [block(self.head.as_ref()), bug::look(&self.buffer, self.start..), block(self.tail.as_ref())]
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
        if self.head.is_none() && self.tail.is_none() && self.start == 0 {
            return self.buffer;
        }
        self.parts().concat()
    }
}

impl From<Vec<u8>> for Output {
    fn from(bytes: Vec<u8>) -> Self {
        Self { head: None, buffer: bytes, start: 0, tail: None }
    }
}
