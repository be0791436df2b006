//! Encryption in a media playlist: key URIs, IVs, and the key period of each segment.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;

use super::attribute::integer;
use super::session_link::SessionLink;
use crate::bytes::bug;
use crate::http::incoming::SIGNED_PARAMETER;
use crate::http::reply::Reason;
use crate::policy::encryption::{IvMode, OnEncryptedOrigin, Rotation};
use crate::policy::key_url::KeyUri;
use crate::policy::speke::Speke;
use crate::token::derive::{KeyScope, Keyring};
use crate::token::signed::{self, Iv, Resource};

/// Target duration in seconds of playlists without EXT-X-TARGETDURATION, which RFC 8216 section 4.3.3.1 requires.
const USUAL_TARGET_DURATION: u64 = 6;

/// The encryption of a media playlist.
#[derive(Debug)]
pub struct Encryption {
    /// The scope of the keys.
    pub scope: KeyScope,
    /// The source of the keys.
    pub source: KeySource,
    /// The key rotation.
    pub rotation: Rotation,
    /// The IVs of segments.
    pub iv_mode: IvMode,
    /// The handling of media that the origin has already encrypted.
    pub on_encrypted_origin: OnEncryptedOrigin,
    /// The encryption of samples of fragmented MP4, if it stands in for that of segments.
    pub samples: Option<SampleLink>,
    /// The key server, if it gives viewers the keys of packaged contents.
    pub packaged: Option<Rc<Speke>>,
}

/// The encryption of samples in a playlist.
#[derive(Debug)]
pub struct SampleLink {
    /// The path of the keys.
    pub path: String,
    /// The parameters of media and its init sections, the session's among them, if URIs identify it by one.
    pub parameters: String,
}

/// The source of a playlist's keys.
#[derive(Debug)]
pub enum KeySource {
    /// The key endpoint.
    Endpoint {
        /// Its path.
        path: String,
        /// The policy's name.
        policy: String,
        /// The session's id as in its token.
        session: String,
    },
    /// An external key server.
    External(KeyUri),
}

impl Encryption {
    /// The URI of the key of `period`, which identifies the session by `token`.
    pub fn key_uri(&self, keyring: &Keyring, token: Option<&SessionLink>, period: u64) -> String {
        match &self.source {
            KeySource::External(uri) => uri.of(period),
            KeySource::Endpoint { path, .. } => self.key_uri_at(path, keyring, token, period),
        }
    }

    /// The URI of the key of samples, if they are encrypted.
    pub fn sample_key_uri(&self, keyring: &Keyring, token: Option<&SessionLink>) -> Option<String> {
        self.samples.as_ref().map(|samples| self.key_uri_at(&samples.path, keyring, token, 0))
    }

    fn key_uri_at(&self, path: &str, keyring: &Keyring, token: Option<&SessionLink>, period: u64) -> String {
        let KeySource::Endpoint { policy, session, .. } = &self.source else { return bug::instead(String::new()) };
        let signed = signed::key(keyring, path, policy, session, &self.scope, period);
        match token {
            None => format!("{path}?{SIGNED_PARAMETER}={signed}"),
            Some(SessionLink::Parameter(token) | SessionLink::Rooted(token)) => {
                format!("{path}?{SIGNED_PARAMETER}={signed}&{token}")
            }
            Some(SessionLink::Segment(segment)) => format!("{}{path}?{SIGNED_PARAMETER}={signed}", segment.as_str()),
        }
    }

    /// The IV attribute of EXT-X-KEY for media with the properties `resource`; `own` is the segment's own IV.
    pub fn named_iv(&self, keyring: &Keyring, resource: &Resource, own: Option<[u8; 16]>) -> Option<[u8; 16]> {
        match resource.iv {
            Iv::Period => Some(keyring.iv(&self.scope, resource.period.unwrap_or_default())),
            Iv::Number(_) => None,
            Iv::Segment => own,
        }
    }

    /// Whether keys or IVs depend on the media sequence number.
    pub fn counts(&self) -> bool {
        self.rotation != Rotation::Never || self.iv_mode == IvMode::Sequence
    }

    /// Whether all media is under one key and IV.
    pub fn is_uniform(&self) -> bool {
        self.rotation == Rotation::Never && self.iv_mode == IvMode::Explicit
    }

    /// The key period and IV of the segment at `position` and of its parts.
    ///
    /// `has_parts`: the playlist has parts. They precede the URI of their segment, so the segment's own IV is unknown
    /// where their EXT-X-KEY must be.
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

/// An EXT-X-KEY line of a `method`, without its line ending.
pub fn key_line(method: &str, uri: &str, iv: Option<[u8; 16]>) -> String {
    let mut line = format!("#EXT-X-KEY:METHOD={method},URI=\"{uri}\"");
    if let Some(iv) = iv {
        line.push_str(",IV=0x");
        line.push_str(&base16ct::lower::encode_string(&iv));
    }
    line
}

/// The position in a media playlist, which determines keys and IVs.
#[derive(Debug, Default)]
pub struct Position {
    /// The media sequence number of the next segment.
    number: u64,
    target_duration: Option<u64>,
    /// A segment has been read.
    begun: bool,
}

impl Position {
    /// Reads EXT-X-MEDIA-SEQUENCE.
    ///
    /// # Errors
    /// [`Reason::Playlist`] if it is not a number, or follows a segment.
    pub fn start(&mut self, number: &[u8]) -> Result<(), Reason> {
        let number = integer(number).filter(|_| !self.begun).ok_or(Reason::Playlist)?;
        self.number = number;
        Ok(())
    }

    /// Reads EXT-X-TARGETDURATION, a decimal-integer, which some packagers write as a fraction.
    pub fn target_duration(&mut self, seconds: &[u8]) {
        self.target_duration = seconds.split(|byte| *byte == b'.').next().and_then(integer);
    }

    /// Advances by one segment.
    pub fn advance(&mut self) {
        self.skip(1);
    }

    /// Advances by a number of segments.
    pub fn skip(&mut self, segments: u64) {
        self.begun = true;
        self.number = self.number.saturating_add(segments);
    }
}
