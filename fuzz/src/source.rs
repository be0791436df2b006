//! Decisions from a fuzzer's bytes: one byte at a time from the front, zeros after the end. The rest is text.

/// The bytes that are left.
#[derive(Debug, Clone)]
pub struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    /// All of `input`.
    pub fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// A number below `limit`, which is 256 at most.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit.max(1)
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Yes or no.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number from two bytes.
    pub fn number(&mut self) -> usize {
        usize::from(self.byte()) << 8 | usize::from(self.byte())
    }

    /// A size in bytes, most often small, at most 256 KiB.
    pub fn size(&mut self) -> usize {
        let exponent = self.below(15);
        let size = self.number();
        if exponent < 14 { size % (4 << exponent.min(11)) } else { size * 4 }
    }

    /// Bytes up to the next `end`, which is taken too; all that is left if there is none.
    pub fn until(&mut self, end: u8) -> &'a [u8] {
        let at = self.0.iter().position(|byte| *byte == end);
        let (before, rest) = self.0.split_at(at.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        before
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Cuts a body into pieces by bytes that say how long each is; the last decision holds for what they do not reach.
pub fn pieces<'b>(body: &'b [u8], source: &mut Source<'_>) -> Vec<&'b [u8]> {
    let mut pieces = Vec::new();
    let mut rest = body;
    while !rest.is_empty() && !source.is_empty() && pieces.len() < 4096 {
        let size = match source.byte() {
            byte @ 0..=63 => usize::from(byte),
            byte @ 64..=127 => usize::from(byte - 63) * 16,
            byte => usize::from(byte - 127) * 512,
        };
        let (piece, tail) = rest.split_at(size.min(rest.len()));
        pieces.push(piece);
        rest = tail;
    }
    pieces.push(rest);
    pieces
}
