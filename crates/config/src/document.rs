//! The configuration document as written, with the member names of the Media Security Policy API, and additional
//! members in the same style. Unknown members are rejected everywhere.

use alloc::string::String;
#[cfg(feature = "schema")]
use alloc::string::ToString;
use alloc::vec::Vec;

use serde::Deserialize;
use serde::de::IgnoredAny;

pub use super::cat::Cat;
pub use super::content_targeting::{
    ContentTargeting, Country, Dma, GeoHeaders, GeoProtection, IpAccess, Referer, Region,
};
pub use super::jwt::Jwt;
pub use super::leases::{LeaseViewer, Leases};
pub use super::media_cdn::MediaCdn;
pub use super::media_encryption::{KeyAuthorizer, KeyRotation, MediaEncryption};
pub use super::speke::Speke;
#[cfg(feature = "schema")]
use super::time::{Time, TimeOrAny};
pub use super::token_auth::{AddressPrefix, Algorithm, SessionBinding, SessionRenewal, TokenAuth};
pub use super::uri_signing::UriSigning;
pub use super::value::{Duration, SecretSource};
use playlock_core::policy::DefaultAction;
#[cfg(feature = "schema")]
use playlock_core::policy::assignments::PathPrefix;
#[cfg(feature = "schema")]
use playlock_core::policy::cors::{AllowedOrigin, ListedHeader};
use playlock_core::policy::index::PolicyId;
#[cfg(feature = "schema")]
use playlock_core::policy::players::PlayerHash;
#[cfg(feature = "schema")]
use playlock_core::policy::text::{AssignedHost, HeaderName, PathMarker};

/// The configuration: policies, the hosts and paths to which they are assigned, and settings of the filter.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Document {
    /// The policies. Each controls access to a part of the content, and its encryption.
    pub policies: Vec<Policy>,
    /// Assigns policies to hosts and paths, always or for a time. Assignments to the request's host precede those to
    /// hosts with a `*` (the longest first), and these precede those to every host; then the longest path wins, and of
    /// those to the same path the one that started last.
    pub assignments: Vec<Assignment>,
    /// The action for requests that no assignment covers.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "deny")))]
    pub default: DefaultAction,
    /// Hold the headers of a playlist until the lines before its first URI have been checked, so that a refusal is a
    /// regular HTTP error instead of a reset response, and those of a packager's request until its body is complete
    /// (`speke`). Requires Envoy's `allow_on_headers_stop_iteration`; without it,
    /// responses hang.
    #[serde(default)]
    pub hold_headers: bool,
    /// Encrypt chunks of concurrent segments together, which takes about a fifth less CPU per byte. Only for proxies
    /// that never buffer more for a paused response than they deliver at a time (`per_connection_buffer_limit_bytes`).
    #[serde(default)]
    pub batching: bool,
    /// Use the policy that Envoy's route names in its metadata (`filter_metadata: {playlock: {policy: vod}}`) before
    /// any assignment. A request with an unknown name is refused. Costs a call into Envoy for each request. With a token in
    /// the path, the routes of the path with and without it must name the same policy.
    #[serde(default)]
    pub route_policy: bool,
    /// A number of the document, larger for each later one. The gauge `playlock.revision` shows that of the document in
    /// force, and 0 if it has none.
    #[cfg_attr(feature = "schema", schemars(range(max = 9_007_199_254_740_991_u64), extend("examples" = [17])))]
    pub revision: Option<u64>,
    /// The request headers in which Envoy passes the client's location.
    #[serde(default)]
    pub geo_headers: GeoHeaders,
    /// The text before a token in the path (`sessionTokenTransport: "path"`). No path of yours may begin with `/` and
    /// this text.
    #[cfg_attr(feature = "schema", schemars(with = "Option<PathMarker>", extend("default" = "~", "examples" = ["~t-"])))]
    pub token_path_marker: Option<String>,
}

/// A policy. Members that only concern the Media Security Policy API itself are read and ignored.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Policy {
    /// The policy's unique name, without control characters; its length is counted in bytes. It appears in counters and
    /// logs. Keys are derived from it, so that renaming a policy ends its sessions, unless there is a `keyName`.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 128), extend("examples" = ["vod"])))]
    pub policy_name: String,
    /// The name that keys are derived from, in place of `policyName`, and that key URLs contain. A renamed policy keeps its
    /// sessions and keys under the name that it had. No two policies derive keys from the same name.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 128), extend("examples" = ["vod"])))]
    pub key_name: Option<String>,
    /// The policy's unique number. Assignments may refer to the policy by it.
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
    /// Access control by tokens.
    pub token_auth: Option<TokenAuth>,
    /// Encryption of segments. Without it, playlock adds tokens to playlists and encrypts nothing.
    pub media_encryption: Option<MediaEncryption>,
    /// Patterns for the paths of playlists, in addition to paths that end in `.m3u8`, `.m3u` or `.mpd`: `*` matches any
    /// characters, including `/`; `?` matches one. A resource at such a path is always a playlist, or an MPD if that is its
    /// `content-type`: an access token opens it, and it is rewritten or refused.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(inner(regex(pattern = "^[/*][^!]*$")), extend("examples" = [["/live/*/playlist.php"]]))
    )]
    pub playlist_paths: Vec<String>,
    /// Restrictions by client address, location, proxy and referring site.
    pub content_targeting: Option<ContentTargeting>,
    /// Restriction to listed players.
    pub player_verification: Option<PlayerVerification>,
    /// Sessions that end before they expire.
    pub revocation: Option<Revocation>,
    /// Access by pages on other sites (CORS). Without it, the origin's CORS headers apply.
    pub cors: Option<Cors>,
}

