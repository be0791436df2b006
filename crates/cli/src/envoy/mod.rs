//! Envoy's configuration as far as playlock's safety depends on it: how the filter is run, what stands around it, and
//! the ways that do not lead through it.

mod filter;
mod route;
mod running;
mod tree;

use std::collections::BTreeSet;

use serde_json::Value;

pub use self::filter::{Filter, filters};
pub use self::running::Running;

/// A file of Envoy's: its whole configuration, or what a discovery reads.
pub struct File {
    /// As it was named.
    pub name: String,
    /// Its contents.
    pub document: Value,
}

/// Errors, and likely mistakes.
#[derive(Debug, Default)]
pub struct Findings {
    /// Lets someone have what they may not, or never answers.
    pub errors: Vec<String>,
    /// May be meant so.
    pub warnings: Vec<String>,
}

impl Findings {
    fn error(&mut self, path: &str, text: &str) {
        add(&mut self.errors, path, text);
    }

    fn warning(&mut self, path: &str, text: &str) {
        add(&mut self.warnings, path, text);
    }
}

/// Once: routes that several listeners share by an anchor are looked at for each.
fn add(to: &mut Vec<String>, path: &str, text: &str) {
    let line = format!("{path}: {text}");
    if !to.contains(&line) {
        to.push(line);
    }
}

/// Finds the ways round `filters`, which are all that the files have, to the clusters that they protect.
pub fn ways_round(files: &[File], filters: &[Filter<'_>], protected: &BTreeSet<&str>) -> Findings {
    let mut findings = Findings::default();
    let names: BTreeSet<&str> = filters.iter().map(Filter::name).collect();
    route::ways_round(files, &names, protected, &mut findings);
    findings
}
