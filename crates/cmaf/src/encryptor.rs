//! The stream of boxes: each leaves as it came, is rewritten, or begins a fragment.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::mem::take;

use crate::boxes::{FourCc, Header, MAX_HEADER};
use crate::context::Context;
use crate::fragment::Fragment;
use crate::init;
use crate::media::{Input, Media};
use crate::output::Output;
use crate::settings::Settings;
use crate::{Error, MAX_BOX, Track};

/// The encryption of one file or segment: chunks in, chunks out.
///
/// The output depends on the input only, not on the chunks' sizes.
pub struct Encryptor {
    state: State,
    /// A `moof` whose `mdat` has not begun.
    fragment: Option<Announced>,
    context: Context,
    /// Bytes so far.
    position: u64,
    /// Bytes before the current box.
    begin: u64,
    has_moov: bool,
    failed: Option<Error>,
}

/// A `moof`, and the boxes that came after it.
struct Announced {
    fragment: Fragment,
    between: Vec<u8>,
}

enum State {
    /// The header of a box is arriving.
    Header(Vec<u8>),
    /// The rest of a box that leaves as it came, or not at all. `None`: until the end of the stream.
    Pass { kind: FourCc, left: Option<u64>, drop: bool },
    /// A box that is held until it is complete, with its header.
    Collect { kind: FourCc, bytes: Vec<u8>, size: usize },
    /// An `mdat`.
    Media(Box<Media>),
}

/// The way of a box through the stream.
enum Way {
    Pass,
    Index,
    Drop,
    Moov,
    Moof,
    Mdat,
}

impl Encryptor {
    /// Begins a file or segment.
    pub fn new(settings: Settings) -> Self {
        let context = Context::new(settings);
        let state = State::Header(Vec::with_capacity(MAX_HEADER));
        Self { state, fragment: None, context, position: 0, begin: 0, has_moov: false, failed: None }
    }

    /// Takes the next chunk and returns the bytes that are ready.
    ///
    /// # Errors
    /// The reason to refuse the stream; then the same one forever.
    pub fn push(&mut self, chunk: Vec<u8>) -> Result<Output, Error> {
        self.guard(|this| this.take(chunk))
    }

    /// Ends the stream and returns the last bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`] if a box or a sample is incomplete; [`Error::IndexOnly`].
    pub fn finish(&mut self) -> Result<Output, Error> {
        self.guard(Self::end)
    }

    /// The facts known about the tracks so far: after an init segment, for the settings of its media segments.
    pub fn tracks(&self) -> &[Track] {
        &self.context.tracks
    }

    /// Bytes that are held in memory: at most 64 KB or the largest sample of a fragment, whichever is more, with its `moof`.
    pub fn held(&self) -> usize {
        let state = match &self.state {
            State::Header(bytes) | State::Collect { bytes, .. } => bytes.capacity(),
            State::Pass { .. } => 0,
            State::Media(media) => media.held(),
        };
        let announced = self
            .fragment
            .as_ref()
            .map_or(0, |announced| announced.between.capacity().saturating_add(announced.fragment.held()));
        [state, announced, self.context.held()].into_iter().fold(0, usize::saturating_add)
    }

    fn guard(&mut self, act: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<Output, Error> {
        let result = match self.failed {
            Some(error) => Err(error),
            None => act(self),
        };
        let out = take(&mut self.context.out);
        if let Err(error) = result {
            self.failed = Some(error);
            self.state = State::Header(Vec::new());
            self.fragment = None;
            return Err(error);
        }
        Ok(out)
    }

    fn take(&mut self, mut chunk: Vec<u8>) -> Result<(), Error> {
        let mut at = 0;
        while at < chunk.len() {
            at = self.step(&mut chunk, at)?;
        }
        Ok(())
    }

    /// Takes some bytes of the chunk from `at`: where the rest begins.
    fn step(&mut self, chunk: &mut Vec<u8>, at: usize) -> Result<usize, Error> {
        let bytes = chunk.get(at..).unwrap_or_default();
        let up_to = |left: Option<u64>| {
            let left = left.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX);
            left.min(bytes.len())
        };
        let taken = match &mut self.state {
            State::Header(header) => {
                // Byte by byte: a header may be 8 or 16 bytes long.
                let next = bytes.first().ok_or_else(Error::bug)?;
                if header.is_empty() {
                    self.begin = self.position;
                }
                header.push(*next);
                if let Some(read) = Header::read(header)? {
                    let bytes = take(header);
                    self.open(read, bytes)?;
                }
                1
            }
            State::Pass { kind, left, drop } => {
                let taken = up_to(*left);
                let (kind, drop) = (*kind, *drop);
                *left = left.map(|left| left.saturating_sub(taken as u64));
                let done = *left == Some(0);
                if !drop {
                    self.pass(kind, bytes.get(..taken).unwrap_or_default())?;
                }
                if done {
                    self.next_box();
                }
                taken
            }
            State::Collect { kind, bytes: collected, size } => {
                let taken = size.saturating_sub(collected.len()).min(bytes.len());
                collected.extend_from_slice(bytes.get(..taken).unwrap_or_default());
                if collected.len() == *size {
                    let (kind, whole) = (*kind, take(collected));
                    self.close(kind, whole)?;
                }
                taken
            }
            State::Media(media) => {
                let taken = up_to(media.left());
                let end = at.saturating_add(taken);
                media.feed(Input { chunk, start: at, end }, &mut self.context)?;
                if media.left() == Some(0) {
                    self.end_of_media()?;
                }
                taken
            }
        };
        self.position = self.position.saturating_add(taken as u64);
        Ok(at.saturating_add(taken))
    }

