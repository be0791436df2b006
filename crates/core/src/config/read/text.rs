//! Texts whose type has their grammar.

use alloc::format;
use core::str::FromStr;

use crate::config::error::ConfigError;
use crate::policy::text::Expected;

/// Reads the text at the JSON path `path`.
///
/// # Errors
/// The text, and what is expected in its place.
pub fn text<T: FromStr<Err = Expected>>(path: &str, text: &str) -> Result<T, ConfigError> {
    text.parse().map_err(|Expected(expected)| wrong(path, text, expected))
}

/// The error of a text at the JSON path `path`.
pub fn wrong(path: &str, text: &str, expected: &str) -> ConfigError {
    ConfigError::new(path, format!("found \"{}\", expected {expected}", text.escape_default()))
}
