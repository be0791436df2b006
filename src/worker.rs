//! What the streams of one worker share: the batch through which their segments are encrypted, and its ticks.

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

/// A chunk is held for two of these at most.
const TICK: Duration = Duration::from_millis(1);

/// The streams of one root context, of which every worker has its own.
#[derive(Debug, Default)]
pub struct Worker {
    root: u32,
    metrics: Rc<Metrics>,
    batch: RefCell<Batch>,
    /// Streams that have gone on from other callbacks than their own since their last chunk.
    resumed: RefCell<Numbers>,
    ticking: Cell<bool>,
}

impl Worker {
    /// For the streams of the context `root`. `batching`: chunks of several streams may be encrypted together.
    pub fn new(root: u32, metrics: Rc<Metrics>, batching: bool) -> Self {
        Self { root, metrics, batch: RefCell::new(Batch::new(batching)), ..Self::default() }
    }

    /// The exchange's step for the next chunk of `stream`. What that has made ready of other streams goes out by
    /// [`Worker::release`].
    pub fn on_body(&self, exchange: &mut Exchange, chunk: Vec<u8>, end_of_stream: bool, stream: StreamId) -> BodyStep {
        let resumed = self.resumed.borrow_mut().remove(&stream);
        let mut batch = self.batch.borrow_mut();
        match exchange.on_body_batched(chunk, end_of_stream, stream, &mut batch) {
            // Envoy still puts this chunk into the buffer of the pause that is over. With Continue it stays there: before
            // 1.39.1, and later if it is empty or a runtime guard is off (envoyproxy/envoy issue 46841). With another
            // pause, it goes out when the stream goes on again.
            BodyStep::Replace(out) if resumed && !out.is_empty() => {
                batch.owe(stream, out);
                BodyStep::Hold
            }
            step => step,
        }
    }

    /// Puts `out` in place of the `size` bytes of the stream whose callback this is, after what it is owed. `false` if
    /// the host did not.
    #[must_use]
    pub fn replace_body(&self, stream: StreamId, size: usize, out: &Output) -> bool {
        host::replace_response_body(size, out.parts()) && self.finish_body(stream)
    }

    /// Puts what the stream is owed before its trailers, whose callback this is. `false` if the host did not.
    #[must_use]
    pub fn finish_body(&self, stream: StreamId) -> bool {
        // Not borrowed while the host is called: it might call back.
        let owed = self.batch.borrow_mut().take_owed(stream);
        owed.is_none_or(|owed| host::prepend_response_body(&owed.parts()))
    }

    /// Lets the other streams than `running` go on whose held chunks have been encrypted, and sees to it that there are
    /// ticks while any is held. Other contexts are in effect afterwards: this comes last in a callback.
    pub fn release(&self, running: Option<StreamId>) {
        // The host is called when the batch is not borrowed: it might call back.
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

    /// The proxy's buffers are not what batching needs; better slow than broken.
    fn give_up(&self, why: &str) {
        if self.batch.borrow_mut().stop() {
            host::warn(&format!(
                "batching ends on this worker: {why}; per_connection_buffer_limit_bytes of the cluster should be 65536, \
                 and that of the listener (for HTTP/2: initial_stream_window_size) 1048576"
            ));
        }
    }

    /// Time has passed.
    pub fn tick(&self) {
        self.batch.borrow_mut().tick();
        self.release(None);
        if !self.batch.borrow().is_holding() && self.ticking.replace(false) {
            host::tick_every(self.root, Duration::ZERO);
        }
    }

    /// A stream is over.
    pub fn forget(&self, stream: StreamId) {
        self.batch.borrow_mut().forget(stream);
        self.resumed.borrow_mut().remove(&stream);
    }
}

/// Puts outputs into the host's empty buffer of another stream, which is paused. Its context is in effect afterwards.
fn fill_paused(stream: StreamId, outputs: &[Output]) -> bool {
    let put = |out: &Output| host::prepend_response_body(&out.parts());
    host::set_effective_context(stream) && outputs.iter().rev().all(put)
}
