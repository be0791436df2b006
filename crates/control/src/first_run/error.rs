//! Errors of the data folder.

use std::fmt;
use std::path::PathBuf;

use super::files::FileFault;

/// A data folder that cannot be used.
#[derive(Debug)]
pub enum FolderError {
    /// Another process has locked it.
    Locked(PathBuf),
    /// A file is gone that only the first start makes.
    Missing(PathBuf),
    /// The master key is not one.
    MasterKey,
    /// A file could not be read or written.
    File(FileFault),
    /// A certificate could not be read or made; its name and the reason.
    Certificate(String, String),
}

impl FolderError {
    /// A certificate's error, with the name of its files.
    pub(super) fn certificate(name: &str, error: &rcgen::Error) -> Self {
        Self::Certificate(name.to_owned(), error.to_string())
    }
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked(path) => write!(
                f,
                "{}: another playlock serve has locked this folder; expected one server for each folder",
                path.display()
            ),
            Self::Missing(path) => write!(
                f,
                "{}: not found, but other files of the first start are there; expected the file, from a back-up for \
                 example, or an empty folder to begin anew",
                path.display()
            ),
            Self::MasterKey => f.write_str("master.key or PLAYLOCK_MASTER_KEY: not a key; expected 64 hex digits"),
            Self::File(fault) => write!(f, "{}: {}", fault.path.display(), fault.reason),
            Self::Certificate(name, reason) => {
                write!(f, "{name}.pem, {name}.key: {reason}; expected a certificate and its key in PEM")
            }
        }
    }
}

impl std::error::Error for FolderError {}

impl From<FileFault> for FolderError {
    fn from(fault: FileFault) -> Self {
        Self::File(fault)
    }
}
