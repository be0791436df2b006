//! The replacement of a chunk's bytes, made without copying the chunk.

use alloc::vec::Vec;
use core::ops::Range;

use playlock_aes128::BLOCK;

use crate::bytes::bug;

/// The replacement of a chunk: a part of the chunk's own buffer, and bytes before and after it.
#[derive(Debug, Default)]
pub struct Output {
    head: Edge,
    /// The chunk's buffer, cut at the end of the part.
    buffer: Vec<u8>,
    /// The position in the buffer where the part begins.
    start: usize,
    tail: Edge,
}

/// Bytes beside the part of the buffer.
#[derive(Debug, Default)]
enum Edge {
    #[default]
    Nothing,
    Block([u8; BLOCK]),
    Bytes(Vec<u8>),
}

impl Edge {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Nothing => &[],
            Self::Block(block) => block,
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl From<Option<[u8; BLOCK]>> for Edge {
    fn from(block: Option<[u8; BLOCK]>) -> Self {
        block.map_or(Self::Nothing, Self::Block)
    }
}

impl Output {
    /// Creates an output of `head` and the part `middle` of `buffer`.
    pub(crate) fn new(head: Option<[u8; BLOCK]>, mut buffer: Vec<u8>, middle: Range<usize>) -> Self {
        buffer.truncate(bug::within(middle.end, buffer.len()));
        let start = bug::within(middle.start, buffer.len());
        Self { head: head.into(), buffer, start, tail: Edge::Nothing }
    }

    /// Appends a block after everything else.
    pub(crate) fn close(&mut self, tail: Option<[u8; BLOCK]>) {
        self.tail = tail.into();
    }

    /// The part of the buffer.
    pub(crate) fn middle_mut(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.start..).unwrap_or_else(|| bug::instead(&mut []))
    }

    /// The output's parts, in order. Any of them may be empty.
    pub fn parts(&self) -> [&[u8]; 3] {
        [self.head.bytes(), bug::look(&self.buffer, self.start..), self.tail.bytes()]
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
        if self.head.bytes().is_empty() && self.tail.bytes().is_empty() && self.start == 0 {
            return self.buffer;
        }
        self.parts().concat()
    }
}

impl From<Vec<u8>> for Output {
    fn from(bytes: Vec<u8>) -> Self {
        Self { head: Edge::Nothing, buffer: bytes, start: 0, tail: Edge::Nothing }
    }
}

impl From<playlock_cmaf::Output> for Output {
    fn from(output: playlock_cmaf::Output) -> Self {
        let playlock_cmaf::Parts { head, middle, start, tail } = output.into_parts();
        Self { head: Edge::Bytes(head), buffer: middle, start, tail: Edge::Bytes(tail) }
    }
}
