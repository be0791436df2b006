//! `playlock check`: whether a configuration is good, and what in it is hardly meant so.

use std::env;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use playlock_core::config::{Idle, Policies};

use crate::config::{self, Loaded};
use crate::failure::Failure;

/// Say whether a configuration is good, and what in it is hardly meant so.
///
/// An error, with the JSON path of what is wrong, ends with exit status 2. Warnings are written to standard output, one a
/// line, and do not change the exit status.
#[derive(Args)]
pub struct Check {
    /// The configuration, as Envoy gets it; secrets given as {"env": NAME} need not be set here.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The time in seconds since 1970-01-01T00:00:00Z, if it is not now.
    #[arg(long, value_name = "UNIX")]
    now: Option<u64>,
}

/// Writes what is to be said of the configuration to `output`.
///
/// # Errors
/// What is wrong with it.
pub fn run(arguments: &Check, output: &mut dyn Write) -> Result<(), Failure> {
    let Loaded { policies, mut warnings, variables, .. } = config::load_elsewhere(&arguments.config)?;
    for name in variables.iter().filter(|name| env::var(name).is_err()) {
        warnings.push(format!("the environment variable {name} is not set here, so its value was not looked at"));
    }
    let read: Vec<&str> = policies.geo_headers_read().collect();
    if !read.is_empty() {
        warnings.push(format!(
            "geoHeaders: policies read {}, which only Envoy may set: let it remove clients' own copies before its geoip filter (envoy/geoip.yaml)",
            read.join(", ")
        ));
    }
    warnings.extend(idle(&policies, arguments.now.unwrap_or_else(config::now)));
    warnings.extend(
        policies
            .unassigned()
            .map(|(index, policy)| format!("policies[{index}]: no assignment is to \"{}\"", policy.name)),
    );
    for warning in &warnings {
        writeln!(output, "warning: {warning}").map_err(config::output_failure)?;
    }
    let (policies, assignments) = (policies.len(), policies.assignments());
    writeln!(output, "good: {policies} policies, {assignments} assignments, {} warnings", warnings.len())
        .map_err(config::output_failure)
}

/// Assignments that never come to hold.
fn idle(policies: &Policies, now: u64) -> impl Iterator<Item = String> {
    policies.idle_assignments(now).map(|(index, idle)| match idle {
        Idle::Past => format!("assignments[{index}].endTime: is past, so the assignment never holds again"),
        Idle::Overruled => format!(
            "assignments[{index}]: never holds: as long as it could, one to the same host and path wins, which began later"
        ),
    })
}
