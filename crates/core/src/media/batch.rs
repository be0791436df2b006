//! Batched encryption of chunks from several streams.
//!
//! A single CBC message leaves most of the CPU idle; four in parallel take little longer than one (crate
//! `playlock_aes128`). A chunk of one stream may therefore be held until chunks of others arrive, by these rules:
//!
//! - A stream that is alone is never held: a batch waits for at most as many chunks as different streams have sent one
//!   lately.
//! - A chunk is held until the next chunk of its own stream, until enough others have arrived, or until the second
//!   tick, whichever comes first. The last chunk of a body is never held.
//! - At most three chunks are held, of at most 128 KiB each.
//!
//! A proxy may be unable to send output in the callback of a stream's own chunk. That output is owed to the stream: it
//! is sent before the output of its next chunk, or alone with the next callback of another stream or the next tick.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use playlock_aes128::encrypt_lanes;

use crate::bytes::bug;
use crate::bytes::output::Output;
use crate::media::segment::SegmentEncryptor;

/// The number of messages that the cipher encrypts in parallel.
const LANES: usize = 4;

/// The number of recent chunks by which busy streams are counted.
const RECENT: usize = 2 * LANES;

/// Smallest chunk in bytes that is worth holding.
const SMALLEST: usize = 1 << 10;

/// Largest chunk in bytes that is held. A proxy that delivers more at a time may do so while a stream is paused, and
/// then its buffer for the paused stream may be too small.
const LARGEST: usize = 128 << 10;

/// Identifies a stream within a worker.
pub type StreamId = u32;

/// The encryption of a segment, shared by its exchange and the batch.
pub type SharedEncryptor = Rc<RefCell<SegmentEncryptor>>;

/// A chunk that is held.
#[derive(Debug)]
struct Held {
    stream: StreamId,
    encryptor: SharedEncryptor,
    chunk: Vec<u8>,
}

/// The chunks of a worker's streams that are being encrypted.
#[derive(Debug, Default)]
pub struct Batch {
    on: bool,
    /// The streams of the last chunks.
    recent: [Option<StreamId>; RECENT],
    next: usize,
    held: Vec<Held>,
    ready: Vec<(StreamId, Output)>,
    /// Output owed to streams, at most one each. It precedes any ready output of the same stream.
    owed: Vec<(StreamId, Output)>,
    /// The number of batches of several chunks since it was last taken.
    together: u32,
    /// The held chunks have seen a tick.
    waited: bool,
    /// The last chunk was larger than may be held.
    oversized: bool,
}

impl Batch {
    /// Creates a batch that holds chunks if `on`, and encrypts each at once otherwise.
    pub fn new(on: bool) -> Self {
        Self { on, ..Self::default() }
    }

    /// Takes a stream's next chunk of plaintext. `more`: another one will follow. Returns the ciphertext to send now;
    /// `None` if the chunk is held, and its output comes from [`Batch::take_ready`] or with the stream's next chunk.
    pub(crate) fn push(
        &mut self,
        stream: StreamId,
        encryptor: &SharedEncryptor,
        mut chunk: Vec<u8>,
        more: bool,
    ) -> Option<Output> {
        if !self.on && self.held.is_empty() {
            return Some(encryptor.borrow_mut().push(chunk));
        }
        self.oversized = chunk.len() > LARGEST;
        self.saw(stream);
        if let Some(mut before) = self.take(stream) {
            before.append(&mut chunk);
            chunk = before;
        }
        let held = Held { stream, encryptor: Rc::clone(encryptor), chunk };
        let worth = (SMALLEST..=LARGEST).contains(&held.chunk.len());
        if self.on && more && worth && self.held.len() + 1 < self.busy().min(LANES) {
            self.held.push(held);
            return None;
        }
        self.held.push(held);
        self.flush();
        // Its own was the last.
        self.ready.pop().map(|(_, out)| out).or_else(|| bug::instead(None))
    }

