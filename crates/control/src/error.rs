//! Errors of operations, independent of HTTP.

use std::fmt;

/// A fault in a document, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// JSON path in the client's document, such as `tokenAuth.password`; `$` is the whole document.
    pub member: String,
    /// The fault: the value found, and what was expected. Never a secret.
    pub detail: String,
}

/// The reason for which an operation did nothing.
#[derive(Debug)]
pub enum ControlError {
    /// There is no such object; the text names it, such as `policy 7`.
    NotFound(String),
    /// The object's state does not allow the operation; the text says what would.
    Conflict(String),
    /// Envoys do not run the last step of a secret exchange yet: `network/node`, sorted.
    Waiting(Vec<String>),
    /// A service beside the database did not answer in time. The text is for the log, not for clients.
    Unavailable(String),
    /// The document is not valid, by itself or together with the network's other documents.
    Invalid(Vec<Finding>),
    /// Too many documents wait to be compiled.
    Busy,
    /// Something failed that only a bug breaks. The text is for the log, not for clients.
    Broken(String),
    /// The database failed. The text is for the log, not for clients.
    Storage(String),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(object) => write!(f, "{object}: not found"),
            Self::Conflict(reason) => f.write_str(reason),
            Self::Waiting(nodes) => {
                write!(f, "the last step is not in force on {}; expected it on every Envoy", nodes.join(", "))
            }
            Self::Unavailable(reason) => f.write_str(reason),
            Self::Invalid(findings) => {
                for (index, finding) in findings.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{}: {}", finding.member, finding.detail)?;
                }
                Ok(())
            }
            Self::Busy => f.write_str("too many documents are being compiled; expected fewer at a time: try again"),
            Self::Broken(reason) => f.write_str(reason),
            Self::Storage(reason) => write!(f, "database: {reason}"),
        }
    }
}

impl std::error::Error for ControlError {}

impl From<sqlx::Error> for ControlError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.to_string())
    }
}
