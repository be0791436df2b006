//! Which players may play: `playerVerification`. A player names itself, by a header or by the payload of its access
//! token, so this identifies players and proves nothing: whoever knows a name can use it.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::{ConfigError, document};
use crate::headers;
use crate::reply::{Header, Reason};

/// As many as the Media Security Policy API takes.
const MAX_PLAYERS: usize = 30;
const DEFAULT_HEADER: &str = "x-player-hash";

/// The players of a policy.
#[derive(Debug)]
pub struct Players {
    /// In lower case.
    hashes: BTreeSet<String>,
    source: Source,
    /// How long they hold from the start of the policy's assignment, in seconds.
    ttl: Option<u64>,
    /// The second from which they hold no longer.
    until: Option<u64>,
}

/// Where a player names itself.
#[derive(Debug)]
enum Source {
    /// In this header, in lower case, of every request.
    Header(String),
    /// In the payload (`data`) of the access token, which the session token carries on.
    Payload,
}

impl Players {
    /// Builds them from their document at the JSON path `path`; `by_token`: sessions are opened by access tokens. Returns
    /// warnings to log, too.
    ///
    /// # Errors
    /// The first member that cannot be.
    pub fn build(
        path: &str,
        players: &document::PlayerVerification,
        by_token: bool,
    ) -> Result<(Self, Vec<String>), ConfigError> {
        let listed = players.players.as_deref().unwrap_or_default();
        if listed.len() > MAX_PLAYERS {
            return Err(ConfigError::new(
                format!("{path}.players"),
                format!("found {}, expected at most {MAX_PLAYERS}", listed.len()),
            ));
        }
        let mut hashes = BTreeSet::new();
        for (index, player) in listed.iter().enumerate() {
            let fits =
                (1..=128).contains(&player.hash.len()) && player.hash.bytes().all(|byte| byte.is_ascii_graphic());
            if !fits || player.hash.contains([',', '~']) {
                return Err(ConfigError::new(
                    format!("{path}.players[{index}].hash"),
                    "expected a player's SHA-256, or another name of up to 128 printable characters without , and ~",
                ));
            }
            if player.enabled != Some(false) {
                hashes.insert(player.hash.to_ascii_lowercase());
            }
        }
        let source = match (players.identified_by, &players.player_header) {
            (document::IdentifiedBy::Token, None) if by_token => Source::Payload,
            (document::IdentifiedBy::Token, None) => {
                return Err(ConfigError::new(
                    format!("{path}.identifiedBy"),
                    "found \"token\" without access tokens, expected \"header\", or tokenAuth that enforces them",
                ));
            }
            (document::IdentifiedBy::Token, Some(_)) => {
                return Err(ConfigError::new(
                    format!("{path}.playerHeader"),
                    "found beside identifiedBy \"token\", expected one of the two",
                ));
            }
            (document::IdentifiedBy::Header, None) => Source::Header(DEFAULT_HEADER.into()),
            (document::IdentifiedBy::Header, Some(name))
                if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') =>
            {
                Source::Header(name.to_ascii_lowercase())
            }
            (document::IdentifiedBy::Header, Some(name)) => {
                return Err(ConfigError::new(
                    format!("{path}.playerHeader"),
                    format!("found \"{}\", expected the name of a header", name.escape_default()),
                ));
            }
        };
        let mut warnings = Vec::new();
        if players.support_player_enabled == Some(true) {
            warnings.push(format!("{path}.supportPlayerEnabled: there is no support player here, and no mail is sent"));
        }
        Ok((Self { hashes, source, ttl: players.ttl.map(|ttl| ttl.0), until: None }, warnings))
    }

    /// Whether players name themselves by their session.
    pub fn are_named_by_session(&self) -> bool {
        matches!(self.source, Source::Payload)
    }

    /// Lets the time run from `start`, when the policy's assignment begins to hold; `None`: it always has.
    ///
    /// # Errors
    /// A warning, if there is a time to run and no start.
    pub fn begin(&mut self, start: Option<u64>) -> Result<(), &'static str> {
        let Some(ttl) = self.ttl else { return Ok(()) };
        self.until = start.map(|start| start.saturating_add(ttl));
        if self.until.is_some() {
            Ok(())
        } else {
            Err("ttl runs from an assignment's startTime, and none has one: the players never expire")
        }
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
