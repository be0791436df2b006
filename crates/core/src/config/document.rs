//! The configuration document as it is written: the field names of the Media Security Policy API, ours beside
//! them in the same style. Unknown fields are refused everywhere.

use alloc::string::String;
#[cfg(feature = "schema")]
use alloc::string::ToString;
use alloc::vec::Vec;

use serde::Deserialize;
use serde::de::IgnoredAny;

pub use super::content_targeting::{
    ContentTargeting, Country, Dma, GeoHeaders, GeoProtection, IpAccess, Referer, Region,
};
pub use super::media_encryption::{KeyAuthorizer, KeyRotation, MediaEncryption};
#[cfg(feature = "schema")]
use super::time::{Time, TimeOrAny};
pub use super::token_auth::{AddressPrefix, Algorithm, SessionBinding, TokenAuth};
pub use super::value::{Duration, SecretSource};
use crate::policy::DefaultAction;
#[cfg(feature = "schema")]
use crate::policy::assignments::PathPrefix;
#[cfg(feature = "schema")]
use crate::policy::cors::{AllowedOrigin, ListedHeader};
use crate::policy::index::PolicyId;
#[cfg(feature = "schema")]
use crate::policy::players::PlayerHash;
#[cfg(feature = "schema")]
use crate::policy::text::{HeaderName, Host};

/// The whole document.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Document {
    /// What holds for a part of what Envoy serves: who may watch it, how it is encrypted.
    pub policies: Vec<Policy>,
    /// Which policy holds where, and when. The longest path wins, one with a host of its own before one for every
    /// host, and of those to the same path the one that started last.
    pub assignments: Vec<Assignment>,
    /// What happens to a request that no assignment covers.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "deny")))]
    pub default: DefaultAction,
    /// Hold the headers of a playlist until what comes before its first URI is seen, so that a refusal is a clean HTTP
    /// error and not a broken response. Needs Envoy's `allow_on_headers_stop_iteration`, without which responses hang.
    #[serde(default)]
    pub hold_headers: bool,
    /// Chunks of segments that are on their way at the same time may be encrypted together: faster by about half, if
    /// the proxy never buffers more for a paused response than it may give at a time
    /// (`per_connection_buffer_limit_bytes`).
    #[serde(default)]
    pub batching: bool,
    /// The policy that Envoy's route names in its metadata (`filter_metadata: {playlock: {policy: vod}}`) holds before
    /// any assignment; a name that no policy has is refused. Costs each request a call of Envoy's.
    #[serde(default)]
    pub route_policy: bool,
    /// In which request headers Envoy says where a client is.
    #[serde(default)]
    pub geo_headers: GeoHeaders,
}

/// A policy. Members that only mean something to the Media Security Policy API itself are read and ignored.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Policy {
    /// The policy's unique name, without control characters; it is in counters, logs and tokens. Keys are derived from
    /// it: renaming a policy ends its sessions. Its length is counted in bytes.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 128), extend("examples" = ["vod"])))]
    pub policy_name: String,
    /// The policy's unique number, by which assignments may name it.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [1])))]
    pub policy_id: Option<PolicyId>,
    /// Read and ignored.
    #[serde(rename = "description")]
    pub _description: Option<String>,
    /// Read and ignored.
    #[serde(rename = "environment")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub _environment: Option<IgnoredAny>,
    /// Read and ignored.
    #[serde(rename = "status")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub _status: Option<IgnoredAny>,
    /// Read and ignored.
    #[serde(rename = "contractId")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub _contract_id: Option<IgnoredAny>,
    /// Read and ignored.
    #[serde(rename = "groupId")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub _group_id: Option<IgnoredAny>,
    /// Read and ignored.
    #[serde(rename = "promote")]
    pub _promote: Option<bool>,
    /// Read and ignored.
    #[serde(rename = "unsavedPolicy")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub _unsaved_policy: Option<IgnoredAny>,
    /// Who may watch.
    pub token_auth: Option<TokenAuth>,
    /// Encryption of segments. Without it playlists get tokens only.
    pub media_encryption: Option<MediaEncryption>,
    /// Paths of further playlists, beside those that end in `.m3u8` or `.m3u`, as patterns: `*` stands for anything, `/`
    /// too, `?` for one character. A resource there is always a playlist, whatever its `content-type`: an access token
    /// opens it, and it is rewritten or refused.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(inner(regex(pattern = "^[/*][^!]*$")), extend("examples" = [["/live/*/playlist.php"]]))
    )]
    pub playlist_paths: Vec<String>,
    /// From where and by what way one may watch.
    pub content_targeting: Option<ContentTargeting>,
    /// With what one may watch.
    pub player_verification: Option<PlayerVerification>,
    /// Sessions that end before their time.
    pub revocation: Option<Revocation>,
    /// From which sites' pages one may watch. Without it the origin's headers say.
    pub cors: Option<Cors>,
}

