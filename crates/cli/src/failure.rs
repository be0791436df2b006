//! Why a command did not do what it should: one line and an exit status.

use std::fmt;
use std::process::ExitCode;

use playlock_core::reply::Reason;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// The filter refuses.
    Refused(Reason),
    /// The command, its configuration or a file is wrong.
    Wrong(String),
}

impl Failure {
    /// 1 if the filter refuses, else 2.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused(_) => ExitCode::from(1),
            Self::Wrong(_) => ExitCode::from(2),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => write!(f, "{}: {}", reason.word(), reason.title()),
            Self::Wrong(what) => f.write_str(what),
        }
    }
}
