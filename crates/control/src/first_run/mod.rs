//! The data folder: made by the first start, opened by each.

mod authority;
mod edgerc;
mod error;
mod files;

pub use self::edgerc::host_of;
pub use self::error::FolderError;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use zeroize::Zeroizing;

use self::authority::{Authority, Issued};
use self::files::FileFault;
use crate::network::Network;
use crate::store::vault::MasterKey;
use crate::xds::{Address, Files, SERVER, bootstrap};

/// The environment variable that holds the master key in place of the file.
pub const MASTER_KEY_VARIABLE: &str = "PLAYLOCK_MASTER_KEY";

/// Present from the first write of the first start until all files are there.
const UNFINISHED: &str = "first-start";

/// The names of each server: the URI is for Envoys.
const OWN_NAMES: [&str; 4] = ["localhost", "127.0.0.1", "::1", SERVER];

/// An open data folder, locked against a second server.
pub struct Folder {
    path: PathBuf,
    /// Held, never read: the lock ends with the process.
    _lock: File,
    unfinished: bool,
    names: Vec<String>,
}

/// The certificate and key of the server.
pub struct ServerIdentity {
    /// Certificate, in PEM.
    pub certificate: String,
    /// Private key, in PEM.
    pub key: Zeroizing<String>,
    /// The authority's certificate, in PEM: it also signs the nodes'.
    pub authority: String,
}

impl Folder {
    /// Opens the folder, and creates what the first start creates without the database: the authority, the
    /// certificates. `names`: additional names and addresses of the server.
    ///
    /// # Errors
    /// Another server has the folder, a file cannot be used, or one is gone that only a first start makes.
    pub fn open(path: &Path, names: &[String], now: Timestamp) -> Result<Self, FolderError> {
        files::folder(path)?;
        let lock_file = path.join("lock");
        let lock = files::open_private(&lock_file)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(FileFault::of(&lock_file)(error).into()),
        }
        let made = ["ca.pem", "playlock.db", "edgerc"].iter().any(|file| path.join(file).exists());
        let unfinished = !made || path.join(UNFINISHED).exists();
        let mut all: Vec<String> = OWN_NAMES.map(String::from).to_vec();
        all.extend(names.iter().filter(|name| !OWN_NAMES.contains(&name.as_str())).cloned());
        let folder = Self { path: path.to_owned(), _lock: lock, unfinished, names: all };
        if unfinished {
            files::replace(&folder.file(UNFINISHED), b"The first start has not ended. The next start continues it.\n")?;
        }
        folder.authority(now)?;
        folder.renew(now)?;
        Ok(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The master key of a folder: from the environment's variable, or from its file.
    ///
    /// # Errors
    /// It is in neither, or not 64 hex digits.
    pub fn master_key(path: &Path, variable: Option<Zeroizing<String>>) -> Result<MasterKey, FolderError> {
        let file = path.join("master.key");
        let text = match variable {
            Some(text) => text,
            None if file.exists() => Zeroizing::new(files::text(&file)?),
            None => return Err(FolderError::Missing(file)),
        };
        MasterKey::of_hex(&text).ok_or(FolderError::MasterKey)
    }

    /// Writes the master key's file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_master_key(&self, hex: &str) -> Result<(), FolderError> {
        Ok(files::replace(&self.file("master.key"), hex.as_bytes())?)
    }

