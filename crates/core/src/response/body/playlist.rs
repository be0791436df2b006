//! Body of a playlist.

use alloc::vec::Vec;

use super::held_start::HeldStart;
use super::pushed::Pushed;
use crate::http::reply::Reason;
use crate::http::route::Format;
use crate::playlist::Rewriter;

/// Rewrites a playlist.
#[derive(Debug)]
pub struct PlaylistBody {
    pub(super) rewriter: Rewriter,
    pub(super) start: HeldStart,
}

impl PlaylistBody {
    /// `held`: the response headers are held back until enough of the body has been received. `length`: Content-Length
    /// in bytes.
    pub fn new(rewriter: Rewriter, held: bool, length: Option<u64>) -> Self {
        Self { rewriter, start: HeldStart::new(Format::Hls, held, length) }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// See [`Rewriter::push`].
    pub fn push(&mut self, chunk: Vec<u8>, end_of_stream: bool) -> Result<Pushed, Reason> {
        let held = self.start.is_held();
        let Some(chunk) = self.start.hold(chunk, end_of_stream)? else { return Ok(Pushed::Kept) };
        let mut out = Vec::with_capacity(self.rewriter.expected(chunk.len()));
        self.rewriter.push(&chunk, &mut out)?;
        let whole = end_of_stream || held && self.start.has_all();
        if whole {
            self.rewriter.finish(&mut out)?;
        }
        Ok(self.release(out, end_of_stream, held && whole))
    }

    /// Emits `out`, as far as the proxy's buffer has room. `whole`: the headers were held back until now, and the
    /// playlist is complete.
    pub(super) fn release(&mut self, out: Vec<u8>, end_of_stream: bool, whole: bool) -> Pushed {
        let out = self.start.release(out, end_of_stream).into();
        if whole && self.start.is_settled() { Pushed::Last(out) } else { Pushed::Out(out) }
    }

    /// Whether the response headers are held back.
    pub fn is_held(&self) -> bool {
        self.start.is_held()
    }

    /// Whether the body may end here without another call.
    pub fn is_complete(&self) -> bool {
        self.start.is_settled() && self.rewriter.is_settled()
    }
}
