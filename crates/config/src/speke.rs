//! `mediaEncryption.speke` as written.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::value::SecretSource;
#[cfg(feature = "schema")]
use playlock_core::policy::text::{KeyPath, RequesterName};

/// A key server for packagers. It answers CPIX documents with keys that are derived from a secret, the content ID and the
/// key ID: the same request has the same answer on every Envoy. Requires `holdHeaders`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Speke {
    /// The path: letters, digits and `/.-_`. Requests for it and for everything below it are for the key server alone. No
    /// other policy's, and no key endpoint's, may be the same or below it.
    #[cfg_attr(feature = "schema", schemars(with = "KeyPath", extend("examples" = ["/speke"])))]
    pub path: String,
    /// The requesters that may ask for keys.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub requesters: Vec<Requester>,
    /// The secret from which the keys are derived, instead of the policy's: hex or base64 of at least 16 bytes, the same
    /// on every Envoy. Content that was packaged under it needs it as long as it is played, so that it should not be one
    /// that is exchanged.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_SPEKE_SECRET"})])))]
    pub secret: Option<SecretSource>,
    /// The URL below which this filter gives viewers the keys of packaged contents: a path, or a URL with one, of letters,
    /// digits and `/.-_`, with `{contentId}` as a segment. The policy must be assigned to the path, and the ACL of a
    /// viewer's session must cover it. Below it, `/SECRET/KID` is a key's 16 bytes, and `/SECRET/license` a license server
    /// for ClearKey; `SECRET` identifies the secret. No `keyPath` and no `licensePath` may be such a URL, and the URL must
    /// not be below a `path` of packagers. It stands in for `keyUrl` and `licenseUrl`. Players need an absolute URL only if
    /// the playlist is another host's.
    #[cfg_attr(feature = "schema", schemars(length(max = 512), extend("examples" = ["/vod/{contentId}/keys"])))]
    pub viewer_url: Option<String>,
    /// The URI in FairPlay's key tags, which its license server understands: `skd://`, with `{contentId}`, `{kid}`, `{iv}`
    /// and `{json}` in it, also as `{kid:hex}`, `{kid:base64}` and the like. Without it, FairPlay is refused.
    #[cfg_attr(feature = "schema", schemars(length(max = 1024), extend("examples" = ["skd://{kid:base64}"])))]
    pub fairplay: Option<String>,
    /// The URL of the 16 bytes of a key, for AES-128 and SAMPLE-AES, with the same placeholders: of a key server of your
    /// own. Without it and without `viewerUrl`, these are refused.
    #[cfg_attr(
        feature = "schema",
        schemars(length(max = 1024), extend("examples" = ["https://tv.example/keys/{contentId}/{kid}"]))
    )]
    pub key_url: Option<String>,
    /// The URL of a ClearKey license server of your own, with the same placeholders.
    #[cfg_attr(
        feature = "schema",
        schemars(length(max = 1024), extend("examples" = ["https://tv.example/license/{contentId}"]))
    )]
    pub license_url: Option<String>,
    /// The name of the content provider in Widevine's data. With it, the data has the content ID, too.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 128), extend("examples" = ["example"])))]
    pub widevine_provider: Option<String>,
    /// The URL of PlayReady's license server, with the same placeholders. Players usually have one of their own.
    #[cfg_attr(
        feature = "schema",
        schemars(length(max = 1024), extend("examples" = ["https://playready.example/rightsmanager.asmx"]))
    )]
    pub playready_url: Option<String>,
    /// The version of PlayReady's header for `cenc`. For `cbcs` it is 4.3.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "4.0")))]
    pub playready_header: PlayReadyHeader,
}

/// A version of PlayReady's header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PlayReadyHeader {
    /// For all clients.
    #[default]
    #[serde(rename = "4.0")]
    V4_0,
    /// With a list of keys; for clients from PlayReady 3.0 on.
    #[serde(rename = "4.2")]
    V4_2,
}

/// A requester of keys: a packager, or a license server.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Requester {
    /// Its name in the access log.
    #[cfg_attr(feature = "schema", schemars(with = "RequesterName", extend("examples" = ["packager"])))]
    pub name: String,
    /// Its token: 16 to 1024 printable characters of ASCII. It is sent as `?enc-token=`, as the last segment of the path,
    /// as the password of Basic authentication, or in the header `x-playlock-speke-token`.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_PACKAGER"})])))]
    pub token: SecretSource,
    /// The content IDs whose keys it may have: each a content ID, or the beginning of content IDs and a `*`. `*` alone is
    /// for all.
    #[cfg_attr(feature = "schema", schemars(length(min = 1), extend("examples" = [["film-*", "trailer"]])))]
    pub content_ids: Vec<String>,
    /// The addresses and networks that it asks from. Without any, it may ask from everywhere.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [["203.0.113.0/24", "2001:db8::7"]])))]
    pub networks: Vec<String>,
}
