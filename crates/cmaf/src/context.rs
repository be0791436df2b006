//! The state of a stream apart from the box that is arriving.

use alloc::vec::Vec;
use core::mem::take;
use core::ops::Range;

use crate::boxes::FourCc;
use crate::output::Output;
use crate::settings::Settings;
use crate::{Error, MAX_BOX, MAX_TRACKS, Samples, Track};

/// State that lasts from box to box.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    /// The facts known about tracks, at most [`MAX_TRACKS`].
    pub(crate) tracks: Vec<Track>,
    /// Whether positions in the stream are not the origin's any more.
    pub(crate) changed: bool,
    /// The output of the current chunk.
    pub(crate) out: Output,
    /// Boxes from an index on: the next fragment decides whether the index stays true.
    pub(crate) held: Vec<u8>,
    /// The indexes among them.
    indexes: Vec<Range<usize>>,
}

impl Context {
    pub(crate) fn new(settings: Settings) -> Self {
        let tracks = settings.tracks.clone();
        let (held, indexes) = (Vec::new(), Vec::new());
        Self { settings, tracks, changed: false, out: Output::default(), held, indexes }
    }

    /// Appends bytes of boxes that stay as they are, behind those that are held.
    ///
    /// # Errors
    /// [`Error::BoxTooLarge`] if too much would be held.
    pub(crate) fn pass(&mut self, kind: FourCc, bytes: &[u8]) -> Result<(), Error> {
        if self.held.is_empty() {
            self.out.copy(bytes);
            return Ok(());
        }
        if self.held.len().saturating_add(bytes.len()) > MAX_BOX {
            return Err(Error::BoxTooLarge(kind));
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    /// Holds a whole `sidx` or `ssix`.
    ///
    /// # Errors
    /// [`Error::BoxTooLarge`] if too much would be held.
    pub(crate) fn hold_index(&mut self, kind: FourCc, index: Vec<u8>) -> Result<(), Error> {
        let start = self.held.len();
        if start.saturating_add(index.len()) > MAX_BOX {
            return Err(Error::BoxTooLarge(kind));
        }
        if start == 0 {
            self.held = index;
        } else {
            self.held.extend_from_slice(&index);
        }
        self.indexes.push(start..self.held.len());
        Ok(())
    }

    /// Lets the held boxes go, with the indexes if the lengths stay the origin's.
    pub(crate) fn release(&mut self, lengths_stay: bool) {
        let held = take(&mut self.held);
        let indexes = take(&mut self.indexes);
        if lengths_stay {
            self.out.hand_over(held, 0);
            return;
        }
        self.changed = true;
        let mut from = 0;
        for index in indexes {
            self.out.copy(held.get(from..index.start).unwrap_or_default());
            from = index.end;
        }
        self.out.copy(held.get(from..).unwrap_or_default());
    }

    /// Remembers a track's sort of samples.
    ///
    /// # Errors
    /// [`Error::TooManyTracks`].
    pub(crate) fn learn(&mut self, id: u32, samples: Samples) -> Result<(), Error> {
        let room = self.tracks.len() < MAX_TRACKS;
        match self.tracks.iter_mut().find(|track| track.id == id) {
            Some(track) => track.samples = Some(samples),
            None if room => {
                self.tracks.push(Track { id, samples: Some(samples), duration: None, size: None });
            }
            None => return Err(Error::TooManyTracks),
        }
        Ok(())
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        let indexes = self.indexes.capacity().saturating_mul(size_of::<Range<usize>>());
        self.held.capacity().saturating_add(indexes)
    }
}
