//! The `mdat` of a fragment on its way, in the manner that its samples ask for.

use alloc::vec::Vec;
use core::mem::take;

use crate::boxes::Header;
use crate::context::Context;
use crate::fragment::{Cursor, Fragment};
use crate::group::{Group, reserve, sample_size};
use crate::samples::{Recognition, is_text};
use crate::settings::Ivs;
use crate::whole::Whole;
use crate::{Error, MAX_SAMPLE, Samples};

/// A fragment and the part of its `mdat` that has not come yet.
pub(crate) struct Media {
    fragment: Fragment,
    /// The boxes between the `moof` and the `mdat`, and the header of the `mdat`.
    between: Vec<u8>,
    /// The bytes of that header.
    header: usize,
    /// The bytes of the `mdat` that are still to come. `None`: until the end of the stream.
    left: Option<u64>,
    mode: Mode,
}

enum Mode {
    /// The only track's first sample, of `size` bytes, is arriving.
    Unknown { size: u32, held: Vec<u8>, recognition: Recognition },
    /// Samples of NAL units, of several tracks, or under cenc.
    Group(Group),
    /// One track's samples, which need not be held.
    Whole(Whole),
    /// One text track's samples: each is held until it is seen to be text.
    Text { held: Vec<u8>, cursor: Cursor },
}

/// The next bytes of an `mdat`, in a chunk.
pub(crate) struct Input<'a> {
    pub(crate) chunk: &'a mut Vec<u8>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Input<'_> {
    fn bytes(&self) -> &[u8] {
        self.chunk.get(self.start..self.end).unwrap_or_default()
    }

    /// The bytes as a vector, and where they begin in it: the chunk itself, if nothing follows in it.
    fn into_vec(self) -> (Vec<u8>, usize) {
        if self.end == self.chunk.len() {
            return (take(self.chunk), self.start);
        }
        (self.bytes().to_vec(), 0)
    }
}

impl Media {
    /// Begins the `mdat` of a fragment. `between` is everything from the end of the `moof` to the end of the header.
    ///
    /// # Errors
    /// [`Error::DataOffset`], [`Error::UnreferencedData`].
    pub(crate) fn begin(
        fragment: Fragment,
        between: Vec<u8>,
        header: Header,
        context: &mut Context,
    ) -> Result<Self, Error> {
        let start = fragment.moof.len().saturating_add(between.len());
        fragment.lies_in(start as u64, header.body)?;
        let alone = match fragment.trafs.as_slice() {
            [traf] => Some(traf.samples),
            _ => None,
        };
        let empty = fragment.runs.iter().all(|run| run.length == 0);
        let mut media = Self {
            fragment,
            between,
            header: header.len,
            left: header.body,
            mode: Mode::Unknown { size: 0, held: Vec::new(), recognition: Recognition::default() },
        };
        match alone {
            _ if empty => media.choose(Samples::Text, Vec::new(), context)?,
            Some(Some(samples)) => media.choose(samples, Vec::new(), context)?,
            Some(None) => {
                let (_, size) = media.nonempty(Cursor::default()).ok_or_else(Error::bug)?;
                media.mode = Mode::Unknown { size, held: Vec::new(), recognition: Recognition::default() };
            }
            None => media.choose(Samples::Nal, Vec::new(), context)?,
        }
        Ok(media)
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        let mode = match &self.mode {
            Mode::Unknown { held, .. } | Mode::Text { held, .. } => held.capacity(),
            Mode::Group(group) => group.held(),
            Mode::Whole(_) => 0,
        };
        mode.saturating_add(self.between.capacity()).saturating_add(self.fragment.held())
    }

    /// The bytes of the `mdat` that are still to come. `None`: until the end of the stream.
    pub(crate) fn left(&self) -> Option<u64> {
        self.left
    }

    /// Whether all samples are complete.
    pub(crate) fn is_done(&self) -> bool {
        match &self.mode {
            Mode::Unknown { .. } => false,
            Mode::Group(group) => group.is_done(&self.fragment),
            Mode::Whole(whole) => whole.is_done(&self.fragment),
            Mode::Text { cursor, held } => held.is_empty() && self.nonempty(*cursor).is_none(),
        }
    }

    /// The next sample with bytes, from the cursor, and its size.
    fn nonempty(&self, mut cursor: Cursor) -> Option<(Cursor, u32)> {
        loop {
            match self.fragment.size(cursor)? {
                0 => cursor = self.fragment.after(cursor),
                size => return Some((cursor, size)),
            }
        }
    }

