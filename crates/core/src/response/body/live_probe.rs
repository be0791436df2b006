//! The body of a playlist that opened a session, until it is known whether players will reload it.

use alloc::vec::Vec;

use super::playlist::PlaylistBody;
use super::pushed::Pushed;
use crate::bytes::output::Output;
use crate::http::reply::Reason;
use crate::playlist::LiveProbe;

/// A playlist of which it is not known whether it will be reloaded. It is rewritten meanwhile: what cannot be served is
/// refused now, not when it is reloaded.
#[derive(Debug)]
pub struct LiveProbeBody {
    playlist: PlaylistBody,
    probe: LiveProbe,
    /// What goes out in its place if it will be reloaded.
    master: Vec<u8>,
    /// What has come of it.
    seen: Vec<u8>,
    /// What goes out of that if it will not be reloaded.
    ready: Vec<u8>,
    /// Its announced length in bytes.
    length: Option<u64>,
}

/// What is known after a chunk.
#[derive(Debug)]
pub enum Probed {
    /// Nothing more yet.
    Unknown(Pushed),
    /// It will be reloaded: this master playlist goes out in its place.
    Live(Vec<u8>),
    /// It will not be reloaded: this is its beginning.
    NotLive(Pushed),
}

impl LiveProbeBody {
    /// `master` goes out in place of `playlist` if that will be reloaded. `length`: its announced length in bytes.
    pub fn new(playlist: PlaylistBody, master: Vec<u8>, length: Option<u64>) -> Self {
        Self { playlist, probe: LiveProbe::default(), master, seen: Vec::new(), ready: Vec::new(), length }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// As [`PlaylistBody::push`].
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
        // Its last line too, which may not have an end.
        if live || whole {
            rewriter.finish(&mut self.ready)?;
        }
        if live {
            return Ok(Probed::Live(core::mem::take(&mut self.master)));
        }
        let out = core::mem::take(&mut self.ready);
        Ok(Probed::NotLive(self.playlist.release(out, end_of_stream, held && whole)))
    }

    /// The playlist, which will not be reloaded.
    pub fn into_playlist(self) -> PlaylistBody {
        self.playlist
    }

    /// Whether the response's headers are held.
    pub fn is_held(&self) -> bool {
        self.playlist.is_held()
    }
}
