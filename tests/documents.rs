//! Checks documents against the code: every path in ARCHITECTURE.md exists, and docs/operating.md has every refusal reason.

use std::path::Path;

use playlock_core::http::reply::Reason;

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
