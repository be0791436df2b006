//! Sessions as operators see them: listed, counted, and ended.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Millis;
use crate::question::{Client, Realm};

/// A session's id: 128 random bits. Its text is 22 characters of base64url, as in `revocation.sessionIds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// The id of these bytes.
    pub fn of(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Reads its text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut id = [0; 16];
        // One byte more than the id, because the decoder asks for room by the text's length.
        let mut room = [0; 18];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut room).ok()?;
        id.copy_from_slice(room.get(..length)?.first_chunk::<16>().filter(|_| length == 16)?);
        Some(Self(id))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// A session with a live lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The realm of its Envoys.
    pub realm: Realm,
    /// The group of policies that its viewer is counted in.
    pub group: String,
    /// The viewer.
    pub viewer: String,
    /// The session.
    pub session: SessionId,
    /// Its policy.
    pub policy: String,
    /// Its stream, or its path patterns.
    pub stream: String,
    /// The viewer's network, if known.
    pub client: Option<Client>,
    /// When the lease began.
    pub since: Millis,
    /// When it was last renewed.
    pub renewed: Millis,
    /// When it ends unless it is renewed.
    pub expires: Millis,
}

/// Which sessions to list: those that have all the given values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The realm.
    pub realm: Option<Realm>,
    /// The viewer, of any group.
    pub viewer: Option<String>,
    /// The policy.
    pub policy: Option<String>,
    /// The stream, or the path patterns.
    pub stream: Option<String>,
}

impl Filter {
    /// Whether a session has all the values.
    pub fn admits(&self, live: &Live) -> bool {
        let same = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        self.realm.is_none_or(|realm| realm == live.realm)
            && same(&self.viewer, &live.viewer)
            && same(&self.policy, &live.policy)
            && same(&self.stream, &live.stream)
    }
}

/// Part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The sessions.
    pub sessions: Vec<Live>,
    /// The cursor that continues the list, if there is more.
    pub next: Option<String>,
}

/// The numbers of viewers and sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Viewers with a live lease.
    pub viewers: u64,
    /// Live leases.
    pub sessions: u64,
    /// Live leases by realm and policy, sorted.
    pub policies: Vec<OfPolicy>,
}

/// The live leases of a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OfPolicy {
    /// The realm.
    pub realm: Realm,
    /// The policy.
    pub policy: String,
    /// Live leases.
    pub sessions: u64,
}

/// The sessions that an operator ends: one of a viewer's, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Which {
    /// The realm.
    pub realm: Realm,
    /// The group of policies.
    pub group: String,
    /// The viewer.
    pub viewer: String,
    /// The session; `None` for all.
    pub session: Option<SessionId>,
}
