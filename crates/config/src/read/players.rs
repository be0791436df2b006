//! Reader of `playerVerification`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::text::text;
use crate::document::{self, IdentifiedBy};
use crate::error::ConfigError;
use playlock_core::policy::players::{PlayerHash, Players, Source};
use playlock_core::policy::text::Expected;

/// Limit of the Media Security Policy API.
const MAX_PLAYERS: usize = 30;
const DEFAULT_HEADER: &str = "x-player-hash";

/// Reads the member at the JSON path `path`. `by_token`: access tokens open sessions. Appends to `warnings`.
///
/// # Errors
/// The first invalid member.
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
        // The error omits the value: anyone who has it can pose as that player.
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

/// Sets the expiry of `players`: the `ttl` in `written`, counted from `start`, the start of the policy's assignment.
/// Without a start they never expire; returns a warning.
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
            Some(format!("{path}.ttl: runs from an assignment's startTime, and none has one: the players never expire"))
        }
    }
}
