//! Bytes that come out, in pieces that were not joined.

use alloc::vec::Vec;

/// The bytes that come out, in order. A group of samples is a piece of its own, so that nobody has to copy it.
#[derive(Debug, Default)]
pub struct Output {
    pieces: Vec<Piece>,
}

/// The bytes of a vector from `start`.
#[derive(Debug)]
struct Piece {
    bytes: Vec<u8>,
    start: usize,
    /// Whether bytes may be appended.
    open: bool,
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

impl Output {
    /// The pieces, in order.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(Piece::bytes)
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.pieces().fold(0, |sum, piece| sum.saturating_add(piece.len()))
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.pieces().all(<[u8]>::is_empty)
    }

    /// All bytes in one vector. Copies nothing if there is a single piece that fills its vector.
    pub fn into_vec(mut self) -> Vec<u8> {
        match self.pieces.pop() {
            Some(piece) if self.pieces.is_empty() && piece.start == 0 => piece.bytes,
            Some(piece) => {
                self.pieces.push(piece);
                self.pieces().collect::<Vec<_>>().concat()
            }
            None => Vec::new(),
        }
    }

    /// Appends a copy of `bytes`.
    pub(crate) fn copy(&mut self, bytes: &[u8]) {
        match self.pieces.last_mut() {
            _ if bytes.is_empty() => {}
            Some(last) if last.open => last.bytes.extend_from_slice(bytes),
            _ => self.pieces.push(Piece { bytes: bytes.to_vec(), start: 0, open: true }),
        }
    }

    /// Appends the bytes of a vector from `start`, without copying them.
    pub(crate) fn hand_over(&mut self, bytes: Vec<u8>, start: usize) {
        if start < bytes.len() {
            self.pieces.push(Piece { bytes, start, open: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_in_order() {
        let mut output = Output::default();
        assert!(output.is_empty());
        output.copy(b"a");
        output.copy(b"b");
        output.hand_over(b"xcd".to_vec(), 1);
        output.hand_over(b"x".to_vec(), 1);
        output.copy(b"e");
        assert_eq!(output.pieces().collect::<Vec<_>>(), [&b"ab"[..], b"cd", b"e"]);
        assert_eq!(output.len(), 5);
        assert_eq!(output.into_vec(), b"abcde");
    }
}
