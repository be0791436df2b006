//! Transformation of response bodies: one type per kind, and an enum that dispatches chunks to them.

mod clear_part;
mod document;
mod error_text;
mod held_start;
mod live_probe;
mod media;
mod media_range;
mod mpd;
mod playlist;
mod pushed;
mod samples;
mod window;

use alloc::boxed::Box;
use alloc::vec::Vec;

pub use self::clear_part::ClearPartBody;
pub use self::document::DocumentBody;
pub use self::error_text::ErrorText;
use self::live_probe::Probed;
pub use self::live_probe::{IfLive, LiveProbeBody};
pub use self::media::MediaBody;
pub use self::media_range::MediaRangeBody;
pub use self::mpd::MpdBody;
pub use self::playlist::PlaylistBody;
pub use self::pushed::Pushed;
pub use self::samples::{SamplesBody, SamplesError};
pub use self::window::Window;
use crate::bytes::output::Output;
use crate::dash::DashError;
use crate::http::reply::Reason;
use crate::media::batch::{Batch, StreamId};

/// A response body in transformation.
#[derive(Debug)]
pub enum Body {
    /// A playlist.
    Playlist(PlaylistBody),
    /// Playlist that is sent in another form if it is live, until it is classified.
    LiveProbe(LiveProbeBody),
    /// An MPD.
    Mpd(Box<MpdBody>),
    /// JSON document with URIs.
    Document(DocumentBody),
    /// Media to encrypt.
    Media(MediaBody),
    /// Media whose samples are encrypted.
    Samples(Box<SamplesBody>),
    /// Part of the ciphertext of media.
    MediaRange(MediaRangeBody),
    /// Byte range of a file in clear.
    ClearPart(ClearPartBody),
    /// Body of a redirect or an error response.
    ErrorText(ErrorText),
    /// Completely emitted, or empty.
    Ended,
}

/// The fault of a resource of the origin, for its operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginFault {
    /// An MPD.
    Mpd(DashError),
    /// Media of an MPD.
    Samples(SamplesError),
}

impl core::fmt::Display for OriginFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Mpd(error) => error.fmt(f),
            Self::Samples(error) => error.fmt(f),
        }
    }
}

impl Body {
    /// Whether the response headers are held back.
    pub fn is_held(&self) -> bool {
        match self {
            Self::Playlist(body) => body.is_held(),
            Self::LiveProbe(body) => body.is_held(),
            Self::Mpd(body) => body.is_held(),
            Self::Document(body) => body.is_held(),
            Self::Media(_)
            | Self::Samples(_)
            | Self::MediaRange(_)
            | Self::ClearPart(_)
            | Self::ErrorText(_)
            | Self::Ended => false,
        }
    }

    /// Whether the remaining body is encrypted.
    pub fn encrypts(&self) -> bool {
        match self {
            Self::Media(body) => !body.is_complete(),
            Self::Samples(body) => !body.is_complete(),
            Self::MediaRange(body) => !body.is_complete(),
            _ => false,
        }
    }

    /// Takes the next chunk. Media may be encrypted in `batch` with chunks of other streams; `stream` identifies this
    /// one.
    ///
    /// # Errors
    /// The reason why the response must be reset or replaced.
    pub fn push(
        &mut self,
        chunk: Vec<u8>,
        end_of_stream: bool,
        stream: StreamId,
        batch: &mut Batch,
    ) -> Result<Pushed, Reason> {
        let pushed = match self {
            Self::Playlist(body) => body.push(chunk, end_of_stream)?,
            Self::LiveProbe(body) => match body.push(chunk, end_of_stream)? {
                Probed::Unknown(pushed) => pushed,
                Probed::Wrapped(master) => Pushed::Last(master.into()),
                Probed::Playlist(pushed) => {
                    self.settle_probe();
                    pushed
                }
            },
            Self::Mpd(body) => body.push(chunk, end_of_stream)?,
            Self::Document(body) => body.push(chunk, end_of_stream)?,
            Self::Media(body) => body.push(chunk, end_of_stream, stream, batch)?,
            Self::Samples(body) => body.push(chunk, end_of_stream)?,
            Self::MediaRange(body) => body.push(chunk, end_of_stream)?,
            Self::ClearPart(body) => body.push(chunk, end_of_stream)?,
            Self::ErrorText(body) => body.push(chunk)?,
            // Body bytes beyond the Content-Length.
            Self::Ended if chunk.is_empty() => Pushed::Out(Output::default()),
            Self::Ended => return Err(Reason::Length),
        };
        if matches!(pushed, Pushed::Last(_)) {
            *self = Self::Ended;
        }
        Ok(pushed)
    }

    /// The fault of an MPD, or of media of one, that was refused.
    pub fn fault(&self) -> Option<OriginFault> {
        match self {
            Self::Mpd(body) => body.cause().map(OriginFault::Mpd),
            Self::Samples(body) => body.cause().map(OriginFault::Samples),
            _ => None,
        }
    }

    /// Continues with the rewritten playlist, which is classified.
    fn settle_probe(&mut self) {
        *self = match core::mem::replace(self, Self::Ended) {
            Self::LiveProbe(body) => Self::Playlist(body.into_playlist()),
            other => other,
        };
    }

    /// Whether the body may end here without another call.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Playlist(body) => body.is_complete(),
            Self::LiveProbe(_) => false,
            Self::Mpd(body) => body.is_complete(),
            Self::Document(body) => body.is_complete(),
            Self::Media(body) => body.is_complete(),
            Self::Samples(body) => body.is_complete(),
            Self::MediaRange(body) => body.is_complete(),
            Self::ClearPart(body) => body.is_complete(),
            Self::ErrorText(_) | Self::Ended => true,
        }
    }
}
