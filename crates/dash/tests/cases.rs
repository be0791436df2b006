//! The cases: each gives the expected output or error, in one piece and cut at every byte.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::string_slice, reason = "a test")]

mod common;

use common::cases::{self, Case};
use common::{properties, rewrite};
use playlock_dash::DashError;

#[test]
fn cases_have_their_output_or_error_in_any_cut() {
    let cases = cases::all();
    assert!(cases.len() > 40, "{} cases", cases.len());
    let wrong: Vec<String> = cases.iter().filter_map(fault).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn fault(case: &Case) -> Option<String> {
    let Case { name, site, additions, input, expected } = case;
    let bytes = input.as_bytes();
    let show = |found: Result<Vec<u8>, DashError>| {
        found.map(|out| String::from_utf8(out).unwrap()).map_err(|error| match error {
            DashError::Xml(error) => format!("Xml {:?}", error.fault),
            other => format!("{other:?}"),
        })
    };
    let whole = show(rewrite(site.clone(), additions, [bytes]));
    if whole != *expected {
        return Some(format!("{name}\nfound {whole:?}\n not  {expected:?}"));
    }
    let single = show(rewrite(site.clone(), additions, bytes.chunks(1)));
    if single != *expected {
        return Some(format!("{name} in single bytes: {single:?}"));
    }
    if bytes.len() < 5000 {
        properties::check(bytes, site, additions, 0..bytes.len());
    }
    None
}
