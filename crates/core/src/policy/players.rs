//! Which players may play: `playerVerification`. A player names itself, by a header or by the payload of its access
//! token, so this identifies players and proves nothing: whoever knows a name can use it.

use alloc::collections::BTreeSet;
use alloc::string::String;

use super::text::{HeaderName, text};
use crate::http::headers;
use crate::http::reply::{Header, Reason};

text! {
    /// A player's SHA-256, or another name of it, in lower case: 1 to 128 printable characters without `,` and `~`.
    PlayerHash,
    "a player's SHA-256, or another name of up to 128 printable characters without , and ~",
    |text| {
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        (fits && !text.contains([',', '~'])).then(|| text.to_ascii_lowercase())
    },
    "^[!-+.-}-]+$"
}

/// The players of a policy.
#[derive(Debug)]
pub struct Players {
    /// Text, as other sets: a set of another type is some 15 KB of code.
    hashes: BTreeSet<String>,
    source: Source,
    /// The second from which they hold no longer.
    until: Option<u64>,
}

/// Where a player names itself.
#[derive(Debug)]
pub enum Source {
    /// In this header of every request.
    Header(HeaderName),
    /// In the payload (`data`) of the access token, which the session token carries on.
    Payload,
}

impl Players {
    /// These players, who hold for ever.
    pub fn new(hashes: impl IntoIterator<Item = PlayerHash>, source: Source) -> Self {
        Self { hashes: hashes.into_iter().map(String::from).collect(), source, until: None }
    }

    /// Lets them hold no longer from the second `until` on, counted since the epoch.
    pub fn expire_at(&mut self, until: u64) {
        self.until = Some(until);
    }

    /// Whether players name themselves by their session.
    pub fn are_named_by_session(&self) -> bool {
        matches!(self.source, Source::Payload)
    }

    /// Checks a request with these headers. `payload` is that of its session's access token.
    ///
    /// # Errors
    /// [`Reason::Player`] if its player is not named, not listed, or past its time.
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
