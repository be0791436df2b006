//! `ipAccess`: which client addresses may watch.

use super::facts::ClientOrigin;
use super::mode::Mode;
use super::prefix::Prefixes;
use crate::policy::text::HttpUrl;

/// `ipAccess` of a policy.
#[derive(Debug)]
pub struct Addresses {
    /// Whether those listed may or may not.
    pub mode: Mode,
    /// The addresses.
    pub listed: Prefixes,
    /// Where denied clients are sent.
    pub redirect: Option<HttpUrl>,
}

impl Addresses {
    /// Whether a client may watch. One whose address is not known may not.
    pub fn admits(&self, facts: &ClientOrigin<'_>) -> bool {
        facts.client().is_some_and(|client| self.listed.contains(client) == (self.mode == Mode::Allow))
    }
}
