//! `playlock check`: validates a configuration and warns about likely mistakes.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use playlock_config::sealed;
use playlock_core::policy::{Idle, Policies};
use serde_json::json;

use crate::config::{self, Loaded, counted};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::envoy::{self, File, Filter, Running};
use crate::failure::Failure;
use crate::time::Moment;

/// Validate a configuration and warn about likely mistakes.
///
/// All errors of the configuration are printed, each with the JSON path of the faulty value. Warnings go to standard output, one per line, and do not change the
/// exit status unless --deny-warnings is given. Exit status 2 if a file cannot be used; 1 if Envoy's configuration
/// (--envoy) undoes the protection, or a warning is denied.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock check --config policies.json
  playlock check --envoy envoy.yaml --deny-warnings
  playlock check --envoy envoy.yaml --envoy ecds.yaml
  playlock check --config policies.json --envoy envoy.yaml --json")]
pub struct Check {
    /// Configuration of the filter. Secrets given as {"env": NAME} need not be set here.
    #[arg(long, value_name = "FILE", required_unless_present = "envoy")]
    config: Option<PathBuf>,
    /// Envoy's configuration, in YAML or JSON: check that playlock runs safely in it and that no route bypasses it. May
    /// be repeated, for files that discovery reads (ECDS, RDS). Without --config, the filter's configuration is read from
    /// these files.
    #[arg(long, value_name = "FILE")]
    envoy: Vec<PathBuf>,
    /// Exit with status 1 if there is a warning.
    #[arg(long)]
    deny_warnings: bool,
    /// Time to use instead of now: seconds since 1970, 2026-12-24T18:00:00Z, +1h or -5m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    now: Option<Moment>,
    /// Print errors and warnings as JSON.
    #[arg(long)]
    json: bool,
}

/// Writes the findings to `output`.
///
/// # Errors
/// A file that cannot be used; an error in Envoy's configuration; a denied warning.
pub fn run(arguments: &Check, output: &mut dyn Write) -> Result<(), Failure> {
    let mut diagnostics = Diagnostics::default();
    let mut checked = check(arguments, &mut diagnostics);
    let warnings = diagnostics.of(Severity::Warning);
    if checked.is_ok() && arguments.deny_warnings && !warnings.is_empty() {
        let count = counted(warnings.len(), "warning", "warnings");
        checked = Err(Failure::Negative(format!("{count}, expected none (--deny-warnings)")));
    }
    if arguments.json {
        let errors = match &checked {
            Ok(()) => Vec::new(),
            Err(Failure::Invalid(errors)) => errors.clone(),
            Err(failure) => vec![failure.to_string()],
        };
        config::write_json(output, &json!({"good": checked.is_ok(), "errors": errors, "warnings": warnings}))?;
        return checked.map_err(|failure| Failure::Reported(failure.status()));
    }
    for Diagnostic { severity, text } in diagnostics.all() {
        let written = match severity {
            // Errors are the message of the failure.
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

/// Checks every playlock filter in Envoy's configuration, and the configuration around it. The filters run on `own`, or
/// on their configuration in the files.
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
                    // The configuration of a filter from discovery is reported once, for the file that has it.
                    if filter.configuration().is_some() {
                        report(&here, now, false, diagnostics);
                    }
                    &here
                }
                (None, None) => {
                    return Err(Failure::Wrong(format!(
                        "{}: {}: the filter's configuration is in another file; expected that file as a further --envoy, or --config",
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
            diagnostics.add(Severity::Summary, "good: Envoy's configuration around the filter".to_owned());
            Ok(())
        }
        (true, true) => Err(Failure::Wrong(format!("{names}: no playlock filter in any http_filters; expected one"))),
        (false, _) => Err(Failure::Negative(format!("{names}: {}", errors.join("\n  ")))),
    }
}

/// The filter that has the configuration: itself, or the one that discovery finds under its name.
fn configured_filter<'f, 'a>(filter: &'f Filter<'a>, all: &'f [Filter<'a>]) -> Option<&'f Filter<'a>> {
    let by_name = |other: &&Filter<'_>| other.chain.is_none() && other.name() == filter.name();
    let mut sources = [filter].into_iter().chain(all.iter().filter(by_name));
    sources.find(|filter| filter.configuration().is_some())
}

/// Adds the warnings and the summary of a valid configuration. `alone`: Envoy's configuration is not known.
fn report(loaded: &Loaded, now: u64, alone: bool, diagnostics: &mut Diagnostics) {
    let Loaded { policies, unknown, .. } = loaded;
    let mut warnings = loaded.warnings.clone();
    for name in unknown {
        let unchecked = if name == sealed::KEY { "the secrets sealed under it were" } else { "its value was" };
        warnings.push(format!("the environment variable {name} is not set here, so {unchecked} not checked"));
    }
    let read: Vec<&str> = policies.geo_headers_read().collect();
    if alone && !read.is_empty() {
        warnings.push(format!(
            "geoHeaders: policies read {}, which only Envoy may set; expected a filter that removes clients' own copies before the geoip filter (envoy/geoip.yaml; --envoy checks this)",
            read.join(", ")
        ));
    }
    warnings.extend(idle_assignments(policies, now));
    if !policies.route_policy {
        let unassigned = policies.unassigned();
        warnings.extend(
            unassigned.map(|(index, policy)| {
                format!("policies[{index}]: no assignment names the policy \"{}\"", policy.name)
            }),
        );
        warnings.extend(policies.unassigned_viewer_urls().map(|(index, url)| {
            format!(
                "policies[{index}].mediaEncryption.speke.viewerUrl: no assignment puts paths below \"{}/\" under this policy, so that viewers get no keys there; expected the policy assigned to them",
                url.directory()
            )
        }));
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

/// Warnings about assignments that do not apply at any time from `now` on.
fn idle_assignments(policies: &Policies, now: u64) -> impl Iterator<Item = String> {
    policies.idle_assignments(now).map(|(index, idle_assignments)| match idle_assignments {
        Idle::Past => format!("assignments[{index}].endTime: has passed, so the assignment no longer applies"),
        Idle::Overruled => format!(
            "assignments[{index}]: never applies: another assignment of the same host and path, which starts later, takes precedence all the time"
        ),
    })
}
