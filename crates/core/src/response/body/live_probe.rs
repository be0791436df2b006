//! Body of a playlist that is sent in another form if it is live, until it is classified as live or not.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::playlist::PlaylistBody;
use super::pushed::Pushed;
use crate::bytes::output::Output;
use crate::http::reply::Reason;
use crate::playlist::{LiveProbe, Rewriter};

/// A playlist that is not yet classified as live or not. It is rewritten at the same time: a playlist that cannot be
/// served is rejected at once, not when it is reloaded.
#[derive(Debug)]
pub struct LiveProbeBody {
    playlist: PlaylistBody,
    probe: LiveProbe,
    if_live: IfLive,
    /// Bytes received so far.
    seen: Vec<u8>,
    /// Rewritten playlist.
    ready: Vec<u8>,
    /// Content-Length in bytes.
    length: Option<u64>,
}

/// The response to send if the playlist is live.
#[derive(Debug)]
pub enum IfLive {
    /// This multivariant playlist.
    Wrapped(Vec<u8>),
    /// The playlist as this rewriter makes it, whose tokens end earlier.
    Renewed(Box<Rewriter>),
}

/// Result of the probe after a chunk.
#[derive(Debug)]
pub enum Probed {
    /// Not yet classified.
    Unknown(Pushed),
    /// Contains the multivariant playlist to send instead.
    Wrapped(Vec<u8>),
    /// Contains the start of the rewritten playlist.
    Playlist(Pushed),
}

impl LiveProbeBody {
    /// `if_live` is sent instead of `playlist` if the latter is live. `length`: Content-Length in bytes.
    pub fn new(playlist: PlaylistBody, if_live: IfLive, length: Option<u64>) -> Self {
        Self { playlist, probe: LiveProbe::default(), if_live, seen: Vec::new(), ready: Vec::new(), length }
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
        match &mut self.if_live {
            IfLive::Wrapped(master) if live => return Ok(Probed::Wrapped(core::mem::take(master))),
            IfLive::Renewed(renewed) if live => {
                self.ready.clear();
                renewed.push(&self.seen, &mut self.ready)?;
                renewed.finish(&mut self.ready)?;
            }
            IfLive::Wrapped(_) | IfLive::Renewed(_) => {}
        }
        let out = core::mem::take(&mut self.ready);
        Ok(Probed::Playlist(self.playlist.release(out, end_of_stream, held && whole)))
    }

    /// The playlist; call this once it is classified.
    pub fn into_playlist(self) -> PlaylistBody {
        self.playlist
    }

    /// Whether the response headers are held back.
    pub fn is_held(&self) -> bool {
        self.playlist.is_held()
    }
}
