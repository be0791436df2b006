//! `tokenAuth` as written: access control by tokens.

use alloc::string::String;
#[cfg(feature = "schema")]
use alloc::string::ToString;
use alloc::vec::Vec;

use serde::Deserialize;

use super::cat::Cat;
use super::jwt::Jwt;
use super::media_cdn::MediaCdn;
use super::uri_signing::UriSigning;
use super::value::{Duration, SecretSource};
#[cfg(feature = "schema")]
use playlock_core::policy::text::{HeaderName, TokenName};
use playlock_core::policy::tokens::Transport;
use playlock_core::token::format::Format;

/// Access control by tokens. Access tokens, which your site issues, open sessions; session tokens, which
/// playlock issues, continue them.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TokenAuth {
    /// Check access and session tokens. `false`: a playlist opens a session for anyone, and keys and segments of
    /// encrypted media still require the session's token.
    pub enabled: bool,
    /// The formats of access tokens that are accepted.
    #[serde(default = "edge_auth_alone")]
    #[cfg_attr(
        feature = "schema",
        schemars(
            length(min = 1),
            extend("default" = serde_json::json!(["edgeauth"]), "examples" = [["edgeauth", "mediacdn"]])
        )
    )]
    pub formats: Vec<Format>,
    /// Keys and settings of Common Access Tokens (CTA-5007). Required if `formats` has `cat`.
    pub cat: Option<Cat>,
    /// Keys and settings of URI Signing (RFC 9246). Required if `formats` has `urisigning`.
    pub urisigning: Option<UriSigning>,
    /// Keys and claims of JSON Web Tokens (RFC 7519). Required if `formats` has `jwt`.
    pub jwt: Option<Jwt>,
    /// Keys of Google Media CDN's tokens. Required if `formats` has `mediacdn`.
    pub mediacdn: Option<MediaCdn>,
    /// The HMAC key of EdgeAuth access tokens: an even number of hex digits. If there are fewer than 32, anyone who has a token
    /// can guess the password offline, and playlock logs a warning. Required if `enabled` is `true` and `formats` has `edgeauth`.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_PASSWORD"})])))]
    pub password: Option<SecretSource>,
    /// A second password that is accepted, too, during a rotation.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("examples" = [serde_json::json!({"env": "PLAYLOCK_PASSWORD_NEXT"})]))
    )]
    pub transition_password: Option<SecretSource>,
    /// Require an access token to open a session. `false`: a playlist opens a session without one. An access token in
    /// the request is not checked, and the origin does not receive it.
    #[serde(default = "yes")]
    pub enforce_on_initial_request: bool,
    /// Require a session token for content (everything except playlists and keys). `false`: content is served without
    /// one, so that caches can store it; playlists and keys still require one. Keys must then be shared (`keyScope`).
    #[serde(default = "yes")]
    pub enforce_on_content_request: bool,
    /// The query parameter of the access token. Must differ from that of the session token and from `plk`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TokenName>", extend("default" = "hdnts", "examples" = ["access"]))
    )]
    pub access_token_name: Option<String>,
    /// The access token's cookie, if its name is not `accessTokenName`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<TokenName>", extend("examples" = ["auth"])))]
    pub access_token_cookie: Option<String>,
    /// The access token's request header, if its name is not `accessTokenName`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<TokenName>", extend("examples" = ["x-auth"])))]
    pub access_token_header: Option<String>,
    /// The query parameter of the session token, and the prefix of its cookies' names. Must differ from `plk`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<TokenName>", extend("default" = "hdntl", "examples" = ["session"]))
    )]
    pub session_token_name: Option<String>,
    /// How the session token is sent.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "query")))]
    pub session_token_transport: Transport,
    /// How long a session lasts, at least one second. The access token's expiry does not shorten it.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "1d", "pattern" = "[1-9]", "examples" = ["6h"])))]
    pub session_ttl: Option<Duration>,
    /// Shorter lives for the tokens of live content. Without it, every token lasts until the session ends.
    pub session_renewal: Option<SessionRenewal>,
    /// The paths of the session: patterns joined with `!`, in which `*` matches anything. Without it, the paths of the
    /// access token; if that is for a single URL or playlist, everything below its directory.
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = "^[!#-+.-:<-\\[\\]-}-]+$"), extend("examples" = ["/vod/*"]))
    )]
    pub session_acl: Option<String>,
    /// The client properties to which a session is bound. Without it, none.
    pub session_binding: Option<SessionBinding>,
    /// The tolerance for clock differences when checking the times `st` and `exp` of tokens.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "10s", "examples" = ["1m"])))]
    pub clock_skew: Option<Duration>,
    /// Wrap a live media playlist that is requested with an access token: the response is a multivariant playlist of one
    /// variant, so that reloads carry the session token. Only for players that open the media playlist itself: most fail
    /// if a multivariant playlist names it.
    #[serde(default)]
    pub wrap_live_playlists: bool,
    /// Redirect (302) a request for a playlist that opens a session to the same URL with the session token. Reloads of
    /// a live media playlist then carry the session token in most players, so that the session outlives the access
    /// token. Without it, the response is the playlist itself, and reloads carry the access token.
    #[serde(default)]
    pub redirect_playlists: bool,
    /// A text that is signed with every access token but never part of one (`salt` of the EdgeAuth libraries).
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["pepper"])))]
    pub salt: Option<String>,
    /// The HMAC algorithms that access tokens may use in addition to SHA-256.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = serde_json::json!([]), "examples" = [["sha1"]])))]
    pub algorithms: Vec<Algorithm>,
    /// Other hosts, optionally with a port, that playlock protects with the same secrets: their URIs in playlists get
    /// the session token, too. A host that is not yours could use that token. A content steering server that is not
    /// yours can name any host in its PATHWAY-CLONES, and players then send the URLs with their tokens to that host.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(inner(regex(pattern = "^[^/@?#* ]+$")), extend("examples" = [["cdn.example"]]))
    )]
    pub hosts: Vec<String>,
}

