//! Owns the time window in which a signature is accepted.

use std::fmt;

use crate::refusal::Refusal;

/// Largest window in seconds: nonces of three windows are kept.
const MAX_SECONDS: u32 = 3600;

/// The largest difference between timestamp and clock, either way. Akamai's own is said to be the default, 30 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    seconds: u32,
}

impl Default for Window {
    fn default() -> Self {
        Self { seconds: 30 }
    }
}

impl Window {
    /// A window of 1 to 3600 seconds either way.
    ///
    /// # Errors
    /// [`WindowFault`]: another number.
    pub fn new(seconds: u32) -> Result<Self, WindowFault> {
        if (1..=MAX_SECONDS).contains(&seconds) { Ok(Self { seconds }) } else { Err(WindowFault { seconds }) }
    }

    /// Its size in seconds.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    /// Compares a timestamp with the server's clock, both in Unix seconds.
    ///
    /// # Errors
    /// [`Refusal::Skew`].
    pub fn check(self, now: i64, timestamp: i64) -> Result<(), Refusal> {
        let seconds = timestamp.saturating_sub(now);
        let window = self.seconds;
        if seconds.unsigned_abs() > u64::from(window) { Err(Refusal::Skew { seconds, window }) } else { Ok(()) }
    }

    /// The last second, in Unix seconds, at which a nonce with this timestamp must still be known. The timestamp is refused
    /// one window earlier; the second window is for a clock that is set back.
    pub fn keep_until(self, timestamp: i64) -> i64 {
        timestamp.saturating_add(i64::from(self.seconds).saturating_mul(2))
    }
}

/// A window of no seconds, or of more than an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowFault {
    seconds: u32,
}

impl fmt::Display for WindowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "window: {} seconds; expected 1 to {MAX_SECONDS}", self.seconds)
    }
}

impl std::error::Error for WindowFault {}