    fn next_box(&mut self) {
        self.state = State::Header(Vec::with_capacity(MAX_HEADER));
    }

    fn end_of_media(&mut self) -> Result<(), Error> {
        if let State::Media(media) = &self.state {
            if !media.is_done() {
                return Err(Error::bug());
            }
            media.learn(&mut self.context)?;
        }
        self.next_box();
        Ok(())
    }

    /// The way of a box of this type.
    ///
    /// # Errors
    /// [`Error::UnexpectedBox`] for boxes that are not understood: they could hold media.
    fn way(&self, kind: FourCc) -> Result<Way, Error> {
        match &kind.0 {
            b"ftyp" | b"styp" | b"emsg" | b"prft" | b"free" | b"skip" | b"wide" | b"uuid" | b"pdin" | b"meta" => {
                Ok(Way::Pass)
            }
            b"sidx" | b"ssix" => Ok(Way::Index),
            // It holds positions of fragments.
            b"mfra" => Ok(if self.context.changed { Way::Drop } else { Way::Pass }),
            b"moov" if self.has_moov => Err(Error::DuplicateBox(kind)),
            b"moov" => Ok(Way::Moov),
            b"moof" => Ok(Way::Moof),
            b"mdat" => Ok(Way::Mdat),
            _ => Err(Error::UnexpectedBox(kind)),
        }
    }

    /// Begins the box of this header, whose bytes are `bytes`.
    fn open(&mut self, header: Header, bytes: Vec<u8>) -> Result<(), Error> {
        let kind = header.kind;
        match self.way(kind)? {
            way @ (Way::Pass | Way::Drop) => {
                let drop = matches!(way, Way::Drop);
                if !drop {
                    self.pass(kind, &bytes)?;
                }
                self.state = State::Pass { kind, left: header.body, drop };
                if header.body == Some(0) {
                    self.next_box();
                }
            }
            Way::Index | Way::Moov | Way::Moof => {
                self.settle(kind)?;
                let size = header.body.ok_or(Error::BoxSize(kind))?.saturating_add(header.len as u64);
                let size =
                    usize::try_from(size).ok().filter(|size| *size <= MAX_BOX).ok_or(Error::BoxTooLarge(kind))?;
                if bytes.len() == size {
                    return self.close(kind, bytes);
                }
                self.state = State::Collect { kind, bytes, size };
            }
            Way::Mdat => {
                let Some(Announced { fragment, mut between }) = self.fragment.take() else {
                    if header.body != Some(0) {
                        return Err(Error::UnexpectedBox(kind));
                    }
                    self.context.pass(kind, &bytes)?;
                    self.next_box();
                    return Ok(());
                };
                between.extend_from_slice(&bytes);
                self.state = State::Media(Box::new(Media::begin(fragment, between, header, &mut self.context)?));
                if header.body == Some(0) {
                    self.end_of_media()?;
                }
            }
        }
        Ok(())
    }

    /// Ends a box that was held.
    fn close(&mut self, kind: FourCc, whole: Vec<u8>) -> Result<(), Error> {
        match self.way(kind)? {
            Way::Moov => {
                let (moov, tracks) = init::rewrite(&whole, &self.context.settings)?;
                self.context.tracks = tracks;
                self.context.changed |= moov.len() != whole.len();
                self.context.pass(kind, &moov)?;
                self.has_moov = true;
            }
            Way::Moof => {
                let fragment = Fragment::parse(whole, self.begin, &self.context.tracks)?;
                self.fragment = Some(Announced { fragment, between: Vec::new() });
            }
            _ => self.context.hold_index(kind, whole)?,
        }
        self.next_box();
        Ok(())
    }

    /// Appends bytes that leave as they came: behind the announced fragment's `moof`, if there is one.
    fn pass(&mut self, kind: FourCc, bytes: &[u8]) -> Result<(), Error> {
        let Some(Announced { between, .. }) = &mut self.fragment else { return self.context.pass(kind, bytes) };
        if between.len().saturating_add(bytes.len()) > MAX_BOX {
            return Err(Error::BoxTooLarge(kind));
        }
        between.extend_from_slice(bytes);
        Ok(())
    }

    /// Lets a `moof` without samples go, after which there may be no `mdat`.
    fn settle(&mut self, next: FourCc) -> Result<(), Error> {
        let Some(Announced { fragment, between }) = self.fragment.take() else { return Ok(()) };
        if !fragment.runs.is_empty() {
            return Err(Error::UnexpectedBox(next));
        }
        self.context.pass(next, &fragment.moof)?;
        self.context.pass(next, &between)
    }

    fn end(&mut self) -> Result<(), Error> {
        match &self.state {
            State::Header(bytes) if bytes.is_empty() => {}
            State::Pass { left: None, .. } => {}
            State::Media(media) if media.left().is_none() && media.is_done() => {}
            _ => return Err(Error::Truncated),
        }
        if self.fragment.as_ref().is_some_and(|announced| !announced.fragment.runs.is_empty()) {
            return Err(Error::Truncated);
        }
        self.settle(FourCc(*b"mdat"))?;
        if self.context.held.is_empty() { Ok(()) } else { Err(Error::IndexOnly) }
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encryptor([redacted])")
    }
}
