//! Body of a playlist that opened a session, until it is classified as live or not.

use alloc::vec::Vec;

use super::playlist::PlaylistBody;
use super::pushed::Pushed;
use crate::bytes::output::Output;
use crate::http::reply::Reason;
use crate::playlist::LiveProbe;

/// A playlist that is not yet classified as live or not. It is rewritten at the same time: a playlist that cannot be
/// served is rejected at once, not when it is reloaded.
#[derive(Debug)]
pub struct LiveProbeBody {
    playlist: PlaylistBody,
    probe: LiveProbe,
    /// Multivariant playlist to send if the playlist is live.
    master: Vec<u8>,
    /// Bytes received so far.
    seen: Vec<u8>,
    /// Rewritten playlist to send if it is not live.
    ready: Vec<u8>,
    /// Content-Length in bytes.
    length: Option<u64>,
}

/// Result of the probe after a chunk.
#[derive(Debug)]
pub enum Probed {
    /// Not yet classified.
    Unknown(Pushed),
    /// Live. Contains the multivariant playlist to send instead.
    Live(Vec<u8>),
    /// Not live. Contains the start of the rewritten playlist.
    NotLive(Pushed),
}

impl LiveProbeBody {
    /// `master` is sent instead of `playlist` if the latter is live. `length`: Content-Length in bytes.
    pub fn new(playlist: PlaylistBody, master: Vec<u8>, length: Option<u64>) -> Self {
        Self { playlist, probe: LiveProbe::default(), master, seen: Vec::new(), ready: Vec::new(), length }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// See [`PlaylistBody::push`].
    pub fn push(&mut self, chunk: Vec<u8>, end_of_stream: bool) -> Result<Probed, Reason> {
        let held = self.is_held();
        let PlaylistBody { rewriter, start } = &mut self.playlist;
        let Some(mut chunk) = start.hold(chunk, end_of_stream)? else { return Ok(Probed::Unknown(Pushed::Kept)) };
        rewriter.push(&chunk, &mut self.ready)?;
        self.seen.append(&mut chunk);
        let whole = end_of_stream || self.length == Some(self.seen.len() as u64);
        let Some(live) = self.probe.is_live(&self.seen, whole) else {
            return Ok(Probed::Unknown(Pushed::Out(Output::default())));
        };
        // Checks the last line too, which may lack a line end.
        if live || whole {
            rewriter.finish(&mut self.ready)?;
        }
        if live {
            return Ok(Probed::Live(core::mem::take(&mut self.master)));
        }
        let out = core::mem::take(&mut self.ready);
        Ok(Probed::NotLive(self.playlist.release(out, end_of_stream, held && whole)))
    }

    /// The playlist; call this if it is not live.
    pub fn into_playlist(self) -> PlaylistBody {
        self.playlist
    }

    /// Whether the response headers are held back.
    pub fn is_held(&self) -> bool {
        self.playlist.is_held()
    }
}