    /// Takes the output that is ready for other streams, and the output owed to streams other than `running`, the one
    /// in whose callback this is called. The outputs of a stream are in order.
    pub fn take_ready(&mut self, running: Option<StreamId>) -> Vec<(StreamId, [Output; 2])> {
        let ready = core::mem::take(&mut self.ready);
        let after = |(stream, out)| (stream, [self.take_owed(stream).unwrap_or_default(), out]);
        let mut ready: Vec<_> = ready.into_iter().map(after).collect();
        let is_held = |stream| self.held.iter().any(|held| held.stream == stream);
        let goes = |(stream, _): &mut (StreamId, Output)| Some(*stream) != running && !is_held(*stream);
        ready.extend(self.owed.extract_if(.., goes).map(|(stream, out)| (stream, [out, Output::default()])));
        ready
    }

    /// Records output that the stream's callback cannot send.
    pub fn owe(&mut self, stream: StreamId, out: Output) {
        self.owed.push((stream, out));
    }

    /// Takes the output owed to a stream, to be sent now.
    pub fn take_owed(&mut self, stream: StreamId) -> Option<Output> {
        let at = self.owed.iter().position(|(of, _)| *of == stream)?;
        Some(self.owed.swap_remove(at).1)
    }

    /// The number of batches of several chunks since the last call.
    pub fn take_together(&mut self) -> u32 {
        core::mem::take(&mut self.together)
    }

    /// Whether the last chunk was larger than may be held.
    pub fn is_oversized(&self) -> bool {
        self.oversized
    }

    /// Stops holding chunks, permanently. Held chunks are encrypted with the next tick or chunk. Returns whether the
    /// batch was on until now.
    pub fn stop(&mut self) -> bool {
        self.oversized = false;
        self.waited = true;
        core::mem::take(&mut self.on)
    }

    /// Whether anything is held or owed, so that ticks are needed.
    pub fn is_holding(&self) -> bool {
        !self.held.is_empty() || !self.owed.is_empty()
    }

    /// Encrypts the chunks that were already held at the last tick.
    pub fn tick(&mut self) {
        if self.waited {
            self.flush();
        } else {
            self.waited = !self.held.is_empty();
        }
    }

    /// Discards all chunks and output of a stream that has ended or was reset.
    pub fn forget(&mut self, stream: StreamId) {
        self.held.retain(|held| held.stream != stream);
        self.ready.retain(|(of, _)| *of != stream);
        self.owed.retain(|(of, _)| *of != stream);
    }

    /// Records the stream of a chunk.
    fn saw(&mut self, stream: StreamId) {
        if let Some(slot) = self.recent.get_mut(self.next % RECENT) {
            *slot = Some(stream);
        }
        self.next = (self.next + 1) % RECENT;
    }

    /// The number of different streams among the last chunks.
    fn busy(&self) -> usize {
        let known = |at: usize| self.recent.iter().take(at);
        let first = |(at, stream): &(usize, &Option<StreamId>)| stream.is_some() && !known(*at).any(|s| s == *stream);
        self.recent.iter().enumerate().filter(first).count()
    }

    /// Removes and returns the chunk that is held of a stream.
    fn take(&mut self, stream: StreamId) -> Option<Vec<u8>> {
        let at = self.held.iter().position(|held| held.stream == stream)?;
        Some(self.held.remove(at).chunk)
    }

