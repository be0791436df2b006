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
use crate::diagnostic::Diagnostics;

/// A file of Envoy's: its whole configuration, or what a discovery reads.
pub struct File {
    /// As it was named.
    pub name: String,
    /// Its contents.
    pub document: Value,
}

/// Finds the ways round `filters`, which are all that the files have, to the clusters that they protect.
pub fn bypasses(files: &[File], filters: &[Filter<'_>], protected: &BTreeSet<&str>, diagnostics: &mut Diagnostics) {
    let names: BTreeSet<&str> = filters.iter().map(Filter::name).collect();
    route::bypasses(files, &names, protected, diagnostics);
}
