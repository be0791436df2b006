//! `ipAccess`: allows or denies client addresses.

use super::facts::ClientOrigin;
use super::mode::Mode;
use super::prefix::Prefixes;
use crate::policy::text::HttpUrl;

/// `ipAccess` of a policy.
#[derive(Debug)]
pub struct Addresses {
    /// Whether the listed addresses are allowed or denied.
    pub mode: Mode,
    /// Listed addresses.
    pub listed: Prefixes,
    /// URL to which denied clients are redirected.
    pub redirect: Option<HttpUrl>,
}

impl Addresses {
    /// Whether the client is allowed. Clients with an unknown address are denied.
    pub fn admits(&self, facts: &ClientOrigin<'_>) -> bool {
        facts.client().is_some_and(|client| self.listed.contains(client) == (self.mode == Mode::Allow))
    }
}
