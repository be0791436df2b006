//! Times and durations in MPDs (XML Schema part 2: `dateTime`, `duration`).

use jiff::{Span, SpanRelativeTo, Timestamp};

/// A duration in seconds: `PT1H2M3.5S`, `P1DT0.5S`. Years and months are not used by MPDs.
///
/// # Errors
/// Text that is no duration.
pub fn seconds(text: &str) -> Result<f64, String> {
    let wrong = || format!("\"{text}\" is not a duration; expected one like PT1H2M3.5S");
    let span: Span = text.parse().map_err(|_| wrong())?;
    span.total((jiff::Unit::Second, SpanRelativeTo::days_are_24_hours())).map_err(|_| wrong())
}

/// A time in seconds since 1970: `2026-12-24T18:00:00Z`.
///
/// # Errors
/// Text that is no time.
pub fn since_epoch(text: &str) -> Result<f64, String> {
    // Without a time zone, it is UTC.
    let zoned = text.parse().or_else(|_| format!("{text}Z").parse::<Timestamp>());
    let time: Timestamp =
        zoned.map_err(|_| format!("\"{text}\" is not a time; expected one like 2026-12-24T18:00:00Z"))?;
    Ok(time.as_millisecond() as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_times() {
        for (text, expected) in [
            ("PT4S", Some(4.0)),
            ("PT0H1M2.500S", Some(62.5)),
            ("P1DT1H", Some(90_000.0)),
            ("PT1.5M", Some(90.0)),
            ("4", None),
            ("", None),
        ] {
            assert_eq!(seconds(text).ok(), expected, "{text}");
        }
        for (text, expected) in [
            ("1970-01-01T00:00:10Z", Some(10.0)),
            ("1970-01-01T01:00:10.5+01:00", Some(10.5)),
            ("1970-01-01T00:00:10", Some(10.0)),
            ("yesterday", None),
        ] {
            assert_eq!(since_epoch(text).ok(), expected, "{text}");
        }
    }
}
