//! Start of a playlist whose response headers are held back, kept in the filter instead of the proxy's buffer.

use alloc::vec::Vec;
use core::mem::take;

use crate::http::reply::Reason;
use crate::playlist;

/// Buffer space in bytes to assume in any proxy. Smaller limits are not used in practice.
const ROOM: usize = 16 << 10;

/// Start of a playlist.
///
/// After a pause, output goes through a buffer of the proxy whose limit the filter cannot read. The buffer had room for
/// the chunk received, but may not have room for the longer output. The excess is emitted with the next chunk.
#[derive(Debug, Default)]
pub struct HeldStart {
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
    pub fn new(held: bool, length: Option<u64>) -> Self {
        Self { held, length, ..Self::default() }
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
    /// [`Reason::Playlist`] if the body is not a playlist.
    pub fn hold(&mut self, mut chunk: Vec<u8>, end_of_stream: bool) -> Result<Option<Vec<u8>>, Reason> {
        self.room = None;
        self.came = self.came.saturating_add(chunk.len() as u64);
        if !self.held {
            return Ok(Some(chunk));
        }
        let paused = !self.seen.is_empty();
        self.room = paused.then_some(chunk.len().max(ROOM));
        self.seen.append(&mut chunk);
        let enough = match playlist::is_playlist(&self.seen) {
            Some(false) => return Err(Reason::Playlist),
            Some(true) => playlist::shows_enough(&self.seen),
            None => false,
        };
        if !enough && !end_of_stream {
            return Ok(None);
        }
        self.held = false;
        Ok(Some(take(&mut self.seen)))
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
        let mut start = HeldStart::new(false, None);
        assert_eq!(start.hold(b"anything".to_vec(), false), Ok(Some(b"anything".to_vec())));
        assert_eq!(start.release(alloc::vec![1; 1 << 20], false).len(), 1 << 20);
        assert!(start.is_settled());
    }

    #[test]
    fn what_follows_a_pause_fits_where_the_chunk_was() {
        let mut start = HeldStart::new(true, None);
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
        assert_eq!(HeldStart::new(true, None).hold(b"<html></html>".to_vec(), false), Err(Reason::Playlist));
    }
}
