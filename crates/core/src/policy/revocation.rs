//! Sessions that end before their time: lists in the configuration, which hold for playlists, keys and segments alike.

use alloc::collections::BTreeSet;
use alloc::string::String;

use crate::http::reply::Reason;
use crate::token::carried;

/// `revocation` of a policy.
#[derive(Debug, Default)]
pub struct Revocation {
    sessions: BTreeSet<[u8; 16]>,
    /// As session tokens carry them.
    access_tokens: BTreeSet<String>,
    opened_before: u64,
}

impl Revocation {
    /// Ends these sessions, by their ids; those that access tokens with these ids opened; and those that were opened before
    /// a time, in seconds since the epoch.
    pub fn new<'a>(
        sessions: BTreeSet<[u8; 16]>,
        access_tokens: impl IntoIterator<Item = &'a str>,
        opened_before: u64,
    ) -> Self {
        Self { sessions, access_tokens: access_tokens.into_iter().map(carried).collect(), opened_before }
    }

    /// Checks a session: its id, when it was opened (seconds since the epoch), and the id of the access token that opened
    /// it, as the session token carries it.
    ///
    /// # Errors
    /// [`Reason::Revoked`].
    pub fn check(&self, id: &[u8; 16], opened: u64, access_token: Option<&str>) -> Result<(), Reason> {
        let named = access_token.is_some_and(|id| self.access_tokens.contains(id));
        let revoked = opened < self.opened_before || named || self.sessions.contains(id);
        if revoked { Err(Reason::Revoked) } else { Ok(()) }
    }
}
