//! Failures of commands: a message and an exit status.

use std::fmt;
use std::process::ExitCode;

use playlock_core::http::reply::Reason;

/// A failed command.
#[derive(Debug)]
pub enum Failure {
    /// The filter refuses the request.
    Refused(Reason),
    /// The input is not valid; the message.
    Negative(String),
    /// A configuration has errors; the message of each.
    Invalid(Vec<String>),
    /// A server could not be reached; the message.
    Unreachable(String),
    /// The command has printed the failure itself; the exit status.
    Reported(u8),
    /// An argument, the configuration or a file cannot be used; the message.
    Wrong(String),
}

impl Failure {
    /// The exit status: 1 to 3, as in the help of `playlock`.
    pub fn status(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::Negative(_) => 1,
            Self::Wrong(_) | Self::Invalid(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Reported(status) => *status,
        }
    }

    /// [`Failure::status`] as the result of `main`.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.status())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => write!(f, "{}: {}", reason.word(), reason.title()),
            Self::Negative(what) | Self::Unreachable(what) | Self::Wrong(what) => f.write_str(what),
            Self::Invalid(errors) => f.write_str(&errors.join("\n  ")),
            Self::Reported(_) => Ok(()),
        }
    }
}
