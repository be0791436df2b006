//! The grant of a verified access token, whatever its format.

use alloc::string::String;

/// The grant of a verified access token. Only the verifiers of [`crate::token`] create one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Paths that the token covers, as an ACL of EdgeAuth; `None` if the token covers a single URL, or if its paths
    /// cannot be written as an ACL. The session then covers the directory of the requested playlist.
    pub acl: Option<String>,
    /// The token's id, for logs and revocation.
    pub id: Option<String>,
    /// The token's payload, which the session token carries.
    pub payload: Option<String>,
    /// The token that replaces this one, for the response.
    pub renewed: Option<Renewed>,
}

/// A token that replaces the one of the request.
#[derive(Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The new token.
    pub token: String,
    /// How the client gets it.
    pub by: RenewedBy,
    /// The cookie that the old token asks for, if it names one.
    pub cookie: Option<String>,
    /// The header that the old token asks for, if it names one.
    pub header: Option<String>,
    /// Lifetime of the new token in seconds.
    pub seconds: u64,
    /// Whether the new token would be replaced as soon as it is sent.
    pub is_due: bool,
}

/// How a client gets a new token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewedBy {
    /// The way in which the old one was sent; for a query parameter, by a redirect.
    Carrier,
    /// A cookie.
    Cookie,
    /// A response header.
    Header,
    /// A redirect to the same URL with the new token.
    Redirect,
}
