//! Body of media whose samples are encrypted.
//!
//! Fragmented MP4 is encrypted. Text and images outside of it stay as they are, for players read them themselves. The bytes
//! decide, never the URL or the media type: anything else is refused.

use alloc::boxed::Box;
use alloc::vec::Vec;

use playlock_cmaf::{Encryptor, Settings};

use super::pushed::Pushed;
use super::window::Window;
use crate::bytes::output::Output;
use crate::http::reply::Reason;

/// Bytes that show what a body is: the header of a box, and its type.
const SNIFFED: usize = 12;

/// Media whose samples are encrypted.
#[derive(Debug)]
pub struct SamplesBody {
    state: State,
    /// The origin's body; `None` if its length is unknown.
    window: Option<Window>,
    cause: Option<SamplesError>,
}

/// What is wrong with the origin's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplesError {
    /// Neither fragmented MP4, nor text or an image.
    Unknown,
    /// MP4 that cannot be encrypted.
    Mp4(playlock_cmaf::Error),
}

impl core::fmt::Display for SamplesError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Unknown => f.write_str("neither fragmented MP4, nor text or an image; expected CMAF"),
            Self::Mp4(error) => error.fmt(f),
        }
    }
}

#[derive(Debug)]
enum State {
    /// The first bytes are awaited.
    Start(Vec<u8>, Option<Box<Settings>>),
    /// Fragmented MP4.
    Mp4(Box<Encryptor>),
    /// Text or an image.
    Clear,
    /// All of it has been encrypted.
    Ended,
}

impl SamplesBody {
    /// `window` is the origin's body; `None` if its length is unknown.
    pub fn new(settings: Settings, window: Option<Window>) -> Self {
        Self { state: State::Start(Vec::new(), Some(Box::new(settings))), window, cause: None }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// [`Reason::Length`] if the body has another length than announced, [`Reason::Samples`] if it cannot be encrypted.
    pub fn push(&mut self, mut chunk: Vec<u8>, end_of_stream: bool) -> Result<Pushed, Reason> {
        let done = match &mut self.window {
            Some(window) => window.take(&mut chunk, end_of_stream)?,
            None => end_of_stream,
        };
        self.advance(chunk, done).map(Pushed::Out).map_err(|cause| {
            self.cause = Some(cause);
            Reason::Samples
        })
    }

    /// What is wrong with the media, after [`Reason::Samples`].
    pub fn cause(&self) -> Option<SamplesError> {
        self.cause
    }

    fn advance(&mut self, mut chunk: Vec<u8>, done: bool) -> Result<Output, SamplesError> {
        if let State::Start(start, settings) = &mut self.state {
            start.append(&mut chunk);
            if start.len() < SNIFFED && !done {
                return Ok(Output::default());
            }
            chunk = core::mem::take(start);
            self.state = match (Sort::of(&chunk), settings.take()) {
                (Some(Sort::Mp4), Some(settings)) => State::Mp4(Box::new(Encryptor::new(*settings))),
                (Some(Sort::Clear), _) => State::Clear,
                _ => return Err(SamplesError::Unknown),
            };
        }
        match &mut self.state {
            State::Mp4(encryptor) => {
                let mut out = encryptor.push(chunk).map_err(SamplesError::Mp4)?;
                if done {
                    out.append(encryptor.finish().map_err(SamplesError::Mp4)?);
                    self.state = State::Ended;
                }
                Ok(out.into())
            }
            State::Clear => Ok(chunk.into()),
            // A last, empty chunk after the announced length.
            State::Ended if chunk.is_empty() => Ok(Output::default()),
            State::Start(..) | State::Ended => Err(SamplesError::Unknown),
        }
    }

    /// Whether the body may end here without another call.
    pub fn is_complete(&self) -> bool {
        match &self.state {
            State::Ended => true,
            State::Clear => self.window.as_ref().is_none_or(Window::is_complete),
            State::Start(..) | State::Mp4(_) => false,
        }
    }
}

/// What a body is by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// It begins with a box of MP4.
    Mp4,
    /// Text or an image, which holds no samples.
    Clear,
}

impl Sort {
    fn of(start: &[u8]) -> Option<Self> {
        const BOXES: [&[u8]; 14] = [
            b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"ssix", b"emsg", b"prft", b"free", b"skip", b"wide",
            b"uuid", b"pdin",
        ];
        if start.get(4..8).is_some_and(|kind| BOXES.contains(&kind)) {
            return Some(Self::Mp4);
        }
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let is_text = [&b"WEBVTT"[..], b"<?xml", b"<tt"].iter().any(|begin| text.starts_with(begin));
        let is_image =
            [&b"\xff\xd8\xff"[..], b"\x89PNG\r\n\x1a\n", b"GIF8"].iter().any(|begin| start.starts_with(begin))
                || start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP");
        (is_text || is_image).then_some(Self::Clear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_in_clear_begins_as_text_or_an_image() {
        for (start, sort) in [
            (&b"\0\0\0\x18ftypiso6"[..], Some(Sort::Mp4)),
            (b"\0\0\0\x18stypmsdh", Some(Sort::Mp4)),
            (b"\0\0\0\x01moof\0\0\0\0", Some(Sort::Mp4)),
            (b"<tt\0moof\0\0\0\0", Some(Sort::Mp4)),
            (b"WEBVTT\n\n00:0", Some(Sort::Clear)),
            (b"\xef\xbb\xbf<?xml ver", Some(Sort::Clear)),
            (b"<tt xmlns=\"h", Some(Sort::Clear)),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some(Sort::Clear)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\r", Some(Sort::Clear)),
            (b"RIFF\0\0\0\0WEBP", Some(Sort::Clear)),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"G@\0\x10\0\0\xb0\r\0\x01\xc1\0", None),
            (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81", None),
            (b"\xff\xf1P\x80\0\x1f\xfc\0\0\0\0\0", None),
            (b"#EXTM3U\n#EXT", None),
            (b"ftyp", None),
            (b"", None),
        ] {
            assert_eq!(Sort::of(start), sort, "{start:?}");
        }
    }
}