    /// Takes the next bytes of the `mdat`.
    ///
    /// # Errors
    /// All that concern samples.
    pub(crate) fn feed(&mut self, mut input: Input<'_>, context: &mut Context) -> Result<(), Error> {
        let count = input.bytes().len() as u64;
        self.left = self.left.map(|left| left.saturating_sub(count));
        if let Mode::Unknown { .. } = self.mode {
            self.recognise(&mut input, context)?;
        }
        if input.bytes().is_empty() {
            return Ok(());
        }
        match &mut self.mode {
            Mode::Unknown { .. } => Ok(()),
            Mode::Group(group) => group.feed(&mut self.fragment, &context.settings, input.bytes(), &mut context.out),
            Mode::Whole(whole) => {
                let (bytes, start) = input.into_vec();
                whole.feed(&self.fragment, &context.settings, bytes, start, &mut context.out)
            }
            Mode::Text { .. } => self.feed_text(input.bytes(), context),
        }
    }

    /// Takes bytes of the first sample until its sort is known, then chooses the mode and hands it those bytes.
    fn recognise(&mut self, input: &mut Input<'_>, context: &mut Context) -> Result<(), Error> {
        let Mode::Unknown { size: whole, held, recognition } = &mut self.mode else { return Ok(()) };
        let size = usize::try_from(*whole).map_err(|_| Error::SampleTooLarge(*whole))?;
        // So many bytes decide, or the sample is too large to be held.
        let limit = size.min(MAX_SAMPLE);
        let bytes = input.bytes();
        let bytes = bytes.get(..limit.saturating_sub(held.len())).unwrap_or(bytes);
        // As a rule the first bytes decide, and nothing is held.
        let samples = if held.is_empty() { recognition.look(bytes, size) } else { None };
        let (samples, held) = match samples {
            Some(samples) => (samples, Vec::new()),
            None => {
                reserve(held, bytes.len(), limit);
                held.extend_from_slice(bytes);
                input.start = input.start.saturating_add(bytes.len()).min(input.end);
                match recognition.look(held, size) {
                    Some(samples) => (samples, take(held)),
                    None if held.len() < limit => return Ok(()),
                    None => return Err(Error::SampleTooLarge(*whole)),
                }
            }
        };
        if let [traf] = self.fragment.trafs.as_mut_slice() {
            traf.samples = Some(samples);
        }
        self.choose(samples, held, context)
    }

    /// Chooses the mode for samples of this sort, of which `held` has come. Releases the boxes that were held until then.
    fn choose(&mut self, samples: Samples, held: Vec<u8>, context: &mut Context) -> Result<(), Error> {
        let between = take(&mut self.between);
        // A new `moof` comes with a header of its own.
        let boxes = between.get(..between.len().saturating_sub(self.header)).unwrap_or_default();
        let constant = match (samples, &context.settings.ivs) {
            (Samples::Nal, _) | (Samples::Whole, Ivs::Synthetic(_)) => {
                context.release(false);
                context.out.copy(boxes);
                let mut group = Group::new(&self.fragment, held);
                group.feed(&mut self.fragment, &context.settings, &[], &mut context.out)?;
                self.mode = Mode::Group(group);
                return Ok(());
            }
            (Samples::Whole, Ivs::Constant(iv)) => Some(*iv),
            (Samples::Text, _) => None,
        };
        if context.changed && self.fragment.has_absolute_offsets() {
            return Err(Error::DataOffset);
        }
        context.release(true);
        context.out.copy(&self.fragment.moof);
        context.out.copy(&between);
        let Some(iv) = constant else {
            self.mode = Mode::Text { held: Vec::new(), cursor: Cursor::default() };
            return self.feed_text(&held, context);
        };
        let mut whole = Whole::new(iv);
        whole.feed(&self.fragment, &context.settings, held, 0, &mut context.out)?;
        self.mode = Mode::Whole(whole);
        Ok(())
    }

    fn feed_text(&mut self, mut bytes: &[u8], context: &mut Context) -> Result<(), Error> {
        let Mode::Text { cursor, .. } = &self.mode else { return Err(Error::bug()) };
        let mut cursor = *cursor;
        while !bytes.is_empty() {
            let (at, size) = self.nonempty(cursor).ok_or(Error::UnreferencedData)?;
            let size = sample_size(size)?;
            let Mode::Text { held, cursor: stored } = &mut self.mode else { return Err(Error::bug()) };
            let (now, rest) = bytes.split_at_checked(size.saturating_sub(held.len())).unwrap_or((bytes, &[]));
            reserve(held, now.len(), size);
            held.extend_from_slice(now);
            bytes = rest;
            cursor = at;
            if held.len() == size {
                if !is_text(held) {
                    return Err(Error::NotText);
                }
                context.out.copy(held);
                held.clear();
                cursor = self.fragment.after(at);
            }
            *stored = cursor;
        }
        Ok(())
    }

    /// Remembers the sorts of the fragment's tracks for the next fragments.
    ///
    /// # Errors
    /// [`Error::TooManyTracks`].
    pub(crate) fn learn(&self, context: &mut Context) -> Result<(), Error> {
        self.fragment.trafs.iter().try_for_each(|traf| match traf.samples {
            Some(samples) => context.learn(traf.track, samples),
            None => Ok(()),
        })
    }
}
