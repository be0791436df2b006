//! Documents of packagers and services, those in the tests of the npm package `mpd-parser` and in the folder that
//! `PLAYLOCK_CORPUS` names: without links nothing changes, and without the tokens it is what came in.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::string_slice, reason = "a test")]

mod common;

use std::path::{Path, PathBuf};
use std::{env, fs};

use common::{Kind, Site, TOKEN, properties, rewrite};
use playlock_dash::{Additions, DashError, is_mpd};
use url::Url;

/// The documents, in a stable order.
fn documents() -> Vec<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let modules =
        env::var_os("PLAYLOCK_NODE_MODULES").map_or_else(|| project.join("target/node/node_modules"), PathBuf::from);
    let folder = modules.join("mpd-parser");
    assert!(folder.is_dir(), "npm package mpd-parser not found in {}: `make test` installs it", modules.display());
    let mut found = Vec::new();
    collect(&folder, &mut found);
    assert!(found.len() >= 15, "{found:?}");
    if let Some(corpus) = env::var_os("PLAYLOCK_CORPUS") {
        collect(Path::new(&corpus), &mut found);
    }
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "mpd") {
            found.push(path);
        }
    }
}

fn site(kind: Kind) -> Site {
    let document = Url::parse("https://own.example/live/a.mpd").unwrap();
    Site { document, hosts: vec!["own.example".into()], kind }
}

#[test]
fn nothing_changes_without_links() {
    for file in documents() {
        let bytes = fs::read(&file).unwrap();
        assert_eq!(is_mpd(&bytes), Some(true), "{}", file.display());
        match rewrite(site(Kind::None), &Additions::default(), [bytes.as_slice()]) {
            Ok(out) => assert!(without_patches(&bytes) == out, "{}", file.display()),
            // What another project has as a faulty document.
            Err(error) => {
                assert!(matches!(error, DashError::Xml(_) | DashError::NotMpd), "{}: {error}", file.display())
            }
        }
    }
}

fn without_patches(bytes: &[u8]) -> Vec<u8> {
    let mut text = String::from_utf8(bytes.to_vec()).unwrap();
    while let Some(start) = text.find("<PatchLocation") {
        let end = start + text[start..].find("</PatchLocation>").unwrap() + "</PatchLocation>".len();
        text.replace_range(start..end, "");
    }
    text.into_bytes()
}

#[test]
fn tokens_are_all_that_changes() {
    for file in documents() {
        let bytes = fs::read(&file).unwrap();
        let Ok(out) = rewrite(site(Kind::Query), &Additions::default(), [bytes.as_slice()]) else { continue };
        let out = String::from_utf8(out).unwrap();
        let template = TOKEN.replace('$', "$$");
        let mut undone = out;
        for token in [TOKEN.to_owned(), template] {
            for token in [token.replace('&', "&amp;").replace('"', "&quot;"), token.replace('&', "&amp;")] {
                undone = undone.replace(&format!("?{token}"), "").replace(&format!("&amp;{token}"), "");
            }
        }
        assert!(undone.into_bytes() == without_patches(&bytes), "{}", file.display());
    }
}

#[test]
fn any_cut_gives_the_same() {
    for file in documents() {
        let bytes = fs::read(&file).unwrap();
        let step = bytes.len() / 40 + 7;
        properties::check(&bytes, &site(Kind::Query), &Additions::default(), (0..bytes.len()).step_by(step));
    }
}
