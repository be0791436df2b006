//! Points in time as written in the configuration: ISO 8601 (RFC 3339), in UTC unless there is an offset.

/// Parses a time into seconds since 1970-01-01T00:00:00Z: `2018-01-05T11:00:00`, with an optional fraction (dropped)
/// and offset (`Z`, `+01:00`), or a date alone. `None` if it is malformed, or before 1970.
pub fn parse(text: &str) -> Option<u64> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, time),
        None => (text, "00:00:00Z"),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (time, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at_checked(at)?,
        None => (time, "Z"),
    };
    let time = match time.split_once('.') {
        Some((time, fraction)) if fraction.bytes().all(|b| b.is_ascii_digit()) && !fraction.is_empty() => time,
        Some(_) => return None,
        None => time,
    };
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    if !(1..=12).contains(&month) || day < 1 || day > days_of(year, month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let local = days_before(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second;
    match offset.split_at_checked(1)? {
        ("Z" | "z", "") => Some(local),
        ("+", east) => local.checked_sub(offset_seconds(east)?),
        ("-", west) => local.checked_add(offset_seconds(west)?),
        _ => None,
    }
}

fn offset_seconds(text: &str) -> Option<u64> {
    let [hours, minutes] = numbers(text, ':', [2, 2])?;
    (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)
}

/// Parses `N` numbers, each with a fixed number of digits, with `separator` between them.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[u64; N]> {
    let mut found = [0; N];
    let mut parts = text.split(separator);
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The number of days from 1970-01-01 to a date of the Gregorian calendar.
fn days_before(year: u64, month: u64, day: u64) -> Option<u64> {
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let before = year.checked_sub(1)?;
    let years = year.checked_sub(1970)? * 365 + leaps(before) - leaps(1969);
    Some(years + (1..month).map(|month| days_of(year, month)).sum::<u64>() + day - 1)
}

/// The schema of a point in time, which the document contains as text.
#[cfg(feature = "schema")]
pub struct Time;

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Time {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A time (RFC 3339), such as `2026-12-24T18:00:00Z`; in UTC without an offset, at midnight without a time of day. A fraction of a second does not count.",
            "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?$",
        })
    }
}

/// The schema of a point in time or `*`.
#[cfg(feature = "schema")]
pub struct TimeOrAny;

#[cfg(feature = "schema")]
impl schemars::JsonSchema for TimeOrAny {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "TimeOrAny".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A time, or `*` for any.",
            "anyOf": [{"const": "*"}, generator.subschema_for::<Time>()],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_standard() {
        // From `date -u -d … +%s`.
        for (text, seconds) in [
            ("1970-01-01T00:00:00", Some(0)),
            ("2018-01-05T11:00:00", Some(1_515_150_000)),
            ("2018-01-05T11:00:00Z", Some(1_515_150_000)),
            ("2018-01-05T11:00:00.999+01:30", Some(1_515_144_600)),
            ("2018-01-05t11:00:00-08:00", Some(1_515_178_800)),
            ("2018-01-05", Some(1_515_110_400)),
            ("2000-02-29T23:59:59Z", Some(951_868_799)),
            ("2100-03-01 00:00:00Z", Some(4_107_542_400)),
            ("2100-02-29T00:00:00Z", None),
            ("2018-13-01T00:00:00Z", None),
            ("2018-00-01T00:00:00Z", None),
            ("2018-01-00T00:00:00Z", None),
            ("2018-1-5T11:00:00", None),
            ("2018-01-05T24:00:00", None),
            ("2018-01-05T11:00", None),
            ("2018-01-05T11:00:00.", None),
            ("2018-01-05T11:00:00+1", None),
            ("1969-12-31T23:59:59Z", None),
            ("1970-01-01T00:00:00+01:00", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(parse(text), seconds, "{text}");
        }
    }
}
