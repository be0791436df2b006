//! The error of a value that is not as its type wants it, with the way to it.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

/// A value that its type refuses.
#[derive(Debug)]
pub struct Error {
    /// From the value that was read, such as `policies[0].tokenAuth`; empty for that value itself.
    pub path: String,
    /// Description of the value found and of the expected one.
    pub message: String,
}

impl Error {
    /// The same error, seen from the object that has it in this member.
    pub(super) fn in_member(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{dot}{}", self.path);
        self
    }

    /// The same error, seen from the array that has it at this index.
    pub(super) fn in_item(mut self, index: usize) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("[{index}]{dot}{}", self.path);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Error {}

impl serde::de::Error for Error {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: String::new(), message: message.to_string() }
    }
}
