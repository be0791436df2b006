//! The trial of the public SDK (`tests/sdk-filter`): every case of `tests/cases/` through its module.
#![allow(clippy::print_stderr, reason = "a test's own words")]

use playlock_host::wasm::Flavour;
use playlock_host::{case, scenario};

#[test]
fn every_case_but_the_listed_passes() {
    let mut failed = Vec::new();
    for (name, case) in case::all().unwrap() {
        if let Err(why) = scenario::run(&name, &case, &[Flavour::Sdk]) {
            failed.push(format!("{name}: {}", why.chars().take(1500).collect::<String>()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
