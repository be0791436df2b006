//! `playerVerification`: the players that a policy allows. A player identifies itself in a header or in the payload of
//! its access token. The check identifies players but does not authenticate them: any client that has a player's hash
//! can use it.

use alloc::collections::BTreeSet;
use alloc::string::String;

use super::text::{HeaderName, text};
use crate::http::headers;
use crate::http::reply::{Header, Reason};

text! {
    /// SHA-256 of a player, or another identifier, in lower case: 1 to 128 printable characters except `,` and `~`.
    PlayerHash,
    "a player's SHA-256, or another name of up to 128 printable characters without , and ~",
    |text| {
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        (fits && !text.contains([',', '~'])).then(|| text.to_ascii_lowercase())
    },
    "^[!-+.-}-]+$"
}

/// Allowed players of a policy.
#[derive(Debug)]
pub struct Players {
    /// `String` as in the other sets: a set of another type adds about 15 KB of code.
    hashes: BTreeSet<String>,
    source: Source,
    /// First second, since the epoch, in which no player is allowed any more.
    until: Option<u64>,
}

/// Source of a player's identifier.
#[derive(Debug)]
pub enum Source {
    /// This header, in every request.
    Header(HeaderName),
    /// Payload (`data`) of the access token, copied into the session token.
    Payload,
}

impl Players {
    /// Allows these players without an expiry.
    pub fn new(hashes: impl IntoIterator<Item = PlayerHash>, source: Source) -> Self {
        Self { hashes: hashes.into_iter().map(String::from).collect(), source, until: None }
    }

    /// Denies all players from `until` on, in seconds since the epoch.
    pub fn expire_at(&mut self, until: u64) {
        self.until = Some(until);
    }

    /// Whether the session identifies the player.
    pub fn are_named_by_session(&self) -> bool {
        matches!(self.source, Source::Payload)
    }

    /// Checks a request's player. `payload` is the payload of the access token that opened its session.
    ///
    /// # Errors
    /// [`Reason::Player`] if the player is not identified, not listed, or expired.
    pub fn check(&self, request: &[Header], payload: Option<&str>, now: u64) -> Result<(), Reason> {
        let name = match &self.source {
            Source::Payload => payload,
            Source::Header(header) => {
                let mut values = headers::all(request, header);
                let value = values.next().filter(|_| values.next().is_none());
                value.and_then(|value| core::str::from_utf8(value).ok())
            }
        };
        let listed = name.is_some_and(|name| self.hashes.contains(&name.trim().to_ascii_lowercase()));
        if listed && self.until.is_none_or(|until| now < until) { Ok(()) } else { Err(Reason::Player) }
    }
}
