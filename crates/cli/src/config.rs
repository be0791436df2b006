//! The configuration as a file.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::{env, fs, io};

use playlock_core::policy::Policies;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// A configuration that Envoy would take, if it has the variables.
pub struct Loaded {
    /// As it was written.
    pub text: String,
    /// Compiled.
    pub policies: Policies,
    /// What the filter would log.
    pub warnings: Vec<String>,
    /// The environment variables that it names.
    pub variables: BTreeSet<String>,
    /// Those of them whose value is not known, so that another stood in for it.
    pub unknown: BTreeSet<String>,
}

/// Reads and compiles a configuration whose variables must be set.
///
/// # Errors
/// What is wrong with the file, with its JSON path.
pub fn load(file: &Path) -> Result<Loaded, Failure> {
    parse(&file.display(), read(file)?, &|name| env::var(name).ok())
}

/// The same with variables that need not be set here: it is Envoy that needs them.
///
/// # Errors
/// As [`load`].
pub fn load_elsewhere(file: &Path) -> Result<Loaded, Failure> {
    parse_elsewhere(&file.display(), &read(file)?, &BTreeMap::new())
}

/// The same of a text that stands at `place`, where the values of some variables are known, whatever they are here.
///
/// # Errors
/// As [`load`].
pub fn parse_elsewhere(place: &dyn Display, text: &str, known: &BTreeMap<&str, &str>) -> Result<Loaded, Failure> {
    let unknown = RefCell::new(BTreeSet::new());
    let env = |name: &str| {
        let here = || env::var(name).ok();
        Some(known.get(name).map(|value| (*value).to_owned()).or_else(here).unwrap_or_else(|| {
            unknown.borrow_mut().insert(name.to_owned());
            stand_in(name)
        }))
    };
    let loaded = parse(place, text.to_owned(), &env)?;
    Ok(Loaded { unknown: unknown.into_inner(), ..loaded })
}

/// A value that any member takes as a secret, 16 bytes in hex: another for each variable, since equal ones are warned of.
pub fn stand_in(name: &str) -> String {
    base16ct::lower::encode_string(Sha256::digest(name).get(..16).unwrap_or_default())
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::Wrong(format!("{}: {error}", file.display())))
}

fn parse(place: &dyn Display, text: String, env: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Failure> {
    let variables = RefCell::new(BTreeSet::new());
    let recorded = |name: &str| {
        variables.borrow_mut().insert(name.to_owned());
        env(name)
    };
    let (policies, warnings) = playlock_core::config::parse(text.as_bytes(), &recorded).map_err(|error| {
        Failure::Wrong(match error.unset {
            Some(name) => {
                format!(
                    "{place}: {}: the environment variable {name} is not set in this shell's environment",
                    error.path
                )
            }
            None => format!("{place}: {error}"),
        })
    })?;
    Ok(Loaded { text, policies, warnings, variables: variables.into_inner(), unknown: BTreeSet::new() })
}

/// A number and its noun: `1 policy`, `2 policies`.
pub fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Writes warnings to standard error.
pub fn warn(warnings: &[String]) {
    for warning in warnings {
        // Without standard error there is no one to warn.
        let _ = writeln!(io::stderr(), "playlock: warning: {warning}");
    }
}

/// Standard output cannot be written to.
pub fn output_failure(error: io::Error) -> Failure {
    Failure::Wrong(format!("standard output: {error}"))
}

/// Writes a document, laid out for people. Not straight to `output`: what formats it panics where that fails.
///
/// # Errors
/// If it cannot be written.
pub fn write_json(output: &mut dyn Write, json: &Value) -> Result<(), Failure> {
    let text = format!("{json:#}\n");
    output.write_all(text.as_bytes()).map_err(output_failure)
}
