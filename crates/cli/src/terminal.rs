//! Output on terminals: colours, and text from others without control characters.

use std::env;
use std::io::IsTerminal;

/// Whether output is coloured.
#[derive(Debug, Clone, Copy)]
pub struct Colours(bool);

impl Colours {
    /// No colours.
    #[cfg(test)]
    pub const NONE: Self = Self(false);

    /// Colours for terminals, unless NO_COLOR is set (<https://no-color.org>) or TERM is `dumb`.
    pub fn of(stream: &impl IsTerminal) -> Self {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        Self(stream.is_terminal() && !set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb"))
    }

    /// Colours a positive result.
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Colours a negative result.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// Colours secondary text.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Colours a heading.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Untrusted text with its control characters escaped, since terminals obey them.
pub fn shown(text: &str) -> String {
    text.chars().flat_map(|char| if char.is_control() { char.escape_default().collect() } else { vec![char] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_reaches_the_terminal() {
        assert_eq!(shown("a\x1b[2J\u{9b}é\n"), "a\\u{1b}[2J\\u{9b}é\\n");
        assert_eq!(Colours::NONE.bad("x"), "x");
        assert_eq!(Colours(true).bad("x"), "\x1b[31mx\x1b[0m");
    }
}
