//! The clock and the randomness of the control plane, which tests replace.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::error::ControlError;

/// The inputs that are not documents: the time, and random bytes.
pub trait Surroundings: Send + Sync {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> i64;

    /// Fills the bytes with randomness that nobody can predict.
    ///
    /// # Errors
    /// If the operating system has none.
    fn random(&self, bytes: &mut [u8]) -> Result<(), ControlError>;
}

/// The clock and the randomness of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Surroundings for System {
    fn now(&self) -> i64 {
        Timestamp::now().as_second()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), ControlError> {
        getrandom::fill(bytes).map_err(|error| ControlError::Storage(format!("no random bytes: {error}")))
    }
}

/// Seconds since 1970 as RFC 3339 in UTC, such as `2026-12-24T18:00:00Z`. Texts sort as their times do.
pub fn rfc3339(seconds: i64) -> String {
    format!("{}Z", zoneless(seconds))
}

/// Seconds since 1970 as the Media Security Policy API writes times: ISO 8601 in UTC without a zone.
pub fn zoneless(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Seconds since 1970 of a time in ISO 8601, in UTC without an offset.
pub fn seconds(text: &str) -> Option<i64> {
    playlock_config::time::parse(text).and_then(|seconds| i64::try_from(seconds).ok())
}