fn edge_auth_alone() -> Vec<Format> {
    alloc::vec![Format::EdgeAuth]
}

fn yes() -> bool {
    true
}

/// Renewal of session tokens. In a live playlist, the URIs of segments and keys have tokens that end one to two times
/// `after` later, and each reload of the playlist has current ones. The URLs of playlists, and everything in playlists that
/// have ended, have tokens that last until the session ends: players do not ask for those URLs anew.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SessionRenewal {
    /// The time after which playlists have newer tokens, at least one minute and less than half of `sessionTtl`. URIs do
    /// not change in between.
    #[cfg_attr(feature = "schema", schemars(extend("examples" = ["10m"])))]
    pub after: Duration,
}

/// The client properties that must not change during a session. At least one is required.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SessionBinding {
    /// The client's network. It changes for viewers behind some NATs, and for viewers with both IPv4 and IPv6.
    pub address_prefix: Option<AddressPrefix>,
    /// Request headers that players must send with every request, always with the same values: 1 to 16, in any order.
    /// Players may omit some of them, but not all, and then in every request.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<Vec<HeaderName>>",
            length(min = 1, max = 16),
            extend("examples" = [["user-agent", "x-device"]])
        )
    )]
    pub headers: Option<Vec<String>>,
    /// Akamai's word for a single header. The same as `headers` with this name; not both.
    #[cfg_attr(feature = "schema", schemars(with = "Option<HeaderName>", extend("examples" = ["x-device"])))]
    pub header_for_salt: Option<String>,
    /// The TLS client, by those parts of its JA4 fingerprint that all its connections share. Requires Envoy to provide
    /// the fingerprint in the filter state `playlock.ja4`; connections without one, such as HTTP/3, are denied.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    pub ja4: bool,
}

/// The number of leading bits of the client's address that form its network.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AddressPrefix {
    /// Bits of an IPv4 address.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 32), extend("default" = 24)))]
    pub ipv4: Option<u32>,
    /// Bits of an IPv6 address.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 128), extend("default" = 56)))]
    pub ipv6: Option<u32>,
}

/// An HMAC algorithm of access tokens.
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
