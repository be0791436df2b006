//! The reasons for which a server does not start, or ends.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use crate::error::ControlError;
use crate::first_run::FolderError;

/// A server that could not start, or ended.
#[derive(Debug)]
pub enum ServeError {
    /// An option has an unusable value; the text.
    Option(String),
    /// The data folder cannot be used.
    Folder(FolderError),
    /// An address could not be bound.
    Listen(&'static str, SocketAddr, io::Error),
    /// The database could not be opened.
    Control(ControlError),
    /// A certificate cannot be used for TLS.
    Tls(String),
    /// The listener of Envoys failed.
    Envoys(String),
    /// The operating system refused something else.
    Runtime(io::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(reason) => f.write_str(reason),
            Self::Folder(error) => error.fmt(f),
            Self::Listen(option, address, error) => {
                write!(f, "{option}: {address}: {error}; expected a free address of this machine, or port 0")
            }
            Self::Control(error) => error.fmt(f),
            Self::Tls(reason) => write!(f, "server.pem, server.key: {reason}"),
            Self::Envoys(reason) => write!(f, "--xds-listen: {reason}"),
            Self::Runtime(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ServeError {}

impl From<FolderError> for ServeError {
    fn from(error: FolderError) -> Self {
        Self::Folder(error)
    }
}

impl From<ControlError> for ServeError {
    fn from(error: ControlError) -> Self {
        Self::Control(error)
    }
}
