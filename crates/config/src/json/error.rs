//! The error of a value that is not as its type wants it, with the way to it.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

const UNKNOWN: &str = "unknown field";
const TWICE: &str = "found twice, expected once";

/// A value that its type refuses.
#[derive(Debug)]
pub struct Error {
    /// From the value that was read, such as `policies[0].tokenAuth`; empty for that value itself.
    pub path: String,
    /// Description of the value found and of the expected one.
    pub message: String,
}

impl Error {
    /// The error at the member `name` of the value that was read.
    fn at(name: &str, message: String) -> Self {
        Self { path: String::new(), message }.in_member(name)
    }

    /// Whether a member is too much, unknown or a repetition: without it, the rest is as it was meant.
    #[cfg(feature = "findings")]
    pub fn is_of_excess(&self) -> bool {
        self.message.starts_with(UNKNOWN) || self.message == TWICE
    }

    /// The same error, seen from the object that has it in this member.
    pub(super) fn in_member(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{}{dot}{}", written(name), self.path);
        self
    }

    /// The same error, seen from the array that has it at this index.
    pub(super) fn in_item(mut self, index: usize) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("[{index}]{dot}{}", self.path);
        self
    }
}

/// The name of a member as paths have it: in brackets and quotes if it could be taken for more than a name.
pub fn written(name: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'#');
    match !name.is_empty() && name.bytes().all(plain) {
        true => name.into(),
        false => format!("[\"{}\"]", name.escape_default()).into(),
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

    #[cold]
    fn unknown_field(name: &str, expected: &'static [&'static str]) -> Self {
        let expected = expected.join("`, `");
        Self::at(name, format!("{UNKNOWN} `{}`, expected one of `{expected}`", name.escape_default()))
    }

    #[cold]
    fn missing_field(name: &'static str) -> Self {
        Self::at(name, "missing, expected this member".into())
    }

    #[cold]
    fn duplicate_field(name: &'static str) -> Self {
        Self::at(name, TWICE.into())
    }
}
