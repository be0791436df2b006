//! `playlock check`: whether a configuration is good, and what in it is hardly meant so.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use playlock_core::config::{Idle, Policies};
use serde_json::json;

use crate::config::{self, Loaded, counted};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::envoy::{self, File, Filter, Running};
use crate::failure::Failure;
use crate::time::Moment;

/// Validate a configuration, and warn of likely mistakes.
///
/// Errors name the path of what is wrong. Exit status 2 if a file cannot be used; 1 if --envoy finds what would undo the
/// protection, or --deny-warnings a warning. Warnings are written to standard output, one a line, and do not change the
/// exit status by themselves.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock check --config policies.json
  playlock check --envoy envoy.yaml --deny-warnings
  playlock check --envoy envoy.yaml --envoy ecds.yaml
  playlock check --config policies.json --envoy envoy.yaml --json")]
pub struct Check {
    /// The configuration, as Envoy gets it; secrets given as {"env": NAME} need not be set here.
    #[arg(long, value_name = "FILE", required_unless_present = "envoy")]
    config: Option<PathBuf>,
    /// Envoy's configuration, in YAML or JSON: whether playlock runs safely in it, and whether there is a way round it. May
    /// be given several times: what discovery reads (ECDS, RDS) belongs to it. Without --config, the configuration is the
    /// one in it.
    #[arg(long, value_name = "FILE")]
    envoy: Vec<PathBuf>,
    /// End with exit status 1 if there is a warning.
    #[arg(long)]
    deny_warnings: bool,
    /// The time, if it is not now: seconds since 1970, 2026-12-24T18:00:00Z, +1h or -5m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    now: Option<Moment>,
    /// Print errors and warnings as JSON.
    #[arg(long)]
    json: bool,
}

/// Writes the findings to `output`.
///
/// # Errors
/// What is wrong with it.
pub fn run(arguments: &Check, output: &mut dyn Write) -> Result<(), Failure> {
    let mut diagnostics = Diagnostics::default();
    let mut checked = check(arguments, &mut diagnostics);
    let warnings = diagnostics.of(Severity::Warning);
    if checked.is_ok() && arguments.deny_warnings && !warnings.is_empty() {
        let count = counted(warnings.len(), "warning", "warnings");
        checked = Err(Failure::Negative(format!("{count}, expected none (--deny-warnings)")));
    }
    if arguments.json {
        let errors: Vec<String> = checked.as_ref().err().map(ToString::to_string).into_iter().collect();
        config::write_json(output, &json!({"good": checked.is_ok(), "errors": errors, "warnings": warnings}))?;
        return checked.map_err(|failure| Failure::Reported(failure.status()));
    }
    for Diagnostic { severity, text } in diagnostics.all() {
        let written = match severity {
            // They are the failure.
            Severity::Error => Ok(()),
            Severity::Warning => writeln!(output, "warning: {text}"),
            Severity::Summary => writeln!(output, "{text}"),
        };
        written.map_err(config::output_failure)?;
    }
    checked
}

fn check(arguments: &Check, diagnostics: &mut Diagnostics) -> Result<(), Failure> {
    let now = Moment::or_now(arguments.now);
    let own = arguments.config.as_deref().map(config::load_elsewhere).transpose()?;
    if let Some(loaded) = &own {
        report(loaded, now, arguments.envoy.is_empty(), diagnostics);
    }
    let files: Vec<File> = arguments.envoy.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    if files.is_empty() { Ok(()) } else { check_envoy(&files, own.as_ref(), now, diagnostics) }
}

