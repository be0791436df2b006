//! Independent messages under one key: CBC messages that all start with known IVs, with or without a pattern of blocks
//! that stay clear, and single blocks.

use core::array::from_fn;
use core::fmt;
use core::mem::take;
use core::slice::from_mut;

use crate::BLOCK;
use crate::backend::{self, Schedule};
use crate::cbc::{Run, WIDTH};

/// An expanded key, for any number of messages.
pub struct Key(Schedule);

/// The next blocks of one CBC message.
#[derive(Debug)]
pub struct Message<'a> {
    /// The IV, or the last block that was encrypted of this message.
    pub chain: [u8; BLOCK],
    /// The blocks that follow.
    pub blocks: &'a mut [[u8; BLOCK]],
}

/// How many blocks of a message under a pattern are brought together for one call of the kernel. Four messages take
/// 2 KB of stack.
const GATHERED: usize = 32;

impl Key {
    /// Expands a key of 16 bytes.
    pub fn new(key: &[u8; BLOCK]) -> Self {
        Self(Schedule::new(key))
    }

    /// Encrypts messages in place: of each the first block, then after every `skip` blocks, which stay clear, the next.
    /// The chain goes from one encrypted block to the next. With 0 every block is encrypted.
    ///
    /// This is the pattern `1:skip` of ISO/IEC 23001-7 section 9.6 (cbcs). As many messages as the kernel takes go
    /// through it side by side. The next one starts as soon as one ends.
    pub fn encrypt_messages<'a>(&self, skip: usize, messages: impl IntoIterator<Item = Message<'a>>) {
        let mut messages = messages.into_iter().filter(|message| !message.blocks.is_empty()).fuse();
        self.drive(skip, &mut messages);
    }

    fn drive<'a>(&self, skip: usize, messages: &mut dyn Iterator<Item = Message<'a>>) {
        let mut slots: [Option<Message<'a>>; WIDTH] = from_fn(|_| None);
        if skip == 0 {
            for slot in &mut slots {
                *slot = messages.next();
            }
            slots = self.encrypt_queue(slots, messages);
        }
        loop {
            for slot in &mut slots {
                if slot.as_ref().is_none_or(|message| message.blocks.is_empty()) {
                    *slot = messages.next();
                }
            }
            let mut live = slots.iter_mut().flatten();
            match [live.next(), live.next(), live.next(), live.next()] {
                [Some(a), Some(b), Some(c), Some(d)] if WIDTH == 4 => self.advance(skip, [a, b, c, d]),
                [Some(a), Some(b), Some(c), None] if WIDTH == 4 => self.advance(skip, [a, b, c]),
                [Some(a), Some(b), ..] => self.advance(skip, [a, b]),
                [Some(a), None, ..] => self.advance(skip, [a]),
                [None, ..] => return,
            }
        }
    }

    /// Encrypts messages for as long as there is one for each slot. Of the others the next blocks are left.
    fn encrypt_queue<'a>(
        &self,
        slots: [Option<Message<'a>>; WIDTH],
        messages: &mut dyn Iterator<Item = Message<'a>>,
    ) -> [Option<Message<'a>>; WIDTH] {
        if slots.iter().any(Option::is_none) {
            return slots;
        }
        let mut lanes = slots.map(|slot| slot.unwrap_or(Message { chain: [0; BLOCK], blocks: &mut [] }));
        backend::encrypt_queue(&self.0, &mut lanes, &mut || messages.next());
        lanes.map(Some)
    }

    fn advance<const N: usize>(&self, skip: usize, messages: [&mut Message<'_>; N]) {
        if skip == 0 { self.advance_whole(messages) } else { self.advance_pattern(skip, messages) }
    }

    /// Encrypts of each message as many blocks as the shortest has.
    fn advance_whole<const N: usize>(&self, messages: [&mut Message<'_>; N]) {
        let length = messages.iter().map(|message| message.blocks.len()).min().unwrap_or(0);
        let mut parts = messages.map(|message| {
            let (now, later) = take(&mut message.blocks).split_at_mut(length);
            message.blocks = later;
            (&mut message.chain, now)
        });
        self.encrypt(parts.each_mut().map(|(chain, blocks)| (&**chain, &mut **blocks)));
        for (chain, blocks) in parts {
            *chain = blocks.last().copied().unwrap_or(*chain);
        }
    }

    /// Brings the blocks together that the pattern encrypts, as many as the shortest message has, and puts them back.
    fn advance_pattern<const N: usize>(&self, skip: usize, mut messages: [&mut Message<'_>; N]) {
        let stride = skip.saturating_add(1);
        let counts = messages.iter().map(|message| message.blocks.len().div_ceil(stride));
        let count = counts.min().unwrap_or(0).min(GATHERED);
        let mut runs = messages.each_ref().map(|message| {
            let mut gathered = [[0; BLOCK]; GATHERED];
            for (gathered, block) in gathered.iter_mut().zip(message.blocks.iter().step_by(stride)) {
                *gathered = *block;
            }
            (message.chain, gathered)
        });
        self.encrypt(runs.each_mut().map(|(chain, gathered)| (&*chain, gathered.split_at_mut(count).0)));
        for ((_, gathered), message) in runs.iter().zip(&mut messages) {
            for (gathered, block) in gathered.iter().take(count).zip(message.blocks.iter_mut().step_by(stride)) {
                *block = *gathered;
                message.chain = *gathered;
            }
            let blocks = take(&mut message.blocks);
            let done = count.saturating_mul(stride).min(blocks.len());
            message.blocks = blocks.split_at_mut(done).1;
        }
    }

    /// Encrypts equally many blocks after each chaining value.
    fn encrypt<const N: usize>(&self, runs: [(&[u8; BLOCK], &mut [[u8; BLOCK]]); N]) {
        backend::encrypt(runs.map(|(chain, blocks)| Run { schedule: &self.0, chain, blocks }));
    }

    /// Encrypts each block by itself, in place (NIST SP 800-38A section 6.1).
    pub fn encrypt_blocks(&self, blocks: &mut [[u8; BLOCK]]) {
        const NONE: &[u8; BLOCK] = &[0; BLOCK];
        backend::encrypt_apart::<WIDTH>(&self.0, blocks);
        for block in blocks.as_chunks_mut::<WIDTH>().1 {
            self.encrypt([(NONE, from_mut(block))]);
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}
