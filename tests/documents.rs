//! Tests the documentation against the code: every listed path exists, and every reason for a refusal is documented.

use std::path::Path;

use playlock_core::reply::Reason;

/// The texts in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_path_in_architecture_exists() {
    let table = include_str!("../ARCHITECTURE.md").split("## Files").nth(1).unwrap();
    let paths: Vec<_> = table.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    assert!(paths.len() > 30, "{paths:?}");
    for path in paths {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(), "ARCHITECTURE.md names {path}");
    }
}

#[test]
fn the_readme_lists_every_reason_under_its_status() {
    let text = include_str!("../README.md");
    for reason in Reason::ALL {
        let status = reason.status().to_string();
        let row = text.lines().find(|line| line.starts_with(&format!("| {status} |"))).unwrap();
        assert!(quoted(row).any(|word| word == reason.word()), "{} is not in README.md's row {status}", reason.word());
    }
}

#[test]
fn operating_says_what_to_do_about_every_reason() {
    let text = include_str!("../docs/operating.md");
    let words: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).map(|row| row.0).collect();
    for reason in Reason::ALL {
        assert_eq!(words.iter().filter(|word| **word == reason.word()).count(), 1, "{}", reason.word());
    }
}
