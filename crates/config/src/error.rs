//! The error for an invalid configuration document.

use alloc::string::String;
use core::fmt;

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
