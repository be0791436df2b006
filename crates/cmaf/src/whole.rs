//! Samples that are protected from the first byte to the last under cbcs, streamed: memory for less than a block.

use alloc::vec::Vec;
use core::iter::from_fn;
use core::mem::take;
use core::slice::from_mut;

use playlock_aes128::Message;
use zeroize::Zeroize;

use crate::Error;
use crate::fragment::{Cursor, Fragment};
use crate::output::Output;
use crate::settings::{BLOCK, Settings};

/// The samples of a fragment on their way. Every sample is a CBC message of its own with the constant IV, and the rest of a
/// sample below a block stays clear (ISO/IEC 23001-7 section 9.6).
pub(crate) struct Whole {
    position: Position,
    iv: [u8; BLOCK],
    /// The IV, or the last block of the current sample.
    chain: [u8; BLOCK],
    /// The beginning of a block of the current sample.
    carry: Vec<u8>,
}

/// The position in the samples of a fragment.
#[derive(Default)]
struct Position {
    /// The sample after the current one.
    next: Cursor,
    /// The bytes of the current sample that are still to come.
    left: usize,
}

impl Position {
    /// Cuts the next piece of one sample off `rest`: whether the sample begins with it, and the piece. `None` at the end of
    /// `rest`, and behind the last sample.
    fn cut<'a>(&mut self, fragment: &Fragment, rest: &mut &'a mut [u8]) -> Option<(bool, &'a mut [u8])> {
        if rest.is_empty() {
            return None;
        }
        let begins = self.left == 0;
        while self.left == 0 {
            self.left = usize::try_from(fragment.size(self.next)?).ok()?;
            self.next = fragment.after(self.next);
        }
        let length = self.left.min(rest.len());
        let (piece, behind) = take(rest).split_at_mut_checked(length)?;
        *rest = behind;
        self.left = self.left.saturating_sub(length);
        Some((begins, piece))
    }
}

impl Whole {
    /// Begins with the first sample of a fragment.
    pub(crate) fn new(iv: [u8; BLOCK]) -> Self {
        Self { position: Position::default(), iv, chain: iv, carry: Vec::with_capacity(BLOCK) }
    }

    /// Whether all bytes of all samples have come.
    pub(crate) fn is_done(&self, fragment: &Fragment) -> bool {
        let mut next = self.position.next;
        while fragment.size(next) == Some(0) {
            next = fragment.after(next);
        }
        self.position.left == 0 && fragment.size(next).is_none()
    }

    /// Encrypts the samples' next bytes, those of `bytes` from `start`, and appends them to `out` without copying.
    ///
    /// # Errors
    /// [`Error::UnreferencedData`] behind the last sample.
    pub(crate) fn feed(
        &mut self,
        fragment: &Fragment,
        settings: &Settings,
        mut bytes: Vec<u8>,
        mut start: usize,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Self { position, iv, chain, carry } = self;
        if !carry.is_empty() {
            let Some(taken) = complete(carry, bytes.get(start..).unwrap_or_default(), &mut position.left) else {
                return Ok(());
            };
            start = start.saturating_add(taken);
            let mut block = <[u8; BLOCK]>::try_from(carry.as_slice()).map_err(|_| Error::bug())?;
            carry.clear();
            settings.key.encrypt_messages(0, [Message { chain: *chain, blocks: from_mut(&mut block) }]);
            *chain = block;
            out.copy(&block);
        }
        let mut rest = bytes.get_mut(start..).unwrap_or_default();
        // Of the last piece: whether it has a block, and the bytes behind its blocks.
        let (mut any, mut tail) = (false, 0);
        settings.key.encrypt_messages(
            0,
            from_fn(|| {
                let (begins, piece) = position.cut(fragment, &mut rest)?;
                if begins {
                    *chain = *iv;
                }
                let (blocks, behind) = piece.as_chunks_mut();
                (any, tail) = (!blocks.is_empty(), behind.len());
                Some(Message { chain: *chain, blocks })
            }),
        );
        if !rest.is_empty() {
            return Err(Error::UnreferencedData);
        }
        if position.left > 0 {
            let (done, begun) = bytes.split_at_checked(bytes.len().saturating_sub(tail)).ok_or_else(Error::bug)?;
            if any {
                *chain = *done.last_chunk().ok_or_else(Error::bug)?;
            }
            // A block that the sample does not complete stays clear.
            if tail.saturating_add(position.left) >= BLOCK {
                carry.extend_from_slice(begun);
                bytes.truncate(bytes.len().saturating_sub(tail));
            }
        }
        out.hand_over(bytes, start);
        Ok(())
    }
}

/// Moves bytes of the current sample into `carry` until it is a block: how many. `None` if there are too few.
fn complete(carry: &mut Vec<u8>, bytes: &[u8], left: &mut usize) -> Option<usize> {
    let missing = BLOCK.saturating_sub(carry.len());
    let first = bytes.get(..missing).unwrap_or(bytes);
    carry.extend_from_slice(first);
    *left = left.saturating_sub(first.len());
    (first.len() == missing).then_some(missing)
}

impl Drop for Whole {
    fn drop(&mut self) {
        self.carry.zeroize();
    }
}
