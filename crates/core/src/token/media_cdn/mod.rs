//! Access tokens: dual tokens of Google Media CDN.

pub mod claims;
pub mod url_prefix;

use crate::http::incoming::Incoming;
use crate::http::reply::Reason;
use crate::token::grant::Grant;

/// Verifies dual tokens of Google Media CDN.
#[derive(Debug, Clone)]
pub struct Verifier {}

impl Verifier {
    /// Verifies an access token as sent with `incoming`. `reserved` are the query parameters that are removed before
    /// the origin sees the URL.
    ///
    /// # Errors
    /// The reason why the token is not valid for this request.
    pub fn verify(
        &self,
        _sent: &str,
        _incoming: &Incoming<'_>,
        _reserved: &[impl AsRef<str>],
    ) -> Result<Grant, Reason> {
        Err(Reason::Malformed)
    }

    /// Whether an access token as sent has a valid signature, regardless of its claims.
    pub fn has_signed(&self, _sent: &str) -> bool {
        false
    }
}
