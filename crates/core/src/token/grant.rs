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
}
