//! Parsing of string types, and checks of names.

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

/// Checks a `policyName`, a `keyName` or a group of leases.
///
/// # Errors
/// An empty or long name, or one with control characters.
pub fn check_name(path: &str, member: &str, name: &str) -> Result<(), ConfigError> {
    if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
        let message = "expected 1 to 128 bytes without control characters";
        return Err(ConfigError::new(format!("{path}.{member}"), message));
    }
    Ok(())
}
