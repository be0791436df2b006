//! Why a command did not do what it should: one line and an exit status.

use std::fmt;
use std::process::ExitCode;

use playlock_core::reply::Reason;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// The filter refuses.
    Refused(Reason),
    /// What was looked at is not good; a word and a sentence.
    Negative(String),
    /// It could not be reached.
    Unreachable(String),
    /// It was said already: nothing but the exit status is left.
    Reported(u8),
    /// The command, its configuration or a file is wrong.
    Wrong(String),
}

impl Failure {
    /// 1 for a negative verdict, 2 for a wrong command, configuration or file, 3 if a server could not be reached.
    pub fn status(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::Negative(_) => 1,
            Self::Wrong(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Reported(status) => *status,
        }
    }

    /// The same as the command ends with it.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.status())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => write!(f, "{}: {}", reason.word(), reason.title()),
            Self::Negative(what) | Self::Unreachable(what) | Self::Wrong(what) => f.write_str(what),
            Self::Reported(_) => Ok(()),
        }
    }
}
