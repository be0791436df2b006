//! `mediaEncryption` as it is written: keys, whose they are, and when they change.

use alloc::string::String;
#[cfg(feature = "schema")]
use alloc::string::ToString;

use serde::Deserialize;

use super::value::{Duration, SecretSource};
use crate::policy::encryption::{IvMode, KeySharing, OnEncryptedOrigin};
#[cfg(feature = "schema")]
use crate::policy::text::{AbsolutePath, Authority, ClusterName, KeyPath};

/// How segments are encrypted (AES-128-CBC), whose keys are whose, and when they change; docs/keys.md says which to choose.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MediaEncryption {
    /// Segments are encrypted. `false`: playlists get tokens only.
    pub enabled: bool,
    /// The share of segments that is encrypted, in percent. Every one is, whatever it says.
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = "^(ALL|AUTO|[1-9][0-9]?|100)$"), extend("default" = "ALL", "examples" = ["50"]))
    )]
    pub percentage_coverage: Option<String>,
    /// Path of the key endpoint: letters, digits and `/.-_`. The origin never sees it. Not beside `keyUrl`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<KeyPath>", extend("default" = "/serve.key", "examples" = ["/k/serve.key"]))
    )]
    pub key_path: Option<String>,
    /// Who shares a key. Where content needs no token (`enforceOnContentRequest`), `stream` is the default, and
    /// `session` is refused. Not beside `key`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "session")))]
    pub key_scope: Option<KeySharing>,
    /// A stream is the directory so many path segments below its assignment's path, or the deepest there is. Only
    /// where something depends on streams: `keyScope` `stream`, or `{stream}` in `keyUrl`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = 1, "examples" = [2])))]
    pub stream_depth: Option<u8>,
    /// Where players get keys in place of the key endpoint: an `http`, `https` or host-relative URL. `{session}`,
    /// `{stream}`, `{period}`, `{secret}` and `{token}` in it stand for what the key depends on; those that it does
    /// depend on must be there.
    #[cfg_attr(
        feature = "schema",
        schemars(length(max = 1024), extend("examples" = ["https://keys.example/{stream}/{period}?s={secret}"])))]
    pub key_url: Option<String>,
    /// The key that is given out at `keyUrl`, if it is not derived: 16 bytes in hex or base64.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_KEY"})])))]
    pub key: Option<SecretSource>,
    /// An upstream that is asked before a key is given out. Not beside `keyUrl`.
    pub key_authorizer: Option<KeyAuthorizer>,
    /// What all keys and session tokens are derived from: hex or base64 of at least 16 bytes, the same on every Envoy.
    /// Without it, the passwords of `tokenAuth`, if they have 16 bytes.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_SECRET"})])))]
    pub secret: Option<SecretSource>,
    /// A second secret whose sessions go on, while the secret is being changed.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_SECRET_NEXT"})])))]
    pub transition_secret: Option<SecretSource>,
    /// When the key changes within a session. Without it, never. Not beside `key`.
    pub key_rotation: Option<KeyRotation>,
    /// What the initialisation vector of a segment is.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "explicit")))]
    pub iv_mode: IvMode,
    /// What becomes of media that the origin encrypts itself.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "deny")))]
    pub on_encrypted_origin: OnEncryptedOrigin,
}

/// How much of a rendition one key is for, in one of two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub enum KeyRotation {
    /// So many segments.
    Segments(#[cfg_attr(feature = "schema", schemars(range(min = 1), extend("examples" = [100])))] u64),
    /// As many segments as fit into this time, but one at least, each counted as EXT-X-TARGETDURATION.
    Time(#[cfg_attr(feature = "schema", schemars(extend("examples" = ["10m"])))] Duration),
}

/// An upstream that is asked, with the facts in `x-playlock-` headers, each time that a session asks for a key. A 2xx
/// is a yes, a 5xx or silence a 503 (`unanswered`), anything else a no (403 `authorizer`).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeyAuthorizer {
    /// The name of a cluster of Envoy's.
    #[cfg_attr(feature = "schema", schemars(with = "ClusterName", extend("examples" = ["authorizer"])))]
    pub cluster: String,
    /// What is asked for there: an absolute path without a fragment.
    #[cfg_attr(feature = "schema", schemars(with = "AbsolutePath", extend("examples" = ["/may-play"])))]
    pub path: String,
    /// The host that is asked, perhaps with a port. Without it, the cluster's name.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Authority>", extend("examples" = ["auth.example"]))
    )]
    pub host: Option<String>,
    /// How long an answer is waited for: one second at least, one minute at most.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("default" = "2s", "pattern" = "^0*([1-9]|[1-5][0-9]|60)s$|^0*1m$", "examples" = ["5s"]))
    )]
    pub timeout: Option<Duration>,
}