    /// Encrypts all held chunks, in order, and makes their output ready.
    fn flush(&mut self) {
        self.waited = false;
        let begin = |held: Held| {
            let out = held.encryptor.borrow_mut().begin(held.chunk);
            (held.stream, held.encryptor, out)
        };
        self.together += u32::from(self.held.len() > 1);
        let mut begun: Vec<_> = self.held.drain(..).map(begin).collect();
        {
            // Each stream occurs once, so no encryptor is borrowed twice.
            let mut running: Vec<_> = begun.iter_mut().map(|(_, segment, out)| (segment.borrow_mut(), out)).collect();
            let mut lanes: Vec<_> = running.iter_mut().map(|(segment, out)| segment.lane(out)).collect();
            encrypt_lanes(&mut lanes);
        }
        self.ready.extend(begun.into_iter().map(|(stream, _, out)| (stream, out)));
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers are small")]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::token::derive::ContentKey;

    /// A stream's plaintext, the number of bytes pushed, and the output.
    struct Viewer {
        encryptor: SharedEncryptor,
        plain: Vec<u8>,
        at: usize,
        out: Vec<u8>,
        /// The stream was resumed from another callback, so its next callback sends nothing.
        resumed: bool,
    }

    fn key(of: u8) -> ContentKey {
        ContentKey { key: [of; 16], iv: [of ^ 0xff; 16] }
    }

    fn viewer(of: u8, size: usize) -> Viewer {
        let plain = (0..size).map(|at| (at * 7 + usize::from(of)) as u8).collect();
        let encryptor = Rc::new(RefCell::new(SegmentEncryptor::new(&key(of))));
        Viewer { encryptor, plain, at: 0, out: Vec::new(), resumed: false }
    }

    /// Pushes the stream's next bytes, and delivers ready output to the other streams.
    fn give(batch: &mut Batch, viewers: &mut [Viewer], of: usize, size: usize) -> bool {
        let viewer = &mut viewers[of];
        let end = (viewer.at + size).min(viewer.plain.len());
        let (chunk, more) = (viewer.plain[viewer.at..end].to_vec(), end < viewer.plain.len());
        viewer.at = end;
        let out = batch.push(of as StreamId, &viewer.encryptor, chunk, more);
        let held = out.is_none();
        assert!(more || !held, "the last chunk is never held");
        match out {
            Some(out) if core::mem::take(&mut viewer.resumed) => batch.owe(of as StreamId, out),
            // In order: output that was held or owed comes first.
            Some(out) => {
                let owed = batch.take_owed(of as StreamId);
                viewer.out.extend(owed.into_iter().chain([out]).flat_map(Output::into_vec));
            }
            None => viewer.resumed = false,
        }
        collect(batch, viewers, Some(of as StreamId));
        held
    }

    fn collect(batch: &mut Batch, viewers: &mut [Viewer], running: Option<StreamId>) {
        for (stream, outputs) in batch.take_ready(running) {
            assert!(Some(stream) != running && !batch.held.iter().any(|held| held.stream == stream));
            let viewer = &mut viewers[stream as usize];
            viewer.out.extend(outputs.into_iter().flat_map(Output::into_vec));
            viewer.resumed = true;
        }
    }

    /// Pseudo-random numbers (xorshift).
    fn numbers(mut state: u64) -> impl FnMut(usize) -> usize {
        move |below| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        }
    }

    #[test]
    fn every_stream_comes_out_as_if_it_were_alone() {
        for seed in 1..40 {
            let mut number = numbers(seed);
            let mut batch = Batch::new(true);
            let mut viewers: Vec<_> = (0..1 + number(9)).map(|of| viewer(of as u8, number(200_000))).collect();
            let mut left: Vec<usize> = (0..viewers.len()).collect();
            let mut gone = vec![];
            while !left.is_empty() {
                let chosen = number(left.len());
                let of = left[chosen];
                match number(40) {
                    0 => {
                        batch.forget(of as StreamId);
                        gone.push(left.swap_remove(chosen));
                        continue;
                    }
                    1 => {
                        batch.tick();
                        collect(&mut batch, &mut viewers, None);
                        continue;
                    }
                    2 if seed % 5 == 0 => {
                        batch.stop();
                    }
                    _ => {}
                }
                let size = [1, 15, 16, 1000, 16_384, 65_536, 81_920, 200_000][number(8)];
                give(&mut batch, &mut viewers, of, size);
                assert!(batch.held.len() < LANES);
                if viewers[of].at == viewers[of].plain.len() {
                    left.swap_remove(chosen);
                }
            }
            assert!(!batch.held.iter().any(|held| gone.contains(&(held.stream as usize))));
            collect(&mut batch, &mut viewers, None);
            assert!(!batch.is_holding());
            for (of, viewer) in viewers.iter().enumerate() {
                let expected =
                    SegmentEncryptor::new(&key(of as u8)).push(viewer.plain[..viewer.at].to_vec()).into_vec();
                if gone.contains(&of) {
                    assert!(expected.starts_with(&viewer.out), "seed {seed}, stream {of}");
                } else {
                    assert_eq!(viewer.out, expected, "seed {seed}, stream {of}");
                }
            }
        }
    }

