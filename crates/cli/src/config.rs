//! The configuration as a file.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::{env, fs, io};

use playlock_core::config::Policies;
use serde_json::Value;

use crate::failure::Failure;

/// A secret that any member takes: 16 bytes in hex.
const STAND_IN: &str = "01010101010101010101010101010101";

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
}

/// Reads and compiles a configuration whose variables must be set.
///
/// # Errors
/// What is wrong with the file, with its JSON path.
pub fn load(file: &Path) -> Result<Loaded, Failure> {
    parse(&file.display().to_string(), read(file)?, &|name| env::var(name).ok())
}

/// The same with variables that need not be set here: it is Envoy that needs them.
///
/// # Errors
/// As [`load`].
pub fn load_elsewhere(file: &Path) -> Result<Loaded, Failure> {
    parse(&file.display().to_string(), read(file)?, &stand_in)
}

/// The same of a text that stands at `place`.
///
/// # Errors
/// As [`load`].
pub fn parse_elsewhere(place: &str, text: &str) -> Result<Loaded, Failure> {
    parse(place, text.to_owned(), &stand_in)
}

fn stand_in(name: &str) -> Option<String> {
    Some(env::var(name).unwrap_or_else(|_| STAND_IN.to_owned()))
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::Wrong(format!("{}: {error}", file.display())))
}

fn parse(place: &str, text: String, env: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Failure> {
    let variables = RefCell::new(BTreeSet::new());
    let recorded = |name: &str| {
        variables.borrow_mut().insert(name.to_owned());
        env(name)
    };
    let parsed = Policies::parse(text.as_bytes(), &recorded);
    let (policies, warnings) = parsed.map_err(|error| Failure::Wrong(format!("{place}: {error}")))?;
    Ok(Loaded { text, policies, warnings, variables: variables.into_inner() })
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
