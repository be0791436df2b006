//! Start of a playlist or MPD whose response headers are held back, kept in the filter instead of the proxy's buffer.

use alloc::vec::Vec;
use core::mem::take;

use crate::dash;
use crate::http::reply::Reason;
use crate::http::route::Format;
use crate::playlist;

/// Buffer space in bytes to assume in any proxy. Smaller limits are not used in practice.
const ROOM: usize = 16 << 10;

/// Start of a playlist or MPD.
///
/// After a pause, output goes through a buffer of the proxy whose limit the filter cannot read. The buffer had room for
/// the chunk received, but may not have room for the longer output. The excess is emitted with the next chunk.
#[derive(Debug)]
pub struct HeldStart {
    format: Format,
    held: bool,
    /// Content-Length of the body in bytes.
    length: Option<u64>,
    /// Number of body bytes received.
    came: u64,
    seen: Vec<u8>,
    owed: Vec<u8>,
    room: Option<usize>,
}

impl HeldStart {
    /// `held`: the response headers are held back until enough of the body has been received. `length`: Content-Length
    /// of the body.
    pub fn new(format: Format, held: bool, length: Option<u64>) -> Self {
        Self { format, held, length, came: 0, seen: Vec::new(), owed: Vec::new(), room: None }
    }

    /// Whether the complete body has been received, according to its Content-Length.
    pub fn has_all(&self) -> bool {
        self.length == Some(self.came)
    }

    /// Whether the response headers are held back.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Whether no output is pending.
    pub fn is_settled(&self) -> bool {
        !self.held && self.owed.is_empty()
    }

    /// Adds a chunk. Returns the bytes to process now; `None` while the headers must still be held back.
    ///
    /// # Errors
    /// [`Reason::Playlist`] or [`Reason::Mpd`] if the body is none.
    pub fn hold(&mut self, mut chunk: Vec<u8>, end_of_stream: bool) -> Result<Option<Vec<u8>>, Reason> {
        self.room = None;
        self.came = self.came.saturating_add(chunk.len() as u64);
        if !self.held {
            return Ok(Some(chunk));
        }
        let paused = !self.seen.is_empty();
        self.room = paused.then_some(chunk.len().max(ROOM));
        self.seen.append(&mut chunk);
        if !self.is_enough()? && !end_of_stream {
            return Ok(None);
        }
        self.held = false;
        Ok(Some(take(&mut self.seen)))
    }

    /// Whether the bytes received so far show what can be waited for.
    fn is_enough(&self) -> Result<bool, Reason> {
        let (is_one, shows_enough, refusal) = match self.format {
            Format::Hls => (playlist::is_playlist(&self.seen), playlist::shows_enough(&self.seen), Reason::Playlist),
            Format::Dash => (dash::is_mpd(&self.seen), dash::shows_enough(&self.seen) || self.has_all(), Reason::Mpd),
        };
        match is_one {
            Some(false) => Err(refusal),
            Some(true) => Ok(shows_enough),
            // A prologue without end: the rewriter has a limit.
            None => Ok(self.format == Format::Dash && shows_enough),
        }
    }

    /// Adds `out` to the pending output and returns the part to emit now.
    pub fn release(&mut self, mut out: Vec<u8>, end_of_stream: bool) -> Vec<u8> {
        if !self.owed.is_empty() {
            self.owed.append(&mut out);
            out = take(&mut self.owed);
        }
        if let Some(room) = self.room
            && !end_of_stream
            && out.len() > room
        {
            self.owed = out.split_off(room);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"#EXTM3U\n#EXTINF:4,\nsegment.ts\n";

    #[test]
    fn what_is_not_held_goes_through() {
        let mut start = HeldStart::new(Format::Hls, false, None);
        assert_eq!(start.hold(b"anything".to_vec(), false), Ok(Some(b"anything".to_vec())));
        assert_eq!(start.release(alloc::vec![1; 1 << 20], false).len(), 1 << 20);
        assert!(start.is_settled());
    }

    #[test]
    fn what_follows_a_pause_fits_where_the_chunk_was() {
        let mut start = HeldStart::new(Format::Hls, true, None);
        assert_eq!(start.hold(HEAD[..3].to_vec(), false), Ok(None));
        let chunk = [&HEAD[3..], &[b'#'; 20_000]].concat();
        let size = chunk.len();
        assert_eq!(start.hold(chunk, false).unwrap().unwrap().len(), size + 3);
        let out: Vec<u8> = (0..100_000u32).map(|at| (at % 251) as u8).collect();
        let first = start.release(out.clone(), false);
        assert_eq!(first.len(), size);
        assert!(!start.is_settled());
        // No pause preceded this chunk.
        assert_eq!(start.hold(Vec::new(), true), Ok(Some(Vec::new())));
        assert_eq!([first, start.release(Vec::new(), true)].concat(), out);
        assert!(start.is_settled());
    }

    #[test]
    fn what_is_no_playlist_is_refused() {
        assert_eq!(
            HeldStart::new(Format::Hls, true, None).hold(b"<html></html>".to_vec(), false),
            Err(Reason::Playlist)
        );
    }
}
