//! State shared by the streams of one worker: the batch that encrypts their segments, and its ticks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use playlock_core::bytes::output::Output;
use playlock_core::exchange::Exchange;
use playlock_core::media::batch::{Batch, StreamId};
use playlock_core::step::BodyStep;
use playlock_proxy_wasm::contexts::{self, Numbers};
use playlock_proxy_wasm::host;

use crate::metrics::Metrics;

/// Tick period. A chunk is held for at most two ticks.
const TICK: Duration = Duration::from_millis(1);

/// Time until the first tick, which shows the document's revision. Envoy tries each configuration in a VM that it then
/// drops, perhaps with the configuration: that VM lives to see no tick.
const FIRST_TICK: Duration = Duration::from_millis(100);

/// Largest output in bytes that waits for another callback while more follows: half of the proxy's default buffer for a
/// paused response.
const LARGEST_OWED: usize = 512 << 10;

/// Streams of one root context. Every worker has its own.
#[derive(Debug, Default)]
pub struct Worker {
    root: u32,
    metrics: Rc<Metrics>,
    batch: RefCell<Batch>,
    /// Streams resumed outside their own callbacks since their last chunk.
    resumed: RefCell<Numbers>,
    ticking: Cell<bool>,
    /// Whether the first tick has come.
    settled: Cell<bool>,
}

impl Worker {
    /// Creates the state for the streams of the context `root`, and requests the first tick. `batching`: chunks of several
    /// streams may be encrypted together.
    pub fn new(root: u32, metrics: Rc<Metrics>, batching: bool) -> Self {
        host::tick_every(root, FIRST_TICK);
        Self { root, metrics, batch: RefCell::new(Batch::new(batching)), ..Self::default() }
    }

    /// Returns the exchange's step for the next chunk of `stream`. Output for other streams that is ready as a result
    /// is sent by [`Worker::release`].
    pub fn on_body(&self, exchange: &mut Exchange, chunk: Vec<u8>, end_of_stream: bool, stream: StreamId) -> BodyStep {
        let resumed = self.resumed.borrow_mut().remove(&stream);
        let mut batch = self.batch.borrow_mut();
        match exchange.on_body_batched(chunk, end_of_stream, stream, &mut batch) {
            // Envoy still adds this chunk to the buffer of the pause that has ended. With Continue it stays there:
            // before 1.39.1, and later if it is empty or a runtime guard is off (envoyproxy/envoy issue 46841). With
            // another pause, it is sent when the stream resumes. What is too large for the buffer of a paused stream
            // would be lost then, and is better late than lost.
            BodyStep::Replace(out) if resumed && !out.is_empty() && (end_of_stream || out.len() <= LARGEST_OWED) => {
                batch.owe(stream, out);
                BodyStep::Hold
            }
            step => step,
        }
    }

    /// Replaces the `size` bytes of the current callback's stream with `out`, preceded by its pending output. `false`
    /// if the host rejects it.
    #[must_use]
    pub fn replace_body(&self, stream: StreamId, size: usize, out: &Output) -> bool {
        host::replace_response_body(size, out.parts()) && self.finish_body(stream)
    }

    /// Sends the stream's pending output before its trailers, in the trailers callback. `false` if the host rejects it.
    #[must_use]
    pub fn finish_body(&self, stream: StreamId) -> bool {
        // Not borrowed during the host call: the host may call back.
        let owed = self.batch.borrow_mut().take_owed(stream);
        owed.is_none_or(|owed| host::prepend_response_body(&owed.parts()))
    }

    /// Resumes streams other than `running` whose held chunks have been encrypted, and keeps ticks enabled while any
    /// chunk is held. Call this last in a callback: it changes the effective context.
    pub fn release(&self, running: Option<StreamId>) {
        // Not borrowed during host calls: the host may call back.
        let (ready, together) = {
            let mut batch = self.batch.borrow_mut();
            (batch.take_ready(running), batch.take_together())
        };
        self.metrics.count_batches(together);
        for (stream, out) in ready {
            let filled = fill_paused(stream, &out);
            if !contexts::is_alive(stream) {
                self.give_up("the proxy's buffer for a paused response is smaller than a chunk of it");
            } else if filled && host::continue_response() {
                self.resumed.borrow_mut().insert(stream);
            } else {
                host::reset_paused(stream);
            }
        }
        if self.batch.borrow().is_oversized() {
            self.give_up("a chunk of more than 128 KiB came");
        }
        let holding = self.batch.borrow().is_holding();
        if holding && !self.ticking.replace(true) {
            host::tick_every(self.root, TICK);
        }
    }

    /// Disables batching: the proxy's buffer sizes do not suit it. Slower streams are better than broken ones.
    fn give_up(&self, why: &str) {
        if self.batch.borrow_mut().stop() {
            host::warn(&format!(
                "batching ends on this worker: {why}; per_connection_buffer_limit_bytes of the cluster should be 65536, \
                 and that of the listener (for HTTP/2: initial_stream_window_size) 1048576"
            ));
        }
    }

    /// Handles a tick.
    pub fn tick(&self) {
        self.batch.borrow_mut().tick();
        self.release(None);
        let first = !self.settled.replace(true);
        if first {
            self.metrics.show_revision();
        }
        if !self.batch.borrow().is_holding() && (self.ticking.replace(false) || first) {
            host::tick_every(self.root, Duration::ZERO);
        }
    }

    /// Handles the end of a stream.
    pub fn forget(&self, stream: StreamId) {
        self.batch.borrow_mut().forget(stream);
        self.resumed.borrow_mut().remove(&stream);
    }
}

/// Fills the host's empty buffer of another, paused stream. Its context is effective afterwards.
fn fill_paused(stream: StreamId, outputs: &[Output]) -> bool {
    let put = |out: &Output| host::prepend_response_body(&out.parts());
    host::set_effective_context(stream) && outputs.iter().rev().all(put)
}
