//! `playlock check`: whether a configuration is good, and what in it is hardly meant so.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::Args;
use playlock_core::config::{Idle, Policies};
use serde_json::{Value, json};

use crate::config::{self, Loaded};
use crate::envoy::{self, Findings};
use crate::failure::Failure;
use crate::time::Moment;

/// What warnings begin with.
const WARNING: &str = "warning: ";

/// Say whether a configuration is good, and what in it is hardly meant so.
///
/// Errors, each with the path of what is wrong, end with exit status 2. Warnings are written to standard output, one a
/// line, and do not change the exit status.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock check --config policies.json
  playlock check --envoy envoy.yaml
  playlock check --config policies.json --envoy envoy.yaml --json")]
pub struct Check {
    /// The configuration, as Envoy gets it; secrets given as {"env": NAME} need not be set here.
    #[arg(long, value_name = "FILE", required_unless_present = "envoy")]
    config: Option<PathBuf>,
    /// Envoy's configuration, in YAML or JSON: whether the filters around playlock are safe, too. Without --config, the
    /// configuration is the one in it.
    #[arg(long, value_name = "FILE")]
    envoy: Option<PathBuf>,
    /// The time, if it is not now: seconds since 1970, 2026-12-24T18:00:00Z, +1h or -5m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    now: Option<Moment>,
    /// Print errors and warnings as JSON.
    #[arg(long)]
    json: bool,
}

/// Writes what is to be said of the configuration to `output`.
///
/// # Errors
/// What is wrong with it.
pub fn run(arguments: &Check, output: &mut dyn Write) -> Result<(), Failure> {
    let checked = check(arguments);
    if arguments.json {
        let texts =
            |lines: &[String]| lines.iter().filter_map(|line| Some(line.strip_prefix(WARNING)?.to_owned())).collect();
        let (errors, warnings): (Vec<String>, Vec<String>) = match &checked {
            Ok(lines) => (Vec::new(), texts(lines)),
            Err(failure) => (vec![failure.to_string()], Vec::new()),
        };
        config::write_json(output, &json!({"good": checked.is_ok(), "errors": errors, "warnings": warnings}))?;
        return checked.map(|_| ()).map_err(|_| Failure::Said(2));
    }
    for line in checked? {
        writeln!(output, "{line}").map_err(config::output_failure)?;
    }
    Ok(())
}

/// What is to be said, a line each.
fn check(arguments: &Check) -> Result<Vec<String>, Failure> {
    let now = Moment::or_now(arguments.now);
    let own = arguments.config.as_deref().map(config::load_elsewhere).transpose()?;
    let mut lines = own.as_ref().map(|loaded| said(loaded, now, arguments.envoy.is_none())).unwrap_or_default();
    if let Some(file) = &arguments.envoy {
        around(file, own.as_ref(), now, &mut lines)?;
    }
    Ok(lines)
}

/// Judges every filter of playlock's in Envoy's configuration, under `own` or else what is configured there.
fn around(file: &Path, own: Option<&Loaded>, now: u64, lines: &mut Vec<String>) -> Result<(), Failure> {
    let failure = |what: &dyn std::fmt::Display| Failure::Wrong(format!("{}: {what}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| failure(&error))?;
    let document: Value = serde_saphyr::from_str(&text).map_err(|error| failure(&error))?;
    let filters = envoy::filters(&document);
    if filters.is_empty() {
        return Err(failure(&"no http_filters with playlock in it"));
    }
    let mut errors = Vec::new();
    for filter in filters {
        let here;
        let loaded = match (own, filter.configuration()) {
            (Some(own), _) => own,
            (None, Some(text)) => {
                here = config::parse_elsewhere(&format!("{}: {}", file.display(), filter.path), text)?;
                lines.extend(said(&here, now, false));
                &here
            }
            (None, None) => {
                return Err(failure(&format!("{}: is configured elsewhere, so --config is needed", filter.path)));
            }
        };
        let Findings { errors: wrong, warnings } = filter.judge(&loaded.policies);
        errors.extend(wrong);
        lines.extend(warnings.into_iter().map(|warning| format!("{WARNING}{warning}")));
    }
    match errors.is_empty() {
        true => {
            lines.push("good: the filters around it".to_owned());
            Ok(())
        }
        false => Err(failure(&errors.join("\n  "))),
    }
}

/// What is to be said of a good configuration; `alone`: nothing else is known of the proxy.
fn said(loaded: &Loaded, now: u64, alone: bool) -> Vec<String> {
    let Loaded { policies, variables, .. } = loaded;
    let mut warnings = loaded.warnings.clone();
    for name in variables.iter().filter(|name| env::var(name).is_err()) {
        warnings.push(format!("the environment variable {name} is not set here, so its value was not looked at"));
    }
    let read: Vec<&str> = policies.geo_headers_read().collect();
    if alone && !read.is_empty() {
        warnings.push(format!(
            "geoHeaders: policies read {}, which only Envoy may set: let it remove clients' own copies before its geoip filter (envoy/geoip.yaml; --envoy looks)",
            read.join(", ")
        ));
    }
    warnings.extend(idle(policies, now));
    if !policies.route_policy {
        let unassigned = policies.unassigned();
        warnings.extend(
            unassigned.map(|(index, policy)| format!("policies[{index}]: no assignment is to \"{}\"", policy.name)),
        );
    }
    let (policies, assignments) = (policies.len(), policies.assignments());
    let verdict = format!("good: {policies} policies, {assignments} assignments, {} warnings", warnings.len());
    warnings.into_iter().map(|warning| format!("{WARNING}{warning}")).chain([verdict]).collect()
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
