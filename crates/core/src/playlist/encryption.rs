//! Encryption in a media playlist: key URIs, IVs, and the key period of each segment.

use alloc::format;
use alloc::string::String;

use super::attribute::integer;
use crate::http::incoming::SIGNED_PARAMETER;
use crate::http::reply::Reason;
use crate::policy::encryption::{IvMode, OnEncryptedOrigin, Rotation};
use crate::policy::key_url::KeyUri;
use crate::token::derive::{KeyScope, Keyring};
use crate::token::signed::{self, Iv, Resource};

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
    /// The URI of the key of a key period. `token` is the session token as `name=value`.
    pub fn key_uri(&self, keyring: &Keyring, token: Option<&str>, period: u64) -> String {
        match &self.source {
            KeySource::External(uri) => uri.of(period),
            KeySource::Endpoint { path, policy, session } => {
                let signed = signed::key(keyring, path, policy, session, &self.scope, period);
                let mut uri = format!("{path}?{SIGNED_PARAMETER}={signed}");
                if let Some(token) = token {
                    uri.push('&');
                    uri.push_str(token);
                }
                uri
            }
        }
    }

    /// The IV that EXT-X-KEY names before media under `resource`; `own` is the segment's own.
    pub fn named_iv(&self, keyring: &Keyring, resource: &Resource, own: Option<[u8; 16]>) -> Option<[u8; 16]> {
        match resource.iv {
            Iv::Period => Some(keyring.iv(&self.scope, resource.period.unwrap_or_default())),
            Iv::Number(_) => None,
            Iv::Segment => own,
        }
    }

    /// Whether the media sequence number decides anything.
    pub fn counts(&self) -> bool {
        self.rotation != Rotation::Never || self.iv_mode == IvMode::Sequence
    }

    /// Whether all media is under one key and IV.
    pub fn is_uniform(&self) -> bool {
        self.rotation == Rotation::Never && self.iv_mode == IvMode::Explicit
    }

    /// The key period and IV of the segment at `position`; its parts have the same. `has_parts`: the playlist has any, and since
    /// they stand before the URI of their segment, its own IV is not known where their EXT-X-KEY must stand.
    pub fn media(&self, position: &Position, has_parts: bool) -> Resource {
        let target_duration = position.target_duration.unwrap_or(USUAL_TARGET_DURATION);
        Resource {
            period: self.rotation.changes().then(|| self.rotation.period(position.number, target_duration)),
            iv: match self.iv_mode {
                IvMode::Sequence => Iv::Number(position.number),
                IvMode::Segment if !has_parts => Iv::Segment,
                IvMode::Segment | IvMode::Explicit => Iv::Period,
            },
            ..Resource::default()
        }
    }
}

/// EXT-X-KEY of ours, without its line's end.
pub fn key_line(uri: &str, iv: Option<[u8; 16]>) -> String {
    let mut line = format!("#EXT-X-KEY:METHOD=AES-128,URI=\"{uri}\"");
    if let Some(iv) = iv {
        line.push_str(",IV=0x");
        line.push_str(&base16ct::lower::encode_string(&iv));
    }
    line
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
