//! `mediaEncryption` of a policy, valid by type: the source, scope and rotation of content keys.

use alloc::rc::Rc;
use core::num::NonZeroU64;

use serde::Deserialize;

use super::authorizer::Authorizer;
use super::key_url::{KeyUrl, Place};
use super::speke::Speke;
use super::text::KeyPath;
use crate::token::derive::ConfiguredKey;

pub use playlock_cmaf::Coverage;

/// Encryption of media.
#[derive(Debug)]
pub struct Encryption {
    /// Source of the keys.
    pub keys: Keys,
    /// Viewers that share a derived key.
    pub scope: KeySharing,
    /// Number of path segments between the assignment's path and a stream's directory.
    pub stream_depth: usize,
    /// Key rotation.
    pub rotation: Rotation,
    /// IV of segments.
    pub iv_mode: IvMode,
    /// Handling of media that the origin has already encrypted.
    pub on_encrypted_origin: OnEncryptedOrigin,
    /// Encryption of samples, for MPDs; `None` if their media is not encrypted so, and they are refused.
    pub samples: Option<SampleEncryption>,
    /// Key server for packagers; `None` for none.
    pub speke: Option<Rc<Speke>>,
}

/// Encryption of samples (Common Encryption, ISO/IEC 23001-7), whose keys players get as ClearKey licenses.
#[derive(Debug)]
pub struct SampleEncryption {
    /// The protection scheme.
    pub scheme: SampleScheme,
    /// Share of NAL units that is encrypted; `None` for the scheme's own.
    pub coverage: Option<Coverage>,
    /// Path of the license server.
    pub license_path: KeyPath,
    /// The method of HLS for fragmented MP4.
    pub hls: HlsMethod,
}

/// The method by which fragmented MP4 is encrypted for HLS (RFC 8216 section 4.3.2.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum HlsMethod {
    /// Whole segments, as all other media. Every player knows it.
    #[default]
    #[serde(rename = "AES-128")]
    Aes128,
    /// Samples, as for MPDs, for the price of one block in ten. Some players do not know it with a key of 16 bytes: see
    /// docs/players.md.
    #[serde(rename = "SAMPLE-AES")]
    SampleAes,
}

/// A protection scheme of Common Encryption (ISO/IEC 23001-7 section 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SampleScheme {
    /// AES-128-CBC. In video, one block in ten is encrypted, or more (`percentageCoverage`).
    Cbcs,
    /// AES-128-CTR, for players without `cbcs`. Every block is encrypted, or fewer (`percentageCoverage`).
    Cenc,
}

impl SampleScheme {
    /// Its four-character code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Cbcs => "cbcs",
            Self::Cenc => "cenc",
        }
    }
}

/// Source from which players fetch keys.
#[derive(Debug)]
pub enum Keys {
    /// playlock's key endpoint.
    Endpoint {
        /// Path of the key endpoint.
        path: KeyPath,
        /// Authorizer of key requests.
        authorizer: Option<Authorizer>,
    },
    /// External key server.
    External {
        /// Template of the key URIs in playlists.
        url: KeyUrl,
        /// Configured key; `None` for derived keys.
        key: Option<ConfiguredKey>,
    },
}

impl Encryption {
    /// Path of the key endpoint; `None` with an external key server.
    pub fn key_path(&self) -> Option<&KeyPath> {
        match &self.keys {
            Keys::Endpoint { path, .. } => Some(path),
            Keys::External { .. } => None,
        }
    }

    /// Authorizer of key requests, if any.
    pub fn authorizer(&self) -> Option<&Authorizer> {
        match &self.keys {
            Keys::Endpoint { authorizer, .. } => authorizer.as_ref(),
            Keys::External { .. } => None,
        }
    }

    /// URL template of the external key server, if any.
    pub fn key_url(&self) -> Option<&KeyUrl> {
        match &self.keys {
            Keys::External { url, .. } => Some(url),
            Keys::Endpoint { .. } => None,
        }
    }

    /// Configured key, if any.
    pub fn configured_key(&self) -> Option<&ConfiguredKey> {
        match &self.keys {
            Keys::External { key, .. } => key.as_ref(),
            Keys::Endpoint { .. } => None,
        }
    }

    /// Whether media is encrypted here.
    pub fn encrypts(&self) -> bool {
        self.on_encrypted_origin != OnEncryptedOrigin::Expect
    }

    /// Whether media that the origin has already encrypted may be served, so that playlists must come with all their keys.
    pub fn admits_encrypted(&self) -> bool {
        self.on_encrypted_origin == OnEncryptedOrigin::Passthrough || self.encrypts() && self.packaged().is_some()
    }

    /// The key server, if it gives viewers the keys of packaged contents.
    pub fn packaged(&self) -> Option<&Rc<Speke>> {
        self.speke.as_ref().filter(|speke| speke.serves_viewers())
    }

    /// Whether keys or their URIs depend on the stream.
    pub fn asks_for_stream(&self) -> bool {
        self.scope == KeySharing::Stream || self.key_url().is_some_and(|url| url.has(Place::Stream))
    }
}

/// Key rotation within a session. A segment's key period is derived from its media sequence number, so it is the same
/// in every reload of a playlist and on every node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rotation {
    /// Never.
    #[default]
    Never,
    /// After this number of segments.
    Segments(NonZeroU64),
    /// After this many seconds, rounded down to whole segments of the target duration; at least one segment.
    Seconds(u64),
}

impl Rotation {
    /// Whether the key rotates.
    pub fn changes(self) -> bool {
        self != Self::Never
    }

    /// Key period of the segment with media sequence number `number`, in a playlist whose EXT-X-TARGETDURATION is
    /// `target_duration` seconds.
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
    /// All media comes encrypted from the origin, with keys of `speke` or of others: nothing is encrypted here. Playlists,
    /// MPDs, media and keys are served with the session's token and within its paths.
    Expect,
}
