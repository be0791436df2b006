//! What encryption puts into a media playlist: the EXT-X-KEY line of a key period, and what each segment is under.

use alloc::string::String;
use core::fmt::Write;

use super::attribute::integer;
use crate::config::document::{IvMode, OnEncryptedOrigin};
use crate::config::encryption::Rotation;
use crate::config::policy::SIGNED_PARAMETER;
use crate::derive::{KeyScope, Keyring};
use crate::key_url::KeyUri;
use crate::percent;
use crate::reply::Reason;
use crate::signed::{self, Resource};

/// Where a playlist does not say it (RFC 8216 section 4.3.3.1 wants it said), in seconds.
const USUAL_TARGET_DURATION: u64 = 6;

/// What encryption puts into a media playlist.
#[derive(Debug)]
pub struct Encryption {
    /// Whom the keys are for.
    pub scope: KeyScope,
    /// Where players get them.
    pub source: KeySource,
    /// When the key changes.
    pub rotation: Rotation,
    /// What the IV of a segment is.
    pub iv_mode: IvMode,
    /// What becomes of media that the origin encrypts itself.
    pub on_encrypted_origin: OnEncryptedOrigin,
}

/// Where players get the keys of a playlist.
#[derive(Debug)]
pub enum KeySource {
    /// From the key endpoint.
    Endpoint {
        /// Its path.
        path: String,
        /// The policy's name.
        policy: String,
        /// The session's id as its token writes it.
        session: String,
    },
    /// From somewhere else.
    External(KeyUri),
}

impl Encryption {
    /// The EXT-X-KEY of a key period, without its line's end. `token` is the session token as `name=value`.
    pub fn key_line(&self, keyring: &Keyring, token: Option<&str>, period: u64) -> String {
        let mut line = String::from("#EXT-X-KEY:METHOD=AES-128,URI=\"");
        match &self.source {
            KeySource::External(uri) => line.push_str(&uri.of(period)),
            KeySource::Endpoint { path, policy, session } => {
                let signed = signed::key(keyring, path, policy, session, &self.scope, period);
                // Writing to a String cannot fail.
                let _ = write!(line, "{path}?{SIGNED_PARAMETER}={signed}");
                if let Some(token) = token {
                    line.push('&');
                    line.push_str(token);
                }
            }
        }
        line.push('"');
        if self.iv_mode == IvMode::Explicit {
            line.push_str(",IV=0x");
            line.push_str(&percent::hex(&keyring.iv(&self.scope, period)));
        }
        line
    }

    /// Whether anything depends on the media sequence number.
    pub fn counts(&self) -> bool {
        self.rotation != Rotation::Never || self.iv_mode == IvMode::Sequence
    }

    /// What the segment at `position` is under; its parts are under the same.
    pub fn media(&self, position: &Position) -> Resource {
        Resource {
            period: self.rotation.period(position.number, position.target_duration.unwrap_or(USUAL_TARGET_DURATION)),
            number: (self.iv_mode == IvMode::Sequence).then_some(position.number),
            ..Resource::default()
        }
    }
}

/// How far a media playlist has been read: what keys and IVs are counted by.
#[derive(Debug, Default)]
pub struct Position {
    /// The media sequence number of the next segment.
    number: u64,
    target_duration: Option<u64>,
    /// A segment has been seen.
    begun: bool,
}

impl Position {
    /// Takes EXT-X-MEDIA-SEQUENCE.
    ///
    /// # Errors
    /// [`Reason::Playlist`] if it is no number, or comes too late to count from.
    pub fn start(&mut self, number: &[u8]) -> Result<(), Reason> {
        let number = integer(number).filter(|_| !self.begun).ok_or(Reason::Playlist)?;
        self.number = number;
        Ok(())
    }

    /// Takes EXT-X-TARGETDURATION: a decimal-integer, though some write a fraction.
    pub fn target_duration(&mut self, seconds: &[u8]) {
        self.target_duration = seconds.split(|byte| *byte == b'.').next().and_then(integer);
    }

    /// Goes past a segment.
    pub fn advance(&mut self) {
        self.skip(1);
    }

    /// Goes past so many segments.
    pub fn skip(&mut self, segments: u64) {
        self.begun = true;
        self.number = self.number.saturating_add(segments);
    }
}
