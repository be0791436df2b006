//! Why a document is refused, and where in it.

use alloc::string::String;
use core::fmt;

/// Why a document was refused.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// JSON path, as in `policies[0].tokenAuth.password`; `$` is the whole document.
    pub path: String,
    /// What was found and what is expected.
    pub message: String,
    /// The environment variable that is not set, if that is what is wrong.
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
