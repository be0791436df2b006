//! `mediaEncryption` as it is written: keys, whose they are, and when they change.

use alloc::string::String;
#[cfg(feature = "schema")]
use alloc::string::ToString;

use serde::Deserialize;

use super::value::{Duration, SecretSource};

/// `mediaEncryption`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MediaEncryption {
    /// Segments are encrypted.
    pub enabled: bool,
    /// The share of segments that is encrypted: `ALL`, `AUTO` or `1` to `100`, which all mean every one.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^(ALL|AUTO|[1-9][0-9]?|100)$")))]
    pub percentage_coverage: Option<String>,
    /// Path of the key endpoint (`/serve.key`).
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^/")))]
    pub key_path: Option<String>,
    /// Who shares a key (`session`: nobody; `stream` where content needs no token).
    pub key_scope: Option<KeyScope>,
    /// How many path segments below its assignment's path a stream's directory is (1).
    pub stream_depth: Option<u8>,
    /// Where players get keys in place of the key endpoint: a URL with places such as `{session}`.
    pub key_url: Option<String>,
    /// The key that is given out there, if it is not derived: 16 bytes in hex or base64.
    pub key: Option<SecretSource>,
    /// An upstream that is asked before a key is given out.
    pub key_authorizer: Option<KeyAuthorizer>,
    /// What all keys are derived from: hex or base64 of at least 16 bytes.
    pub secret: Option<SecretSource>,
    /// A second one whose sessions go on, while the secret is being changed.
    pub transition_secret: Option<SecretSource>,
    /// When the key changes within a session (never).
    pub key_rotation: Option<KeyRotation>,
    /// What the IV of a segment is.
    #[serde(default)]
    pub iv_mode: IvMode,
    /// What becomes of media that the origin encrypts itself.
    #[serde(default)]
    pub on_encrypted_origin: OnEncryptedOrigin,
}

/// `keyScope`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum KeyScope {
    /// Every session has its own.
    #[default]
    Session,
    /// All viewers of a stream share one.
    Stream,
    /// All of the policy share one.
    Application,
}

/// `keyRotation`: how much of a rendition one key is for, either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub enum KeyRotation {
    /// So many segments.
    Segments(u64),
    /// As many segments as fit into this time, but one at least, each counted as EXT-X-TARGETDURATION.
    Time(Duration),
}

/// `keyAuthorizer`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeyAuthorizer {
    /// A cluster of Envoy's.
    pub cluster: String,
    /// What is asked for there.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^/")))]
    pub path: String,
    /// The host that is asked (the cluster's name).
    pub host: Option<String>,
    /// How long an answer is waited for (`2s`).
    pub timeout: Option<Duration>,
}

/// `ivMode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum IvMode {
    /// Derived with the key and written into EXT-X-KEY.
    #[default]
    Explicit,
    /// The media sequence number (RFC 8216 section 5.2).
    Sequence,
}

/// `onEncryptedOrigin`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OnEncryptedOrigin {
    /// The playlist is refused.
    #[default]
    Deny,
    /// It passes as it is, under tokens, and so do its keys.
    Passthrough,
}
