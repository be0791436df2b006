//! The error for an invalid configuration document.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use playlock_core::bytes::bug;

/// Error in a configuration document.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// JSON path, such as `policies[0].tokenAuth.password`; `$` for the whole document.
    pub path: String,
    /// Description of the value found and of the expected one.
    pub message: String,
    /// Name of the environment variable, if the error is that it is not set.
    pub unset: Option<String>,
}

impl ConfigError {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), unset: None }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl core::error::Error for ConfigError {}

/// The errors of a part of a document whose sections are read one by one, in their order.
#[derive(Debug, Default)]
pub struct Errors(pub Vec<ConfigError>);

impl Errors {
    /// The first. `path` is that of the part, for the case that none was kept.
    pub fn first(self, path: &str) -> ConfigError {
        let first = self.0.into_iter().next();
        first.unwrap_or_else(|| bug::instead(ConfigError::new(path, "found a fault without a name")))
    }

    /// The value, or `None` once its error is kept.
    pub fn keep<T>(&mut self, read: Result<T, ConfigError>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.push(error);
                None
            }
        }
    }
}
