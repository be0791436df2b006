//! Revocation lists: sessions that end before they expire. They apply to playlists, keys and segments alike.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use crate::bytes::percent;
use crate::bytes::ranges::Ranges;
use crate::http::reply::Reason;

/// `revocation` of a policy.
#[derive(Debug, Default)]
pub struct Revocation {
    /// Ids as numbers.
    sessions: Ranges<u128>,
    /// Ids as the authorizer receives them, which is where operators see them.
    access_tokens: BTreeSet<String>,
    opened_before: u64,
}

impl Revocation {
    /// Revokes the sessions with these ids, those opened by access tokens with these ids, and those opened before
    /// `opened_before`, in seconds since the epoch.
    pub fn new<'a>(
        sessions: Vec<[u8; 16]>,
        access_tokens: impl IntoIterator<Item = &'a str>,
        opened_before: u64,
    ) -> Self {
        let sessions = sessions.into_iter().map(u128::from_be_bytes).map(|id| (id, id)).collect();
        let sessions = Ranges::build(sessions);
        Self { sessions, access_tokens: access_tokens.into_iter().map(percent::printable).collect(), opened_before }
    }

    /// Checks a session by its id, its opening time in seconds since the epoch, and the id of the access token that
    /// opened it.
    ///
    /// # Errors
    /// [`Reason::Revoked`]
    pub fn check(&self, id: &[u8; 16], opened: u64, access_token: Option<&str>) -> Result<(), Reason> {
        let named = access_token.is_some_and(|id| self.lists(id));
        let revoked = opened < self.opened_before || named || self.sessions.contains(u128::from_be_bytes(*id));
        if revoked { Err(Reason::Revoked) } else { Ok(()) }
    }

    fn lists(&self, access_token: &str) -> bool {
        !self.access_tokens.is_empty() && self.access_tokens.contains(&percent::printable(access_token))
    }
}
