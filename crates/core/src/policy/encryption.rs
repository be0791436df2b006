//! `mediaEncryption` of a policy, valid by type: where keys come from, who shares them, when they change.

use core::num::NonZeroU64;

use serde::Deserialize;

use super::authorizer::Authorizer;
use super::key_url::{KeyUrl, Place};
use super::text::KeyPath;
use crate::token::derive::ConfiguredKey;

/// Encryption of media.
#[derive(Debug)]
pub struct Encryption {
    /// Where players get keys.
    pub keys: Keys,
    /// Who shares a key, where it is derived.
    pub scope: KeySharing,
    /// How many path segments below its assignment's path a stream's directory is.
    pub stream_depth: usize,
    /// When the key changes.
    pub rotation: Rotation,
    /// What the IV of a segment is.
    pub iv_mode: IvMode,
    /// What becomes of media that the origin encrypts itself.
    pub on_encrypted_origin: OnEncryptedOrigin,
}

/// Where players get keys.
#[derive(Debug)]
pub enum Keys {
    /// Here.
    Endpoint {
        /// The path of the key endpoint.
        path: KeyPath,
        /// Who is asked before a key is given out.
        authorizer: Option<Authorizer>,
    },
    /// From a server of the customer's own.
    External {
        /// What goes into playlists.
        url: KeyUrl,
        /// The key that is given out there; `None`: the derived one.
        key: Option<ConfiguredKey>,
    },
}

impl Encryption {
    /// The path of the key endpoint, if there is one.
    pub fn key_path(&self) -> Option<&KeyPath> {
        match &self.keys {
            Keys::Endpoint { path, .. } => Some(path),
            Keys::External { .. } => None,
        }
    }

    /// Who is asked before a key is given out.
    pub fn authorizer(&self) -> Option<&Authorizer> {
        match &self.keys {
            Keys::Endpoint { authorizer, .. } => authorizer.as_ref(),
            Keys::External { .. } => None,
        }
    }

    /// Where players get keys, if not here.
    pub fn key_url(&self) -> Option<&KeyUrl> {
        match &self.keys {
            Keys::External { url, .. } => Some(url),
            Keys::Endpoint { .. } => None,
        }
    }

    /// The key that is configured, if one is.
    pub fn configured_key(&self) -> Option<&ConfiguredKey> {
        match &self.keys {
            Keys::External { key, .. } => key.as_ref(),
            Keys::Endpoint { .. } => None,
        }
    }

    /// Whether anything in a playlist depends on the stream that it belongs to.
    pub fn asks_for_stream(&self) -> bool {
        self.scope == KeySharing::Stream || self.key_url().is_some_and(|url| url.has(Place::Stream))
    }
}

/// When the key changes within a session. A segment's key period follows from its media sequence number, so that it is
/// the same in every reload of a playlist and on every node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rotation {
    /// Never.
    #[default]
    Never,
    /// After so many segments.
    Segments(NonZeroU64),
    /// After as many segments as fit into so many seconds, one at least.
    Seconds(u64),
}

impl Rotation {
    /// Whether the key changes at all.
    pub fn changes(self) -> bool {
        self != Self::Never
    }

    /// The key period of the segment with this media sequence number, in a playlist with this EXT-X-TARGETDURATION (in
    /// seconds).
    pub fn period(self, number: u64, target_duration: u64) -> u64 {
        match self {
            Self::Never => 0,
            Self::Segments(segments) => number / segments,
            Self::Seconds(seconds) => number / (seconds / target_duration.max(1)).max(1),
        }
    }
}

/// The viewers that share a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "KeyScope"))]
#[serde(rename_all = "lowercase")]
pub enum KeySharing {
    /// None: each session has its own key.
    #[default]
    Session,
    /// All viewers of a stream.
    Stream,
    /// All viewers of the policy.
    Application,
}

/// The initialisation vector (IV) of segments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum IvMode {
    /// Derived together with the key, and written into EXT-X-KEY.
    #[default]
    Explicit,
    /// The media sequence number (RFC 8216 section 5.2). Shaka cannot play low-latency streams with it.
    Sequence,
    /// Derived from each segment's path, query and byte range, so that equal plaintext never gives equal ciphertext.
    /// Every segment gets its own EXT-X-KEY with the same key URI. Playlists with parts (low latency) are handled as
    /// with `explicit`.
    Segment,
}

/// The handling of media that the origin has already encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OnEncryptedOrigin {
    /// The playlist is refused (502 `encrypted`).
    #[default]
    Deny,
    /// The media and its keys are served unchanged, with the session's token and within its paths. playlock requests no
    /// delta updates.
    Passthrough,
}