/// Access by pages on other sites (the CORS protocol of the Fetch standard). playlock answers preflight requests
/// itself. Its CORS headers replace those of the origin, and refusals carry them, too.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Cors {
    /// The sites whose pages may play: origins as browsers send them, or `*` for all.
    #[cfg_attr(
        feature = "schema",
        schemars(length(min = 1), with = "Vec<AllowedOrigin>", extend("examples" = [["https://tv.example"]]))
    )]
    pub allow_origins: Vec<String>,
    /// Allow pages to send cookies. Rejected together with `*`, with which any site could use a viewer's cookies.
    #[serde(default)]
    pub allow_credentials: bool,
    /// The request headers that pages may set. Without it, all that they ask for.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<ListedHeader>>", extend("examples" = [["range"]]))
    )]
    pub allow_headers: Option<Vec<String>>,
    /// The response headers that pages may read, in addition to those that they always may.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<ListedHeader>", extend("examples" = [["content-range"]]))
    )]
    pub expose_headers: Vec<String>,
    /// How long a browser may cache the response to a preflight request.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "1d", "examples" = ["2h"])))]
    pub max_age: Option<Duration>,
}

/// Restriction to listed players; others are refused (403 `player`). It identifies players but does not authenticate
/// them: anyone who has seen a player's name can send it.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PlayerVerification {
    /// Check players. `false` has the same effect as omitting `playerVerification`.
    pub enabled: bool,
    /// Accepted, with a warning if `true`: there is no support player.
    pub support_player_enabled: Option<bool>,
    /// Read and ignored.
    #[serde(rename = "resetSupportPlayer")]
    pub _reset_support_player: Option<bool>,
    /// The players that may play. Without any, all are refused.
    #[cfg_attr(feature = "schema", schemars(length(max = 30)))]
    pub players: Option<Vec<Player>>,
    /// How long the players remain valid, from the first `startTime` of the policy's assignments. Without it, forever.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["30d"])))]
    pub ttl: Option<Duration>,
    /// Read and ignored.
    #[serde(rename = "email")]
    pub _email: Option<String>,
    /// How a player identifies itself.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "header")))]
    pub identified_by: IdentifiedBy,
    /// The request header that identifies the player, if `identifiedBy` is `header`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<HeaderName>", extend("default" = "x-player-hash", "examples" = ["x-app-hash"]))
    )]
    pub player_header: Option<String>,
}

/// How a player identifies itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum IdentifiedBy {
    /// By a header of every request.
    #[default]
    Header,
    /// By the payload (`data`) of the access token, which must then be enforced.
    Token,
}

/// A player that may play.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Player {
    /// The player's SHA-256, or another name of printable characters except `,` and `~`; not case-sensitive.
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
    /// Accept this player. `false` has the same effect as omitting it.
    #[cfg_attr(feature = "schema", schemars(extend("default" = true)))]
    pub enabled: Option<bool>,
}

/// Sessions to end before they expire. Takes effect as soon as an Envoy has the new configuration (403 `revoked`). An
/// entry can be removed once the session or access token would have expired anyway.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Revocation {
    /// Sessions by their id in the access log: 16 bytes in base64url.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(inner(regex(pattern = "^[A-Za-z0-9_-]{21}[AQgw]$")), extend("examples" = [["AAECAwQFBgcICQoLDA0ODw"]]))
    )]
    pub session_ids: Vec<String>,
    /// Sessions by the `id` of the access token that opened them. The token cannot open further sessions, either.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [["order-17"]])))]
    pub access_token_ids: Vec<String>,
    /// All sessions opened before this time.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Time>", extend("examples" = ["2026-01-01T12:00:00Z"]))
    )]
    pub sessions_opened_before: Option<String>,
}

/// Assigns a policy to a host and path.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Assignment {
    /// The policy's name. Either it or `policyId` is required.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["vod"])))]
    pub policy_name: Option<String>,
    /// The policy's number, instead of or in addition to its name.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [1])))]
    pub policy_id: Option<PolicyId>,
    /// A host name without a port, not case-sensitive; or `*` and the end of host names, at least two labels of them
    /// after the first `.`. The `*` stands for one or more characters, dots too, and a `.` or `-` follows it:
    /// `*.tv.example` covers `a.tv.example` and `a.b.tv.example`, but not `tv.example`. Without `host`, all hosts.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<AssignedHost>", extend("examples" = ["tv.example", "*.tv.example", "*-lh.cdn.example"]))
    )]
    pub host: Option<String>,
    /// A path without `.` and `..`. It covers everything below it, with or without `/...` at its end.
    #[cfg_attr(feature = "schema", schemars(with = "PathPrefix", extend("examples" = ["/vod/..."])))]
    pub path: String,
    /// The time at which the assignment starts, or `*` for always.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TimeOrAny>", extend("default" = "*", "examples" = ["2026-12-24T18:00:00Z"]))
    )]
    pub start_time: Option<String>,
    /// The time at which the assignment ends, after its start, or `*` for never.
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
