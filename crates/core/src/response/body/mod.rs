//! A response's body on its way through: one type for each kind, and the enum that hands chunks to them.

mod clear_part;
mod document;
mod error_text;
mod held_start;
mod live_probe;
mod media;
mod media_range;
mod playlist;
mod pushed;
mod window;

use alloc::vec::Vec;

pub use self::clear_part::ClearPartBody;
pub use self::document::DocumentBody;
pub use self::error_text::ErrorText;
pub use self::live_probe::LiveProbeBody;
use self::live_probe::Probed;
pub use self::media::MediaBody;
pub use self::media_range::MediaRangeBody;
pub use self::playlist::PlaylistBody;
pub use self::pushed::Pushed;
pub use self::window::Window;
use crate::bytes::output::Output;
use crate::http::reply::Reason;
use crate::media::batch::{Batch, StreamId};

/// A body on its way through.
#[derive(Debug)]
pub enum Body {
    /// A playlist.
    Playlist(PlaylistBody),
    /// The playlist that opened a session, until it is known whether it will be reloaded.
    LiveProbe(LiveProbeBody),
    /// A JSON document that names URIs.
    Document(DocumentBody),
    /// Media that leaves encrypted.
    Media(MediaBody),
    /// A part of the ciphertext of media.
    MediaRange(MediaRangeBody),
    /// A part of a file in clear.
    ClearPart(ClearPartBody),
    /// What comes with a redirect or an error.
    ErrorText(ErrorText),
    /// All of it is out, or there is none.
    Ended,
}

impl Body {
    /// Whether the response's headers are held.
    pub fn is_held(&self) -> bool {
        match self {
            Self::Playlist(body) => body.is_held(),
            Self::LiveProbe(body) => body.is_held(),
            Self::Document(body) => body.is_held(),
            Self::Media(_) | Self::MediaRange(_) | Self::ClearPart(_) | Self::ErrorText(_) | Self::Ended => false,
        }
    }

    /// Whether what comes is media that leaves encrypted.
    pub fn encrypts(&self) -> bool {
        match self {
            Self::Media(body) => !body.is_complete(),
            Self::MediaRange(body) => !body.is_complete(),
            _ => false,
        }
    }

    /// Takes the next chunk. That of media may be encrypted along with those of other streams in `batch`, where this one
    /// is known as `stream`.
    ///
    /// # Errors
    /// Why the response cannot go on.
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
                Probed::Live(master) => Pushed::Last(master.into()),
                Probed::NotLive(pushed) => {
                    self.settle_probe();
                    pushed
                }
            },
            Self::Document(body) => body.push(chunk, end_of_stream)?,
            Self::Media(body) => body.push(chunk, end_of_stream, stream, batch)?,
            Self::MediaRange(body) => body.push(chunk, end_of_stream)?,
            Self::ClearPart(body) => body.push(chunk, end_of_stream)?,
            Self::ErrorText(body) => body.push(chunk)?,
            // What comes after the announced length.
            Self::Ended if chunk.is_empty() => Pushed::Out(Output::default()),
            Self::Ended => return Err(Reason::Length),
        };
        if matches!(pushed, Pushed::Last(_)) {
            *self = Self::Ended;
        }
        Ok(pushed)
    }

    /// The playlist that opened a session will not be reloaded: it is served as it is, rewritten.
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
            Self::Document(body) => body.is_complete(),
            Self::Media(body) => body.is_complete(),
            Self::MediaRange(body) => body.is_complete(),
            Self::ClearPart(body) => body.is_complete(),
            Self::ErrorText(_) | Self::Ended => true,
        }
    }
}
