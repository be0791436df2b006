//! Checks documents against the code: ARCHITECTURE.md has every folder, the README every page, and docs/operating.md every
//! refusal reason.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::path::Path;

use playlock_core::http::reply::Reason;

/// The names of the folders in `folder`, as paths from the root with a `/` behind, without hidden ones.
fn folders(folder: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap());
    let names = entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with(['.', '_'])).map(|name| format!("{folder}{name}/")).collect()
}

#[test]
fn architecture_lists_every_folder_and_no_other() {
    let table = include_str!("../ARCHITECTURE.md").split("## Folders").nth(1).unwrap();
    let listed: BTreeSet<_> = table.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    let top = folders("").into_iter().filter(|name| !["target/", "crates/", "tests/"].contains(&name.as_str()));
    let crates = folders("crates/").into_iter().filter(|name| name != "crates/core/");
    let all: Vec<_> = top.chain(crates).chain(folders("crates/core/src/")).chain(folders("tests/")).collect();
    assert_eq!(listed, all.iter().map(String::as_str).collect());
}

#[test]
fn the_readme_links_every_page() {
    let readme = include_str!("../README.md");
    let pages = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
    let names = pages.map(|page| page.unwrap().file_name().into_string().unwrap());
    for page in names.filter(|name| name.ends_with(".md")) {
        assert!(readme.contains(&format!("](docs/{page}")), "README.md does not link docs/{page}");
    }
    for linked in readme.split("](").skip(1).filter_map(|link| link.split([')', '#']).next()) {
        let exists = Path::new(env!("CARGO_MANIFEST_DIR")).join(linked).exists();
        assert!(exists || linked.contains("://") || linked.starts_with("../"), "README.md links {linked}");
    }
}

#[test]
fn operating_explains_every_reason_with_its_status() {
    let text = include_str!("../docs/operating.md");
    let rows: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | ")).collect();
    let rows: Vec<_> = rows.iter().filter_map(|(word, rest)| Some((*word, rest.split(" | ").next()?))).collect();
    for reason in Reason::ALL {
        let statuses: Vec<_> = rows.iter().filter(|row| row.0 == reason.word()).map(|row| row.1).collect();
        assert_eq!(statuses, [reason.status().to_string()], "{}", reason.word());
    }
    let is_status = |cell: &str| cell.parse().is_ok_and(|status: u16| (400..600).contains(&status));
    let words: Vec<_> = rows.iter().filter(|row| is_status(row.1)).map(|row| row.0).collect();
    assert_eq!(words.len(), Reason::ALL.len(), "{words:?}");
}

/// The workspace lists its tests by hand, since two of them belong to another package.
#[test]
fn every_test_file_is_run() {
    let manifests = [include_str!("../Cargo.toml"), include_str!("host/Cargo.toml")].concat();
    let folder = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")).unwrap();
    let files = folder.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|it| it == "rs"));
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(manifests.contains(&format!("[[test]]\nname = \"{name}\"\n")), "no Cargo.toml lists tests/{name}.rs");
    }
}
