//! The server's log: lines of `name=value` on standard error, in one format.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use jiff::Timestamp;

/// The severity of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something that was expected.
    Info,
    /// Something that an operator should look at.
    Warning,
    /// Something that failed.
    Error,
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Writes one line. Values are quoted where they need it; callers pass no secrets.
pub fn write(level: Level, event: &str, fields: &[(&str, &str)]) {
    let text = line(Timestamp::now(), level, event, fields);
    // Without standard error there is nowhere to report that.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn line(now: Timestamp, level: Level, event: &str, fields: &[(&str, &str)]) -> String {
    let mut text = format!("time={now:.3} level={} event={event}", level.word());
    for (name, value) in fields {
        text.push(' ');
        text.push_str(name);
        text.push('=');
        push_value(&mut text, value);
    }
    text.push('\n');
    text
}

/// Appends a value, in quotes unless it is plain. Line ends and other control characters are escaped, so that no value
/// can begin a line of its own.
fn push_value(text: &mut String, value: &str) {
    let plain = |char: char| char.is_ascii_graphic() && !['"', '\\', '='].contains(&char);
    if !value.is_empty() && value.chars().all(plain) {
        text.push_str(value);
        return;
    }
    text.push('"');
    for char in value.chars() {
        match char {
            '"' | '\\' => text.extend(['\\', char]),
            ' '..='~' => text.push(char),
            // Writing to a String cannot fail.
            _ => drop(write!(text, "{}", char.escape_default())),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_forge_a_line_or_a_field() {
        let now = Timestamp::UNIX_EPOCH;
        let fields = [("path", "/a\nlevel=error"), ("actor", "a b\"c"), ("status", "200"), ("empty", "")];
        assert_eq!(
            line(now, Level::Info, "request", &fields),
            "time=1970-01-01T00:00:00.000Z level=info event=request path=\"/a\\nlevel=error\" actor=\"a b\\\"c\" status=200 \
             empty=\"\"\n"
        );
    }
}
