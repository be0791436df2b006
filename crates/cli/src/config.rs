//! Files with the configuration of the filter, and output that commands share.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::{env, fs, io};

use playlock_config::Env;
use playlock_config::sealed;
use playlock_core::policy::Policies;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// A valid configuration.
pub struct Loaded {
    /// The text of the file.
    pub text: String,
    /// The compiled policies.
    pub policies: Policies,
    /// The warnings that the filter would log.
    pub warnings: Vec<String>,
    /// The environment variables that it names.
    pub variables: BTreeSet<String>,
    /// Those of them that are not set; [`stand_in`] was used for their values.
    pub unknown: BTreeSet<String>,
}

/// Loads a configuration; its environment variables must be set.
///
/// # Errors
/// A file that cannot be read, or the first fault in it with its JSON path.
pub fn load(file: &Path) -> Result<Loaded, Failure> {
    parse(&file.display(), read(file)?, Env::new(&|name| env::var(name).ok()))
}

/// Loads a configuration; its environment variables need not be set here, but in Envoy's environment.
///
/// # Errors
/// A file that cannot be read, or every fault in it with its JSON path.
pub fn load_elsewhere(file: &Path) -> Result<Loaded, Failure> {
    parse_elsewhere(&file.display(), &read(file)?, &BTreeMap::new())
}

/// As [`load_elsewhere`], from a text. `place` is its position in error messages; the values of the `known` variables
/// take precedence over the environment.
///
/// # Errors
/// As [`load_elsewhere`].
pub fn parse_elsewhere(place: &dyn Display, text: &str, known: &BTreeMap<&str, &str>) -> Result<Loaded, Failure> {
    let unknown = RefCell::new(BTreeSet::new());
    let env = |name: &str| {
        let here = || env::var(name).ok();
        known.get(name).map(|value| (*value).to_owned()).or_else(here).or_else(|| {
            // The second key of sealed secrets may be absent.
            if name != sealed::PREVIOUS_KEY {
                unknown.borrow_mut().insert(name.to_owned());
            }
            // No other value could open what the first key has sealed.
            (name != sealed::KEY && name != sealed::PREVIOUS_KEY).then(|| stand_in(name))
        })
    };
    let env = Env::elsewhere(&env, &stand_in);
    let loaded = parse(place, text.to_owned(), env).map_err(|first| {
        let all = playlock_config::check(text.as_bytes(), env).errors;
        let all: Vec<String> = all.iter().map(|error| format!("{place}: {}: {}", error.path, error.message)).collect();
        if all.is_empty() { first } else { Failure::Invalid(all) }
    })?;
    Ok(Loaded { unknown: unknown.into_inner(), ..loaded })
}

/// As [`parse_elsewhere`], without a look at this process's environment: for documents of others.
///
/// # Errors
/// As [`load`].
#[cfg(feature = "serve")]
pub fn parse_apart(place: &dyn Display, text: &str) -> Result<Loaded, Failure> {
    // No value could open what another key has sealed.
    let variable = |name: &str| (name != sealed::KEY && name != sealed::PREVIOUS_KEY).then(|| stand_in(name));
    let loaded = parse(place, text.to_owned(), Env::elsewhere(&variable, &stand_in))?;
    Ok(Loaded { unknown: loaded.variables.clone(), ..loaded })
}

/// A valid secret in place of an unset variable, or of a sealed text that cannot be opened: 16 bytes in hex, different for
/// each name or text, since equal secrets cause a warning.
pub fn stand_in(name: &str) -> String {
    base16ct::lower::encode_string(Sha256::digest(name).get(..16).unwrap_or_default())
}

/// The text of a configuration.
///
/// # Errors
/// A file that cannot be read.
pub fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::Wrong(format!("{}: {error}", file.display())))
}

fn parse(place: &dyn Display, text: String, env: Env<'_>) -> Result<Loaded, Failure> {
    let variables = RefCell::new(BTreeSet::new());
    let recorded = |name: &str| {
        variables.borrow_mut().insert(name.to_owned());
        (env.variable)(name)
    };
    let parsed = playlock_config::parse_elsewhere(text.as_bytes(), Env { variable: &recorded, ..env });
    let (policies, warnings) = parsed.map_err(|error| {
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

/// A count with its noun: `1 policy`, `2 policies`.
pub fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Writes warnings to standard error.
pub fn warn(warnings: &[String]) {
    for warning in warnings {
        // Without standard error, warnings are lost.
        let _ = writeln!(io::stderr(), "playlock: warning: {warning}");
    }
}

/// The failure to write to standard output.
pub fn output_failure(error: io::Error) -> Failure {
    Failure::Wrong(format!("standard output: {error}"))
}

/// Writes an indented document. It is formatted first, since `serde_json`'s formatting panics if the writer fails.
///
/// # Errors
/// If it cannot be written.
pub fn write_json(output: &mut dyn Write, json: &Value) -> Result<(), Failure> {
    let text = format!("{json:#}\n");
    output.write_all(text.as_bytes()).map_err(output_failure)
}
