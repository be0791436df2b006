//! Bytes that come out, in pieces that were not joined.

use alloc::vec::Vec;

/// The bytes that come out, in order. A group of samples is a piece of its own, so that nobody has to copy it.
#[derive(Debug, Default)]
pub struct Output {
    pieces: Vec<Piece>,
}

/// An output whose largest piece was not copied.
#[derive(Debug, Default)]
pub struct Parts {
    /// The bytes before it.
    pub head: Vec<u8>,
    /// The vector with the piece, which ends with it.
    pub middle: Vec<u8>,
    /// The beginning of the piece in the vector.
    pub start: usize,
    /// The bytes behind it.
    pub tail: Vec<u8>,
}

/// The bytes of a vector from `start`.
#[derive(Debug, Default)]
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
    pub fn into_vec(self) -> Vec<u8> {
        joined(self.pieces)
    }

    /// The largest piece as it is, and copies of what is before and behind it.
    pub fn into_parts(mut self) -> Parts {
        let largest = self.pieces.iter().enumerate().max_by_key(|(_, piece)| piece.bytes().len());
        let Some((at, _)) = largest else { return Parts::default() };
        let tail = joined(self.pieces.split_off(at.saturating_add(1)));
        let middle = self.pieces.pop().unwrap_or_default();
        Parts { head: joined(self.pieces), middle: middle.bytes, start: middle.start, tail }
    }

    /// Appends what another output has.
    pub fn append(&mut self, mut other: Self) {
        self.pieces.append(&mut other.pieces);
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

fn joined(mut pieces: Vec<Piece>) -> Vec<u8> {
    match pieces.pop() {
        Some(only) if pieces.is_empty() && only.start == 0 => only.bytes,
        Some(last) => {
            pieces.push(last);
            pieces.iter().map(Piece::bytes).collect::<Vec<_>>().concat()
        }
        None => Vec::new(),
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

    #[test]
    fn the_largest_piece_is_not_copied() {
        let mut output = Output::default();
        let Parts { head, middle, start, tail } = Output::default().into_parts();
        assert_eq!((head.len(), middle.len(), start, tail.len()), (0, 0, 0, 0));
        let large = b"xlarge".to_vec();
        let address = large.as_ptr();
        output.copy(b"a");
        output.hand_over(b"b".to_vec(), 0);
        output.hand_over(large, 1);
        output.copy(b"c");
        let mut more = Output::default();
        more.hand_over(b"d".to_vec(), 0);
        output.append(more);
        let parts = output.into_parts();
        assert_eq!((parts.head.as_slice(), parts.tail.as_slice()), (&b"ab"[..], &b"cd"[..]));
        assert_eq!((parts.middle.as_slice(), parts.start), (&b"xlarge"[..], 1));
        assert_eq!(parts.middle.as_ptr(), address);
    }
}