fn read(path: &Path) -> Result<File, Failure> {
    let failure = |what: &dyn Display| Failure::Wrong(format!("{}: {what}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| failure(&error))?;
    let document = serde_saphyr::from_str(&text).map_err(|error| failure(&error))?;
    Ok(File { name: path.display().to_string(), document })
}

/// Judges every filter of playlock's in Envoy's configuration, under `own` or else what is configured there, and what is
/// around it.
fn check_envoy(files: &[File], own: Option<&Loaded>, now: u64, diagnostics: &mut Diagnostics) -> Result<(), Failure> {
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let names = names.join(", ");
    let by_file: Vec<(&File, Vec<Filter<'_>>)> = files.iter().map(|file| (file, envoy::filters(file))).collect();
    let all: Vec<Filter<'_>> = by_file.iter().flat_map(|(_, filters)| filters.clone()).collect();
    let mut protected = BTreeSet::new();
    for (file, filters) in &by_file {
        for filter in filters {
            let configured_filter = configured_filter(filter, &all);
            let here;
            let loaded = match (own, configured_filter) {
                (Some(own), _) => own,
                (None, Some(configured_filter)) => {
                    let text = configured_filter.configuration().unwrap_or_default();
                    let place = format!("{}: {}", file.name, configured_filter.entry.path);
                    here =
                        config::parse_elsewhere(&place, text, &configured_filter.key_values().into_iter().collect())?;
                    // A filter that discovery finds is checked in its own file.
                    if filter.configuration().is_some() {
                        report(&here, now, false, diagnostics);
                    }
                    &here
                }
                (None, None) => {
                    return Err(Failure::Wrong(format!(
                        "{}: {}: is configured elsewhere, expected its file as a further --envoy, or --config",
                        file.name, filter.entry.path
                    )));
                }
            };
            let running = Running::new(loaded, now);
            filter.check(&running, files, diagnostics);
            protected.extend(filter.protected(&running, files));
        }
    }
    envoy::bypasses(files, &all, &protected, diagnostics);
    let errors = diagnostics.of(Severity::Error);
    match (errors.is_empty(), all.is_empty()) {
        (true, false) => {
            diagnostics.add(Severity::Summary, "good: the filters around it".to_owned());
            Ok(())
        }
        (true, true) => Err(Failure::Wrong(format!("{names}: no http_filters with playlock in it"))),
        (false, _) => Err(Failure::Negative(format!("{names}: {}", errors.join("\n  ")))),
    }
}

/// Where a filter's configuration stands: in itself, or in the one that discovery finds under its name.
fn configured_filter<'f, 'a>(filter: &'f Filter<'a>, all: &'f [Filter<'a>]) -> Option<&'f Filter<'a>> {
    let by_name = |other: &&Filter<'_>| other.chain.is_none() && other.name() == filter.name();
    let mut sources = [filter].into_iter().chain(all.iter().filter(by_name));
    sources.find(|filter| filter.configuration().is_some())
}

/// Says what there is of a good configuration; `alone`: nothing else is known of the proxy.
fn report(loaded: &Loaded, now: u64, alone: bool, diagnostics: &mut Diagnostics) {
    let Loaded { policies, unknown, .. } = loaded;
    let mut warnings = loaded.warnings.clone();
    for name in unknown {
        warnings.push(format!("the environment variable {name} is not set here, so its value was not looked at"));
    }
    let read: Vec<&str> = policies.geo_headers_read().collect();
    if alone && !read.is_empty() {
        warnings.push(format!(
            "geoHeaders: policies read {}, which only Envoy may set: let it remove clients' own copies before its geoip filter (envoy/geoip.yaml; --envoy looks)",
            read.join(", ")
        ));
    }
    warnings.extend(idle_assignments(policies, now));
    if !policies.route_policy {
        let unassigned = policies.unassigned();
        warnings.extend(
            unassigned.map(|(index, policy)| format!("policies[{index}]: no assignment is to \"{}\"", policy.name)),
        );
    }
    let verdict = format!(
        "good: {}, {}, {}",
        counted(policies.len(), "policy", "policies"),
        counted(policies.assignments(), "assignment", "assignments"),
        counted(warnings.len(), "warning", "warnings")
    );
    for warning in warnings {
        diagnostics.add(Severity::Warning, warning);
    }
    diagnostics.add(Severity::Summary, verdict);
}

/// Assignments that never come to hold.
fn idle_assignments(policies: &Policies, now: u64) -> impl Iterator<Item = String> {
    policies.idle_assignments(now).map(|(index, idle_assignments)| match idle_assignments {
        Idle::Past => format!("assignments[{index}].endTime: is past, so the assignment never holds again"),
        Idle::Overruled => format!(
            "assignments[{index}]: never holds: as long as it could, one to the same host and path wins, which began later"
        ),
    })
}
