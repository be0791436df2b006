//! Points in time and durations: parsing arguments, and formatting for people in local time.

use std::str::FromStr;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A point in time, perhaps relative to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Seconds since 1970-01-01T00:00:00Z.
    At(u64),
    /// Seconds after now.
    Later(u64),
    /// Seconds before now.
    Earlier(u64),
}

impl Moment {
    /// Seconds since 1970-01-01T00:00:00Z, where `now` is the current time.
    pub fn seconds(self, now: u64) -> u64 {
        match self {
            Self::At(seconds) => seconds,
            Self::Later(seconds) => now.saturating_add(seconds),
            Self::Earlier(seconds) => now.saturating_sub(seconds),
        }
    }

    /// The seconds of `moment`, or the current time.
    pub fn or_now(moment: Option<Self>) -> u64 {
        let clock = now();
        moment.map_or(clock, |moment| moment.seconds(clock))
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || "expected seconds since 1970, a time such as 2026-12-24T18:00:00Z, now, +1h or -5m".to_owned();
        match text.split_at_checked(1) {
            _ if text == "now" => Ok(Self::Later(0)),
            Some(("+", later)) => Ok(Self::Later(parse_span(later)?)),
            Some(("-", earlier)) => Ok(Self::Earlier(parse_span(earlier)?)),
            _ if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().map(Self::At).map_err(|_| expected())
            }
            _ => playlock_config::time::parse(text).map(Self::At).ok_or_else(expected),
        }
    }
}

/// Parses `30s`, `5m`, `12h`, `1d` or a bare number into seconds.
///
/// # Errors
/// Text of another form, or a number that does not fit 64 bits.
pub fn parse_span(text: &str) -> Result<u64, String> {
    let expected = || "expected a number and s, m, h or d, such as 90s or 12h".to_owned();
    let (digits, unit) = match text.find(|char: char| !char.is_ascii_digit()).and_then(|at| text.split_at_checked(at)) {
        None => (text, "s"),
        Some(parts) => parts,
    };
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(expected()),
    };
    digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(expected)
}

/// The current time in seconds since 1970-01-01T00:00:00Z.
pub fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs())
}

/// A time in the local time zone, with its offset.
pub fn local(seconds: u64) -> String {
    let stamp = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    match stamp {
        Some(stamp) => stamp.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
        None => format!("{seconds} s after 1970"),
    }
}

/// A time relative to `now`: `in 1 h 5 min`, `3 min ago`.
pub fn distance(seconds: u64, now: u64) -> String {
    match seconds.cmp(&now) {
        std::cmp::Ordering::Equal => "now".to_owned(),
        std::cmp::Ordering::Greater => format!("in {}", span(seconds - now)),
        std::cmp::Ordering::Less => format!("{} ago", span(now - seconds)),
    }
}

/// A duration of seconds in its two largest units: `1 h 5 min`.
pub fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, name) in units {
        if rest >= length {
            parts.push(format!("{} {name}", rest / length));
            rest %= length;
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        for (text, seconds) in [
            ("1700000000", 1_700_000_000),
            ("now", 1000),
            ("+90", 1090),
            ("+1h", 4600),
            ("-5m", 700),
            ("1970-01-02T00:00:00Z", 86_400),
            ("1970-01-02", 86_400),
        ] {
            assert_eq!(text.parse::<Moment>().unwrap().seconds(1000), seconds, "{text}");
        }
        for wrong in ["", "soon", "+", "-1w", "1e3", "2026-13-01", "99999999999999999999"] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn spans() {
        for (seconds, text) in
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (3601, "1 h"), (90_000, "1 d 1 h")]
        {
            assert_eq!(span(seconds), text);
        }
        assert_eq!(distance(10, 70), "1 min ago");
        assert_eq!(distance(70, 10), "in 1 min");
    }
}
