//! `mediaEncryption` as written: keys, their scope and their rotation.

use alloc::string::String;
#[cfg(feature = "schema")]
use alloc::string::ToString;

use serde::Deserialize;

use super::leases::Leases;
use super::speke::Speke;
use super::value::{Duration, SecretSource};
use playlock_core::policy::authorizer::OnUnavailable;
use playlock_core::policy::encryption::{HlsMethod, IvMode, KeySharing, OnEncryptedOrigin, SampleScheme};
#[cfg(feature = "schema")]
use playlock_core::policy::text::{AbsolutePath, Authority, ClusterName, KeyPath};

/// Encryption of segments (AES-128-CBC): the keys, who shares them, and when they change. docs/keys.md explains the
/// choice.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MediaEncryption {
    /// Encrypt segments. `false`: playlock adds tokens to playlists and encrypts nothing.
    pub enabled: bool,
    /// How much of video is encrypted in samples (`scheme`), in percent: of AVC, HEVC and VVC, behind the first bytes of each
    /// NAL unit. `cbcs` encrypts one block in 10, 9, 8 … 2, or every block: the fewest that are at least this share; `AUTO`: one
    /// in ten. `cenc` encrypts the beginning of each NAL unit; `AUTO`: all of it. Other samples, and whole segments (AES-128),
    /// are always encrypted completely.
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = "^(ALL|AUTO|[1-9][0-9]?|100)$"), extend("default" = "AUTO", "examples" = ["50"]))
    )]
    pub percentage_coverage: Option<String>,
    /// The path of the key endpoint: letters, digits and `/.-_`. The origin never receives requests for it. Not
    /// together with `keyUrl`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<KeyPath>", extend("default" = "/serve.key", "examples" = ["/k/serve.key"]))
    )]
    pub key_path: Option<String>,
    /// Encrypt samples of fragmented MP4 (Common Encryption) for MPDs: their media gets a key of its own, which players get
    /// as a ClearKey license. Playlists of HLS are encrypted with AES-128 all the same. Without it, MPDs are refused.
    /// Requires `holdHeaders`. Not together with `keyRotation` and `keyUrl`.
    pub scheme: Option<SampleScheme>,
    /// The path of the license server, with `scheme`: letters, digits and `/.-_`. The origin never receives requests for it.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<KeyPath>", extend("default" = "/license", "examples" = ["/k/license"]))
    )]
    pub license_path: Option<String>,
    /// How fragmented MP4 is encrypted in playlists of HLS. `SAMPLE-AES` requires `scheme` `cbcs`. Other media is encrypted
    /// with AES-128 all the same.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "AES-128")))]
    pub hls_method: HlsMethod,
    /// The viewers that share a key. If content requires no token (`enforceOnContentRequest`), the default is `stream`,
    /// and `session` is rejected. Not together with `key`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "session")))]
    pub key_scope: Option<KeySharing>,
    /// The number of path segments below the assignment's path that form a stream's directory, or as many as there are.
    /// Rejected unless something depends on streams: `keyScope` `stream`, or `{stream}` in `keyUrl`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = 1, "examples" = [2])))]
    pub stream_depth: Option<u8>,
    /// The URL of an external key server, for playlists in place of the key endpoint: `http`, `https` or host-relative.
    /// `{session}`, `{stream}`, `{period}`, `{secret}` and `{token}` are placeholders. Those on which the key depends
    /// are required.
    #[cfg_attr(
        feature = "schema",
        schemars(length(max = 1024), extend("examples" = ["https://keys.example/{stream}/{period}?s={secret}"])))]
    pub key_url: Option<String>,
    /// The key that the server at `keyUrl` returns, if it is not derived: 16 bytes in hex or base64.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_KEY"})])))]
    pub key: Option<SecretSource>,
    /// An upstream that authorizes every key request. Not together with `keyUrl`.
    pub key_authorizer: Option<KeyAuthorizer>,
    /// The secret from which all keys and session tokens are derived: hex or base64 of at least 16 bytes, the same on
    /// every Envoy. Without it, they are derived from the passwords of `tokenAuth`, if these have at least 16 bytes.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_SECRET"})])))]
    pub secret: Option<SecretSource>,
    /// A second secret whose sessions remain valid during a rotation.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_SECRET_NEXT"})])))]
    pub transition_secret: Option<SecretSource>,
    /// When the key changes within a session. Without it, the key never changes. Not together with `key`.
    pub key_rotation: Option<KeyRotation>,
    /// The initialisation vector (IV) of segments.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "explicit")))]
    pub iv_mode: IvMode,
    /// The handling of media that the origin has already encrypted.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "deny")))]
    pub on_encrypted_origin: OnEncryptedOrigin,
    /// A key server for packagers (SPEKE 1.0, 2.0, 2.1), at a path of its own on every host, whatever is assigned to it.
    pub speke: Option<Speke>,
}

/// The length of a key rotation period, in one of two units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub enum KeyRotation {
    /// The number of segments.
    Segments(#[cfg_attr(feature = "schema", schemars(range(min = 1), extend("examples" = [100])))] u64),
    /// As many segments as fit into this time, at least one. Each counts as long as EXT-X-TARGETDURATION.
    Time(#[cfg_attr(feature = "schema", schemars(extend("examples" = ["10m"])))] Duration),
}

/// An upstream that authorizes each key request of a session; `x-playlock-` headers describe the request. A 2xx grants
/// the key, a 5xx or no response leaves it to `onUnavailable`. A 409 refuses it as `limit` (403), a 410 as `ended` (403), a
/// 429 as `ahead` (503), anything else as `authorizer` (403).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeyAuthorizer {
    /// The name of a cluster in Envoy's configuration.
    #[cfg_attr(feature = "schema", schemars(with = "ClusterName", extend("examples" = ["authorizer"])))]
    pub cluster: String,
    /// The path to request: an absolute path without a fragment.
    #[cfg_attr(feature = "schema", schemars(with = "AbsolutePath", extend("examples" = ["/may-play"])))]
    pub path: String,
    /// The host to request, optionally with a port. Without it, the cluster's name.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Authority>", extend("examples" = ["auth.example"]))
    )]
    pub host: Option<String>,
    /// How long to wait for a response: at least one second, at most one minute.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("default" = "2s", "pattern" = "^0*([1-9]|[1-5][0-9]|60)s$|^0*1m$", "examples" = ["5s"]))
    )]
    pub timeout: Option<Duration>,
    /// The handling of a key without a decision of the authorizer: no response in time, a 5xx, no such cluster.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "deny")))]
    pub on_unavailable: OnUnavailable,
    /// A limit on the sessions of a viewer, which the authorizer counts.
    pub leases: Option<Leases>,
}
