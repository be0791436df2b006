//! Owns timestamps, `yyyyMMddTHH:mm:ss+0000`: text to Unix seconds, and back.

/// Length of a timestamp in bytes.
pub const LENGTH: usize = 22;

const DAY: i64 = 86_400;

/// Unix seconds of a timestamp. `None` if it is no time of the years 1970 to 9999 in UTC, or is spelled otherwise.
pub fn read(text: &str) -> Option<i64> {
    let bytes: &[u8; LENGTH] = text.as_bytes().try_into().ok()?;
    let (year, rest) = number(bytes, 4)?;
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest.strip_prefix(b"T")?, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let in_range = rest == b"+0000" && year >= 1970 && hour < 24 && minute < 60 && second < 60;
    if !in_range || !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let seconds = hour.saturating_mul(3600).saturating_add(minute.saturating_mul(60)).saturating_add(second);
    Some(days_before(year, month, day).saturating_mul(DAY).saturating_add(seconds))
}

/// The timestamp of these Unix seconds. `None` before 1970 and after 9999.
pub fn write(unix: i64) -> Option<String> {
    let days = unix.div_euclid(DAY);
    let seconds = unix.rem_euclid(DAY);
    // A year has at most 366 days, so this is the year or one of a few before it.
    let mut year = days.div_euclid(366).saturating_add(1970);
    if !(1970..=9999).contains(&year) {
        return None;
    }
    while days_before(year.saturating_add(1), 1, 1) <= days {
        year = year.saturating_add(1);
    }
    let mut month: i64 = 1;
    while month < 12 && days_before(year, month.saturating_add(1), 1) <= days {
        month = month.saturating_add(1);
    }
    let day = days.saturating_sub(days_before(year, month, 1)).saturating_add(1);
    let (hour, minute, second) =
        (seconds.div_euclid(3600), seconds.div_euclid(60).rem_euclid(60), seconds.rem_euclid(60));
    (year <= 9999).then(|| format!("{year:04}{month:02}{day:02}T{hour:02}:{minute:02}:{second:02}+0000"))
}

/// The number in the first `digits` bytes, all of them decimal digits, and the rest.
fn number(bytes: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (first, rest) = bytes.split_at_checked(digits)?;
    let add = |sum: i64, digit: &u8| {
        digit.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(i64::from(digit.wrapping_sub(b'0'))))
    };
    Some((first.iter().try_fold(0, add)?, rest))
}

fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to this day of the Gregorian calendar.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let full = year.saturating_sub(1);
    let leap = full.div_euclid(4).saturating_sub(full.div_euclid(100)).saturating_add(full.div_euclid(400));
    // 719,162 days of the years 1 to 1969.
    let years = full.saturating_mul(365).saturating_add(leap).saturating_sub(719_162);
    let months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    years.saturating_add(months).saturating_add(day).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    /// Seconds by Python: `calendar.timegm(time.strptime(text, "%Y%m%dT%H:%M:%S+0000"))`.
    const KNOWN: [(&str, i64); 6] = [
        ("19700101T00:00:00+0000", 0),
        ("20000229T23:59:59+0000", 951_868_799),
        ("20140321T19:34:21+0000", 1_395_430_461),
        ("20241231T23:59:59+0000", 1_735_689_599),
        ("21000301T00:00:00+0000", 4_107_542_400),
        ("99991231T23:59:59+0000", 253_402_300_799),
    ];

    #[test]
    fn known_times_are_read_and_written() {
        for (text, seconds) in KNOWN {
            assert_eq!(read(text), Some(seconds), "{text}");
            assert_eq!(write(seconds).as_deref(), Some(text));
        }
    }

    #[test]
    fn each_day_is_read_as_written() {
        for day in (0..2_932_896).step_by(17) {
            let seconds = day * 86_400 + day % 86_400;
            assert_eq!(read(&write(seconds).unwrap()), Some(seconds));
        }
        assert_eq!(write(-1), None);
        assert_eq!(write(253_402_300_800), None);
        assert_eq!(write(i64::MAX), None);
        assert_eq!(write(i64::MIN), None);
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "2014-03-21T19:34:21Z",
            "20140321T193421+0000",
            "20140321T193421Z",
            "20140321T19:34:21+0100",
            "20140321T19:34:21-0000",
            "20140321T19:34:21Z",
            "20140321t19:34:21+0000",
            "20140321 19:34:21+0000",
            "20140321T19:34:21+0000 ",
            "20140321T24:00:00+0000",
            "20140321T19:60:00+0000",
            "20140321T19:34:60+0000",
            "20140229T00:00:00+0000",
            "21000229T00:00:00+0000",
            "20140431T00:00:00+0000",
            "20140001T00:00:00+0000",
            "20141301T00:00:00+0000",
            "20140300T00:00:00+0000",
            "19691231T23:59:59+0000",
            "2014032１T9:34:21+0000",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
