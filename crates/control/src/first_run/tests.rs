//! Tests of the data folder.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::xds::Ports;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// A folder of its own, removed at the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("playlock-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn everything_is_private() {
    let path = Temporary::new("private");
    let folder = Folder::open(&path.0, &[], now()).unwrap();
    let xds = Address { host: "localhost".into(), ports: Ports { xds: 18000, leases: None } };
    folder.write_addresses("127.0.0.1:8443", &xds, "playlock").unwrap();
    for entry in std::fs::read_dir(&path.0).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{entry:?}");
    }
    assert_eq!(std::fs::metadata(&path.0).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_folder_has_one_server() {
    let path = Temporary::new("one");
    let _folder = Folder::open(&path.0, &[], now()).unwrap();
    assert!(matches!(Folder::open(&path.0, &[], now()), Err(FolderError::Locked(_))));
}

#[test]
fn a_first_start_that_was_interrupted_continues() {
    let path = Temporary::new("continued");
    drop(Folder::open(&path.0, &[], now()).unwrap());
    let made = std::fs::read(path.0.join("server.pem")).unwrap();
    std::fs::remove_file(path.0.join("node-staging.pem")).unwrap();
    let mut folder = Folder::open(&path.0, &[], now()).unwrap();
    assert!(folder.is_unfinished());
    assert!(path.0.join("node-staging.pem").exists());
    assert_eq!(std::fs::read(path.0.join("server.pem")).unwrap(), made);
    folder.finish().unwrap();
    drop(folder);
    assert!(!Folder::open(&path.0, &[], now()).unwrap().is_unfinished());
}

#[test]
fn a_finished_folder_without_its_authority_is_refused() {
    let path = Temporary::new("gone");
    let mut folder = Folder::open(&path.0, &[], now()).unwrap();
    folder.write_edgerc("[default]\n").unwrap();
    folder.finish().unwrap();
    drop(folder);
    std::fs::remove_file(path.0.join("ca.pem")).unwrap();
    assert!(matches!(Folder::open(&path.0, &[], now()), Err(FolderError::Missing(file)) if file.ends_with("ca.pem")));
}

#[test]
fn certificates_are_replaced_before_they_end_or_for_another_name() {
    let path = Temporary::new("renewed");
    let folder = Folder::open(&path.0, &[], now()).unwrap();
    assert!(folder.renew(now()).unwrap().is_empty());
    assert_eq!(folder.renew("2026-05-05T00:00:00Z".parse().unwrap()).unwrap(), ["server"]);
    drop(folder);
    let before = std::fs::read(path.0.join("server.pem")).unwrap();
    drop(Folder::open(&path.0, &["control.example".into()], now()).unwrap());
    assert_ne!(std::fs::read(path.0.join("server.pem")).unwrap(), before);
}
