//! `playerVerification` of a document.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::text::text;
use crate::config::document::{self, IdentifiedBy};
use crate::config::error::ConfigError;
use crate::policy::players::{PlayerHash, Players, Source};
use crate::policy::text::Expected;

/// As many as the Media Security Policy API takes.
const MAX_PLAYERS: usize = 30;
const DEFAULT_HEADER: &str = "x-player-hash";

/// Reads them at the JSON path `path`; `by_token`: sessions are opened by access tokens. Adds to `warnings`.
///
/// # Errors
/// The first member that cannot be.
pub fn read(
    path: &str,
    players: &document::PlayerVerification,
    by_token: bool,
    warnings: &mut Vec<String>,
) -> Result<Players, ConfigError> {
    let listed = players.players.as_deref().unwrap_or_default();
    if listed.len() > MAX_PLAYERS {
        return Err(ConfigError::new(
            format!("{path}.players"),
            format!("found {}, expected at most {MAX_PLAYERS}", listed.len()),
        ));
    }
    let mut hashes = Vec::with_capacity(listed.len());
    for (index, player) in listed.iter().enumerate() {
        // The value is not shown: whoever knows it can name that player.
        let wrong = |Expected(expected)| {
            ConfigError::new(format!("{path}.players[{index}].hash"), format!("expected {expected}"))
        };
        let hash: PlayerHash = player.hash.parse().map_err(wrong)?;
        hashes.extend((player.enabled != Some(false)).then_some(hash));
    }
    let source = match (players.identified_by, &players.player_header) {
        (IdentifiedBy::Token, None) if by_token => Source::Payload,
        (IdentifiedBy::Token, None) => {
            return Err(ConfigError::new(
                format!("{path}.identifiedBy"),
                "found \"token\" without access tokens, expected \"header\", or tokenAuth that enforces them",
            ));
        }
        (IdentifiedBy::Token, Some(_)) => {
            return Err(ConfigError::new(
                format!("{path}.playerHeader"),
                "found beside identifiedBy \"token\", expected one of the two",
            ));
        }
        (IdentifiedBy::Header, name) => {
            let name = name.as_deref().unwrap_or(DEFAULT_HEADER);
            Source::Header(text(&format!("{path}.playerHeader"), name)?)
        }
    };
    if players.support_player_enabled == Some(true) {
        warnings.push(format!("{path}.supportPlayerEnabled: there is no support player here, and no mail is sent"));
    }
    Ok(Players::new(hashes, source))
}

/// Lets the time of `written` run for `players`, from `start`, when the policy's assignment begins to hold; `None`: it
/// always has, which is warned of.
pub fn begin(
    path: &str,
    players: Option<&mut Players>,
    written: &document::Policy,
    start: Option<u64>,
) -> Option<String> {
    let ttl = written.player_verification.as_ref()?.ttl?.0;
    let players = players?;
    match start {
        Some(start) => {
            players.expire_at(start.saturating_add(ttl));
            None
        }
        None => {
            Some(format!("{path}.ttl runs from an assignment's startTime, and none has one: the players never expire"))
        }
    }
}
