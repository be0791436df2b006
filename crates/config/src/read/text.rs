//! Parsing of string types.

use alloc::format;
use core::str::FromStr;

use crate::error::ConfigError;
use playlock_core::policy::text::Expected;

/// Parses the text at the JSON path `path`.
///
/// # Errors
/// The text found, and the expected syntax.
pub fn text<T: FromStr<Err = Expected>>(path: &str, text: &str) -> Result<T, ConfigError> {
    text.parse().map_err(|Expected(expected)| wrong(path, text, expected))
}

/// Error for an invalid text at the JSON path `path`.
pub fn wrong(path: &str, text: &str, expected: &str) -> ConfigError {
    ConfigError::new(path, format!("found \"{}\", expected {expected}", text.escape_default()))
}
