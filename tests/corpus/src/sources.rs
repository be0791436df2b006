//! Sources of playlists: npm packages, the demo's content, and the folder in `PLAYLOCK_CORPUS`.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// npm packages with playlists in their tests, and the expected minimum of each.
const PACKAGES: [(&str, usize); 4] =
    [("m3u8-parser", 50), ("@eyevinn/hls-vodtolive", 200), ("@eyevinn/hls-splice", 80), ("@eyevinn/hls-truncate", 50)];

/// All playlists, in a stable order.
///
/// # Errors
/// A missing package or directory, with the way to get it.
pub fn playlists() -> Result<Vec<PathBuf>, String> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let modules =
        env::var_os("PLAYLOCK_NODE_MODULES").map_or_else(|| project.join("target/node/node_modules"), PathBuf::from);
    let mut found = Vec::new();
    for (package, expected) in PACKAGES {
        let folder = modules.join(package);
        if !folder.is_dir() {
            return Err(format!("npm package {package} not found in {}: `make test` installs it", modules.display()));
        }
        let before = found.len();
        collect(&folder, &mut found)?;
        if found.len() - before < expected {
            return Err(format!("{} has {} playlists, expected {expected}", folder.display(), found.len() - before));
        }
    }
    collect(&project.join("envoy/demo/content"), &mut found)?;
    if let Some(corpus) = env::var_os("PLAYLOCK_CORPUS") {
        let before = found.len();
        collect(Path::new(&corpus), &mut found)?;
        if found.len() == before {
            return Err(format!("PLAYLOCK_CORPUS: no playlist in {}", Path::new(&corpus).display()));
        }
    }
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let failure = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failure)? {
        entries.push(entry.map_err(failure)?.path());
    }
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "m3u8" || extension == "m3u") {
            found.push(path);
        }
    }
    Ok(())
}
