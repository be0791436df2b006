//! Body of an MPD.

use alloc::vec::Vec;
use core::fmt;

use super::held_start::HeldStart;
use super::pushed::Pushed;
use crate::bytes::output::Output;
use crate::dash::{self, DashError, MpdLinks, Rewriter};
use crate::http::reply::Reason;
use crate::http::route::Format;

/// Rewrites an MPD.
pub struct MpdBody {
    rewriter: Rewriter<MpdLinks>,
    start: HeldStart,
    /// The rewriter has seen the end.
    finished: bool,
    cause: Option<DashError>,
}

impl MpdBody {
    /// `held`: the response headers are held back until enough of the body has been received. `length`: Content-Length
    /// in bytes.
    pub fn new(rewriter: Rewriter<MpdLinks>, held: bool, length: Option<u64>) -> Self {
        Self { rewriter, start: HeldStart::new(Format::Dash, held, length), finished: false, cause: None }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// [`Reason::Mpd`] if the MPD is refused, [`Reason::Length`] for bytes beyond the Content-Length.
    pub fn push(&mut self, chunk: Vec<u8>, end_of_stream: bool) -> Result<Pushed, Reason> {
        if self.finished && !chunk.is_empty() {
            return Err(Reason::Length);
        }
        let held = self.start.is_held();
        let Some(chunk) =
            self.start.hold(chunk, end_of_stream).inspect_err(|_| self.cause = Some(DashError::NotMpd))?
        else {
            return Ok(Pushed::Kept);
        };
        let whole = end_of_stream || self.start.has_all();
        let mut out = Vec::with_capacity(chunk.len().saturating_add(chunk.len() / 8).saturating_add(1024));
        self.rewriter.push(&chunk, &mut out).map_err(|error| self.refused(error))?;
        if whole && !self.finished {
            self.rewriter.finish(&mut out).map_err(|error| self.refused(error))?;
            self.finished = true;
        }
        let out: Output = self.start.release(out, end_of_stream).into();
        Ok(if held && whole && self.start.is_settled() { Pushed::Last(out) } else { Pushed::Out(out) })
    }

    fn refused(&mut self, error: DashError) -> Reason {
        self.cause = Some(error);
        dash::reason(error)
    }

    /// The fault of the MPD, after [`Reason::Mpd`].
    pub fn cause(&self) -> Option<DashError> {
        self.cause
    }

    /// Whether the response headers are held back.
    pub fn is_held(&self) -> bool {
        self.start.is_held()
    }

    /// Whether the body may end here without another call.
    pub fn is_complete(&self) -> bool {
        self.finished && self.start.is_settled()
    }
}

impl fmt::Debug for MpdBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MpdBody").field("start", &self.start).field("finished", &self.finished).finish_non_exhaustive()
    }
}
