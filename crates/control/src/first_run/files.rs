//! Files of the data folder: written as a whole or not at all, and readable by their owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that could not be read or written.
#[derive(Debug)]
pub struct FileFault {
    /// The file.
    pub path: PathBuf,
    /// The system's reason.
    pub reason: io::Error,
}

impl FileFault {
    /// A closure that names the file beside an error.
    pub fn of(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |reason| Self { path: path.to_owned(), reason }
    }
}

/// Writes a file under a temporary name, flushes it to the disk, and renames it. Mode 0600.
///
/// # Errors
/// The file could not be written; a file that was there is unchanged.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), FileFault> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    // One of an earlier run that was killed; its mode might be another.
    remove(&temporary)?;
    let write = || {
        let mut file = private_options().open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(FileFault::of(path))?;
    rename(&temporary, path)
}

/// Creates the folder if it is not there: mode 0700.
///
/// # Errors
/// It could not be created, or is not a folder.
pub fn folder(path: &Path) -> Result<(), FileFault> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(FileFault::of(path))
}

/// Removes a file, if it is there.
///
/// # Errors
/// It could not be removed.
pub fn remove(path: &Path) -> Result<(), FileFault> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileFault::of(path)(error)),
        _ => Ok(()),
    }
}

/// Renames a file within its folder, and flushes the folder.
///
/// # Errors
/// It could not be renamed.
pub fn rename(from: &Path, to: &Path) -> Result<(), FileFault> {
    let rename = || {
        fs::rename(from, to)?;
        to.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    rename().map_err(FileFault::of(from))
}

/// Opens a file, and creates it if it is not there: mode 0600.
///
/// # Errors
/// It could not be opened.
pub fn open_private(path: &Path) -> Result<File, FileFault> {
    private_options().create_new(false).create(true).open(path).map_err(FileFault::of(path))
}

/// Reads a file of at most 1 MiB as text.
///
/// # Errors
/// It could not be read, or is not UTF-8.
pub fn text(path: &Path) -> Result<String, FileFault> {
    let read = || match fs::metadata(path)?.len() {
        0..=1_048_576 => fs::read_to_string(path),
        length => Err(io::Error::other(format!("{length} bytes; expected at most 1048576"))),
    };
    read().map_err(FileFault::of(path))
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