    #[test]
    fn a_stream_alone_is_never_held() {
        let mut batch = Batch::new(true);
        let mut viewers = [viewer(1, 1 << 20)];
        assert!(!(0..15).any(|_| give(&mut batch, &mut viewers, 0, 65_536)));
    }

    #[test]
    fn four_busy_streams_go_together_and_two_do_not_wait_for_more() {
        for (streams, held) in [(2, 1), (3, 2), (4, 3), (7, 3)] {
            let mut batch = Batch::new(true);
            let mut viewers: Vec<_> = (0..streams).map(|of| viewer(of as u8, 4 << 20)).collect();
            for round in 0..8 * streams {
                give(&mut batch, &mut viewers, round % streams, 65_536);
            }
            batch.stop();
            batch.tick();
            collect(&mut batch, &mut viewers, None);
            batch.on = true;
            let waits = (0..=held).filter(|of| give(&mut batch, &mut viewers, *of, 65_536)).count();
            assert_eq!(waits, held, "of {streams} streams");
            assert!(batch.held.is_empty());
        }
    }

    #[test]
    fn what_others_do_not_follow_goes_with_the_second_tick_or_with_its_next_chunk() {
        for ticks in [true, false] {
            let mut batch = Batch::new(true);
            let mut viewers = [viewer(1, 1 << 20), viewer(2, 1 << 20)];
            give(&mut batch, &mut viewers, 0, 65_536);
            assert!(give(&mut batch, &mut viewers, 1, 65_536));
            assert_eq!(viewers[1].out.len(), 0);
            if ticks {
                batch.tick();
                assert!(batch.is_holding());
                batch.tick();
                collect(&mut batch, &mut viewers, None);
                assert_eq!(viewers[1].out.len(), 65_536);
            } else {
                assert!(!give(&mut batch, &mut viewers, 1, 65_537));
                assert_eq!(viewers[1].out.len(), 131_072);
            }
            assert!(!batch.is_holding());
        }
    }

    #[test]
    fn what_is_owed_goes_with_the_next_callback_of_another_or_with_the_next_tick() {
        let mut batch = Batch::new(true);
        let mut viewers = [viewer(1, 1 << 20), viewer(2, 1 << 20)];
        let held = [0, 1, 0, 0, 1].map(|of| give(&mut batch, &mut viewers, of, 65_536));
        assert_eq!(held, [false, true, false, true, false]);
        assert!(batch.is_holding() && viewers[1].out.len() == 65_536 && viewers[0].resumed);
        batch.tick();
        collect(&mut batch, &mut viewers, None);
        assert!(!batch.is_holding() && viewers[1].out.len() == 131_072);
        for of in [0, 1, 0] {
            give(&mut batch, &mut viewers, of, 65_536);
        }
        assert_eq!(viewers[1].out.len(), 196_608);
    }

    #[test]
    fn a_chunk_that_is_too_large_is_told() {
        let mut batch = Batch::new(true);
        let mut viewers = [viewer(1, 1 << 20)];
        give(&mut batch, &mut viewers, 0, LARGEST);
        assert!(!batch.is_oversized());
        give(&mut batch, &mut viewers, 0, LARGEST + 1);
        assert!(batch.is_oversized() && batch.stop() && !batch.stop());
    }
}