    /// Writes both keys of a rotation beside the master key's file: `master.key.old` and `master.key.next`.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write_next_master_key(&self, old: &str, next: &str) -> Result<(), FolderError> {
        files::replace(&self.file("master.key.old"), old.as_bytes())?;
        Ok(files::replace(&self.file("master.key.next"), next.as_bytes())?)
    }

    /// Renames `master.key.next` to `master.key`.
    ///
    /// # Errors
    /// The file cannot be renamed.
    pub fn use_next_master_key(&self) -> Result<(), FolderError> {
        Ok(files::rename(&self.file("master.key.next"), &self.file("master.key"))?)
    }

    /// The host that a folder's `edgerc` names.
    ///
    /// # Errors
    /// The file is gone, or names none.
    pub fn host(path: &Path) -> Result<String, FolderError> {
        let file = path.join("edgerc");
        let text = Zeroizing::new(files::text(&file)?);
        edgerc::host(&text).map(str::to_owned).ok_or(FolderError::Missing(file))
    }

    /// Whether the first start has not ended yet.
    pub fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    /// The path of a file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The file of SQLite's database, created empty so that only its owner can read it and the files beside it.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn database_file(&self) -> Result<PathBuf, FolderError> {
        let file = self.file("playlock.db");
        files::open_private(&file)?;
        Ok(file)
    }

    /// Declares the first start finished.
    ///
    /// # Errors
    /// The mark cannot be removed.
    pub fn finish(&mut self) -> Result<(), FolderError> {
        files::remove(&self.file(UNFINISHED))?;
        self.unfinished = false;
        Ok(())
    }

    /// The server's certificate, and the authority's.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn identity(&self) -> Result<ServerIdentity, FolderError> {
        Ok(ServerIdentity {
            certificate: files::text(&self.file("server.pem"))?,
            key: Zeroizing::new(files::text(&self.file("server.key"))?),
            authority: files::text(&self.file("ca.pem"))?,
        })
    }

    /// Replaces certificates that are due. Returns the files that were replaced.
    ///
    /// Without `ca.key`, which may be kept elsewhere, nothing is replaced but an error returned if something is due.
    ///
    /// # Errors
    /// A file cannot be read or written, or the authority's key is missing.
    pub fn renew(&self, now: Timestamp) -> Result<Vec<String>, FolderError> {
        let mut wanted = vec![("server".to_owned(), self.names.clone(), None)];
        for network in Network::ALL {
            wanted.push((format!("node-{network}"), vec![authority::identity(network)], Some(network)));
        }
        wanted.retain(|(name, names, _)| match files::text(&self.file(&format!("{name}.pem"))) {
            Ok(certificate) => authority::due(&certificate, names, now) || !self.file(&format!("{name}.key")).exists(),
            Err(_) => true,
        });
        let mut replaced = Vec::new();
        if wanted.is_empty() {
            return Ok(replaced);
        }
        let authority = self.read_authority()?;
        for (name, names, network) in wanted {
            let issued = match network {
                None => authority.server(&names, now),
                Some(network) => authority.node(network, now),
            };
            self.write_pair(&name, &issued.map_err(|error| FolderError::certificate(&name, &error))?)?;
            replaced.push(name);
        }
        Ok(replaced)
    }

    /// Writes the files with addresses: Envoy's configuration, and the host in `edgerc`, if that file is still there.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write_addresses(&self, host: &str, xds: &Address, filter: &str) -> Result<(), FolderError> {
        // The absolute path, since Envoy runs in another folder.
        let path = std::path::absolute(&self.path).map_err(FileFault::of(&self.path))?;
        for network in Network::ALL {
            let file = |name: String| path.join(name).to_string_lossy().into_owned();
            let files = Files {
                ca: file("ca.pem".into()),
                certificate: file(format!("node-{network}.pem")),
                key: file(format!("node-{network}.key")),
            };
            let text = bootstrap(network, std::slice::from_ref(xds), &files, filter);
            files::replace(&self.file(&format!("envoy-{network}.yaml")), text.as_bytes())?;
        }
        let edgerc = self.file("edgerc");
        if edgerc.exists() {
            let text = Zeroizing::new(files::text(&edgerc)?);
            if let Some(changed) = edgerc::with_host(&text, host) {
                files::replace(&edgerc, changed.as_bytes())?;
            }
        }
        Ok(())
    }

    /// Writes `edgerc` with the first client's credentials.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_edgerc(&self, text: &str) -> Result<(), FolderError> {
        Ok(files::replace(&self.file("edgerc"), text.as_bytes())?)
    }

    /// Creates the authority on the first start.
    fn authority(&self, now: Timestamp) -> Result<(), FolderError> {
        // The key is written first: without the certificate both are made anew.
        if self.file("ca.pem").exists() {
            return Ok(());
        }
        if !self.unfinished {
            return Err(FolderError::Missing(self.file("ca.pem")));
        }
        // Certificates of another authority, whose own is gone.
        for name in ["server.pem", "node-staging.pem", "node-production.pem"] {
            files::remove(&self.file(name))?;
        }
        let (_, issued) = Authority::generate(now).map_err(|error| FolderError::certificate("ca", &error))?;
        self.write_pair("ca", &issued)
    }

    fn read_authority(&self) -> Result<Authority, FolderError> {
        let key = self.file("ca.key");
        if !key.exists() {
            return Err(FolderError::Missing(key));
        }
        let key = Zeroizing::new(files::text(&key)?);
        Authority::read(&files::text(&self.file("ca.pem"))?, &key)
            .map_err(|error| FolderError::certificate("ca", &error))
    }

    /// Writes a key, and then its certificate.
    fn write_pair(&self, name: &str, issued: &Issued) -> Result<(), FolderError> {
        files::replace(&self.file(&format!("{name}.key")), issued.key.as_bytes())?;
        Ok(files::replace(&self.file(&format!("{name}.pem")), issued.certificate.as_bytes())?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
