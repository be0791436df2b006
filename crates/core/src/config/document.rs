//! The configuration document as it is written: the field names of the Media Security Policy API, ours beside
//! them in the same style. Unknown fields are refused everywhere.

use alloc::string::String;
#[cfg(feature = "schema")]
use alloc::string::ToString;
use alloc::vec::Vec;

use serde::Deserialize;
use serde::de::IgnoredAny;

pub use super::content_targeting::{
    ContentTargeting, Country, Dma, GeoHeaders, GeoProtection, IpAccess, Mode, Referer, Region,
};
pub use super::media_encryption::{IvMode, KeyAuthorizer, KeyRotation, KeyScope, MediaEncryption, OnEncryptedOrigin};
pub use super::token_auth::{AddressPrefix, Algorithm, SessionBinding, TokenAuth, Transport};
pub use super::value::{Duration, PolicyId, SecretSource};

/// The whole document.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Document {
    /// The policies, by name.
    pub policies: Vec<Policy>,
    /// Which policy holds where.
    pub assignments: Vec<Assignment>,
    /// What happens to what no assignment covers.
    #[serde(default)]
    pub default: DefaultAction,
    /// Hold the headers of a playlist until what comes before its first URI is seen, so that a refusal is a clean HTTP error and
    /// not a broken response. Needs Envoy's `allow_on_headers_stop_iteration`, without which responses hang.
    #[serde(default)]
    pub hold_headers: bool,
    /// Chunks of segments that are on their way at the same time may be encrypted together: faster by about half, if
    /// the proxy never buffers more for a paused response than it may give at a time (see `Batch`).
    #[serde(default)]
    pub batching: bool,
    /// The policy that the proxy's route names (`filter_metadata.playlock.policy`) holds before any assignment. Costs a call
    /// of the proxy's for each request.
    #[serde(default)]
    pub route_policy: bool,
    /// In which request headers the proxy says where a client is.
    #[serde(default)]
    pub geo_headers: GeoHeaders,
}

/// What happens to a request that no assignment covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DefaultAction {
    /// Refuse it.
    #[default]
    Deny,
    /// Let it pass untouched.
    Pass,
}

/// A policy. Members that only mean something to the API itself are read and ignored.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Policy {
    /// The policy's unique name. Keys are derived from it: renaming a policy ends its sessions.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 128)))]
    pub policy_name: String,
    /// The policy's number.
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
    /// Encryption of segments.
    pub media_encryption: Option<MediaEncryption>,
    /// From where and by what way one may watch.
    pub content_targeting: Option<ContentTargeting>,
    /// With what one may watch.
    pub player_verification: Option<PlayerVerification>,
    /// Sessions that end before their time.
    pub revocation: Option<Revocation>,
    /// From which sites' pages one may watch. Without it the origin's headers say.
    pub cors: Option<Cors>,
}

/// `cors`: what pages on other sites may do (the Fetch standard's CORS protocol).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Cors {
    /// Origins as browsers send them, such as `https://tv.example`, or `*`.
    pub allow_origins: Vec<String>,
    /// Pages may send cookies along.
    #[serde(default)]
    pub allow_credentials: bool,
    /// Request headers that pages may set; whichever they ask for if left out.
    pub allow_headers: Option<Vec<String>>,
    /// Response headers that pages may read beside those that they always may.
    #[serde(default)]
    pub expose_headers: Vec<String>,
    /// How long a browser may keep the answer to a preflight (`1d`).
    pub max_age: Option<Duration>,
}

/// `playerVerification`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PlayerVerification {
    /// Players are checked.
    pub enabled: bool,
    /// Read, with a warning: there is no support player.
    pub support_player_enabled: Option<bool>,
    /// Read and ignored.
    #[serde(rename = "resetSupportPlayer")]
    pub _reset_support_player: Option<bool>,
    /// Those that may play, 30 at most.
    #[cfg_attr(feature = "schema", schemars(length(max = 30)))]
    pub players: Option<Vec<Player>>,
    /// How long they hold from the start of the policy's assignment (`1d`).
    pub ttl: Option<Duration>,
    /// Read and ignored.
    #[serde(rename = "email")]
    pub _email: Option<String>,
    /// Where a player names itself.
    #[serde(default)]
    pub identified_by: IdentifiedBy,
    /// The header, if it is that (`x-player-hash`).
    pub player_header: Option<String>,
}

/// `identifiedBy`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum IdentifiedBy {
    /// By a header of every request.
    #[default]
    Header,
    /// By the payload (`data`) of the access token.
    Token,
}

/// A player that may play.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Player {
    /// Its SHA-256; compared without case.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 128)))]
    pub hash: String,
    /// Read and ignored.
    #[serde(rename = "description")]
    pub _description: Option<String>,
    /// It may (`true`).
    pub enabled: Option<bool>,
}

/// `revocation`: sessions that end before their time.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Revocation {
    /// Sessions by id, as the access log says it.
    #[serde(default)]
    pub session_ids: Vec<String>,
    /// Sessions by the id of the access token that opened them.
    #[serde(default)]
    pub access_token_ids: Vec<String>,
    /// Every session that was opened before this time.
    pub sessions_opened_before: Option<String>,
}

/// Which policy holds for a host and path. The API's descriptive members are read and ignored.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Assignment {
    /// The policy's name.
    pub policy_name: Option<String>,
    /// The policy's number, in place of or beside its name.
    pub policy_id: Option<PolicyId>,
    /// A host name without a port; every host if left out.
    pub host: Option<String>,
    /// A path, which covers everything below it: `/vod`, `/vod/...`, `/...`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^/")))]
    pub path: String,
    /// When the assignment begins to hold: `*`.
    pub start_time: Option<String>,
    /// When it ends: `*`.
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
