//! Checks of Envoy's configuration: how the filter runs, the filters and routes around it, and routes that bypass it.

mod chain;
mod entry;
mod file;
mod filter;
mod path_tokens;
mod route;
mod running;
mod target;
mod tree;

use std::collections::BTreeSet;

pub use self::file::File;
pub use self::filter::{Filter, filters};
pub use self::running::Running;
use crate::diagnostic::Diagnostics;

/// Finds the routes to `protected` clusters that bypass `filters`, which are all playlock filters of the files.
pub fn bypasses(files: &[File], filters: &[Filter<'_>], protected: &BTreeSet<&str>, diagnostics: &mut Diagnostics) {
    let names: BTreeSet<&str> = filters.iter().map(Filter::name).collect();
    route::bypasses(files, &names, protected, diagnostics);
}