/// What pages on other sites may do (the CORS protocol of the Fetch standard). playlock answers preflights itself, and
/// its headers take the place of the origin's, on refusals too.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Cors {
    /// The sites whose pages may play: origins as browsers send them, or `*` for every one.
    #[cfg_attr(
        feature = "schema",
        schemars(length(min = 1), with = "Vec<AllowedOrigin>", extend("examples" = [["https://tv.example"]]))
    )]
    pub allow_origins: Vec<String>,
    /// Pages may send cookies along. Not together with `*`, with which any site could use a viewer's cookies.
    #[serde(default)]
    pub allow_credentials: bool,
    /// Request headers that pages may set. Without it, whichever they ask for.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<ListedHeader>>", extend("examples" = [["range"]]))
    )]
    pub allow_headers: Option<Vec<String>>,
    /// Response headers that pages may read beside those that they always may.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<ListedHeader>", extend("examples" = [["content-range"]]))
    )]
    pub expose_headers: Vec<String>,
    /// How long a browser may keep the answer to a preflight.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "1d", "examples" = ["2h"])))]
    pub max_age: Option<Duration>,
}

/// With which players one may watch. This identifies players and proves nothing: whoever has seen the name of one can
/// send it. Who may not is refused (403 `player`).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PlayerVerification {
    /// Players are checked. `false`: as if `playerVerification` were not there.
    pub enabled: bool,
    /// Read, with a warning if `true`: there is no support player.
    pub support_player_enabled: Option<bool>,
    /// Read and ignored.
    #[serde(rename = "resetSupportPlayer")]
    pub _reset_support_player: Option<bool>,
    /// Those that may play; without any, none may.
    #[cfg_attr(feature = "schema", schemars(length(max = 30)))]
    pub players: Option<Vec<Player>>,
    /// How long the players hold from the first `startTime` of the policy's assignments. Without it, for ever.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["30d"])))]
    pub ttl: Option<Duration>,
    /// Read and ignored.
    #[serde(rename = "email")]
    pub _email: Option<String>,
    /// Where a player names itself.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "header")))]
    pub identified_by: IdentifiedBy,
    /// The request header that names the player, where `identifiedBy` is `header`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<HeaderName>", extend("default" = "x-player-hash", "examples" = ["x-app-hash"]))
    )]
    pub player_header: Option<String>,
}

/// Where a player names itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum IdentifiedBy {
    /// In a header of every request.
    #[default]
    Header,
    /// In the payload (`data`) of the access token, which must be enforced then.
    Token,
}

/// A player that may play.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Player {
    /// The player's SHA-256, or another name of printable characters without `,` and `~`; compared without case.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "PlayerHash",
            length(min = 1, max = 128),
            extend("examples" = ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])))]
    pub hash: String,
    /// Read and ignored.
    #[serde(rename = "description")]
    pub _description: Option<String>,
    /// It may play. `false`: as if it were not listed.
    #[cfg_attr(feature = "schema", schemars(extend("default" = true)))]
    pub enabled: Option<bool>,
}

/// Sessions that end before their time, at once wherever the new configuration has arrived (403 `revoked`). An entry
/// may go once what it names, session or access token, would have ended anyway.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Revocation {
    /// Sessions by the id that the access log has of them: 16 bytes in base64url.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(inner(regex(pattern = "^[A-Za-z0-9_-]{21}[AQgw]$")), extend("examples" = [["AAECAwQFBgcICQoLDA0ODw"]]))
    )]
    pub session_ids: Vec<String>,
    /// Sessions by the `id` of the access token that opened them. The token opens no more of them, either.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [["order-17"]])))]
    pub access_token_ids: Vec<String>,
    /// Every session that was opened before this time.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Time>", extend("examples" = ["2026-01-01T12:00:00Z"]))
    )]
    pub sessions_opened_before: Option<String>,
}

/// Which policy holds for a host and path.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Assignment {
    /// The policy's name. It or `policyId` is required.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["vod"])))]
    pub policy_name: Option<String>,
    /// The policy's number, in place of or beside its name.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [1])))]
    pub policy_id: Option<PolicyId>,
    /// A host name without a port, compared without case. Without it, every host.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Host>", extend("examples" = ["tv.example"])))]
    pub host: Option<String>,
    /// A path without `.` and `..`, which covers everything below it, with `/...` at its end or without.
    #[cfg_attr(feature = "schema", schemars(with = "PathPrefix", extend("examples" = ["/vod/..."])))]
    pub path: String,
    /// When the assignment begins to hold: a time, or `*` for always.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TimeOrAny>", extend("default" = "*", "examples" = ["2026-12-24T18:00:00Z"]))
    )]
    pub start_time: Option<String>,
    /// When it ends, after it began: a time, or `*` for never.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TimeOrAny>", extend("default" = "*", "examples" = ["2026-12-24T20:00:00+01:00"]))
    )]
    pub end_time: Option<String>,
    /// Read and ignored.
    #[serde(rename = "configurationName")]
    pub _configuration_name: Option<String>,
    /// Read and ignored.
    #[serde(rename = "configurationXmlName")]
    pub _configuration_xml_name: Option<String>,
    /// Read and ignored.
    #[serde(rename = "configurationType")]
    pub _configuration_type: Option<String>,
    /// Read and ignored.
    #[serde(rename = "pathCreatedTime")]
    pub _path_created_time: Option<String>,
}
