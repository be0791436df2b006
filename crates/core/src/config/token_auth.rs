//! `tokenAuth` as it is written: who may watch.

use alloc::string::String;
#[cfg(feature = "schema")]
use alloc::string::ToString;
use alloc::vec::Vec;

use serde::Deserialize;

use super::value::{Duration, SecretSource};
#[cfg(feature = "schema")]
use crate::policy::text::{HeaderName, TokenName};
use crate::policy::tokens::Transport;

/// Who may watch: access tokens (EdgeAuth v2) that your site makes open sessions, and session tokens that playlock
/// makes go on with them.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TokenAuth {
    /// Access and session tokens are checked. `false`: a playlist opens a session for anyone, and the session's token
    /// is still needed for keys and segments of encrypted media.
    pub enabled: bool,
    /// The HMAC key of access tokens: an even number of hex digits. Fewer than 32 can be guessed offline by anyone
    /// who has one token, and are warned of. Required where `enabled` is `true`.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_PASSWORD"})])))]
    pub password: Option<SecretSource>,
    /// A second password that is accepted too, while the password is being changed.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_PASSWORD_NEXT"})]))
    )]
    pub transition_password: Option<SecretSource>,
    /// Playlists need an access token to open a session. `false`: they open one without; one that is sent is not looked
    /// at, and the origin does not see it.
    #[serde(default = "yes")]
    pub enforce_on_initial_request: bool,
    /// Content (all but playlists and keys) needs a session token. `false`: it goes without one, for caches; playlists
    /// and keys never do. Keys must be shared then (`keyScope`).
    #[serde(default = "yes")]
    pub enforce_on_content_request: bool,
    /// Query parameter of the access token; not the session token's, and not `plk`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TokenName>", extend("default" = "hdnts", "examples" = ["token"]))
    )]
    pub access_token_name: Option<String>,
    /// The access token's cookie, if that has another name than `accessTokenName`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<TokenName>", extend("examples" = ["auth"])))]
    pub access_token_cookie: Option<String>,
    /// The access token's request header, if that has another name than `accessTokenName`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<TokenName>", extend("examples" = ["x-auth"])))]
    pub access_token_header: Option<String>,
    /// Query parameter of the session token, and what its cookies' names begin with; not `plk`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TokenName>", extend("default" = "hdntl", "examples" = ["session"]))
    )]
    pub session_token_name: Option<String>,
    /// How the session token travels.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "query")))]
    pub session_token_transport: Transport,
    /// How long a session lasts, one second at least. The access token's own end does not shorten it.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "1d", "pattern" = "[1-9]", "examples" = ["6h"])))]
    pub session_ttl: Option<Duration>,
    /// The session's paths: patterns joined with `!`, in which `*` stands for anything. Without it, those of the
    /// access token; for a token of one URL or playlist, what is below its directory.
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = "^[!#-+.-:<-\\[\\]-}-]+$"), extend("examples" = ["/vod/*"]))
    )]
    pub session_acl: Option<String>,
    /// What a session is bound to beside its token. Without it, to nothing.
    pub session_binding: Option<SessionBinding>,
    /// By how much clocks may differ: tolerance for the times `st` and `exp` of tokens.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "10s", "examples" = ["1m"])))]
    pub clock_skew: Option<Duration>,
    /// A live media playlist that an access token in the URL opens is answered with a master playlist of one variant,
    /// so that its reloads carry the session token.
    #[serde(default = "yes")]
    pub wrap_live_playlists: bool,
    /// Signed with every access token and carried by none (`salt` of the EdgeAuth libraries).
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["pepper"])))]
    pub salt: Option<String>,
    /// HMACs that are accepted in access tokens beside SHA-256.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = serde_json::json!([]), "examples" = [["sha1"]])))]
    pub algorithms: Vec<Algorithm>,
    /// Other hosts, perhaps with a port, that playlock protects with the same secrets: their URIs in playlists get the
    /// session token, too. A host that is not yours could use it. A content steering server that is not yours can name
    /// any host in its PATHWAY-CLONES, and players then send the URLs with their tokens there.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(inner(regex(pattern = "^[^/@?#* ]+$")), extend("examples" = [["cdn.example"]]))
    )]
    pub hosts: Vec<String>,
}

fn yes() -> bool {
    true
}

/// What must be as it was when the session was opened: one of the two at least.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SessionBinding {
    /// The client's network. Viewers behind some NATs, or with both IPv4 and IPv6, change theirs.
    pub address_prefix: Option<AddressPrefix>,
    /// A request header that players must send with every request, and whose value must stay the same.
    #[cfg_attr(feature = "schema", schemars(with = "Option<HeaderName>", extend("examples" = ["x-device"])))]
    pub header_for_salt: Option<String>,
}

/// How many leading bits of the client's address make its network.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AddressPrefix {
    /// Of an IPv4 address, in bits.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 32), extend("default" = 24)))]
    pub ipv4: Option<u32>,
    /// Of an IPv6 address, in bits.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 128), extend("default" = 56)))]
    pub ipv6: Option<u32>,
}

/// An HMAC's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// Always accepted.
    Sha256,
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-MD5.
    Md5,
}
