//! Reader of `assignments`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::text::{text, wrong};
use crate::document;
use crate::error::{ConfigError, Errors};
use crate::time;
use playlock_core::policy::assignments::{Assigned, Assignments};
use playlock_core::policy::index::PolicyIndex;

/// Index of a document's policies by name and id, for its assignments.
#[derive(Debug, Default)]
pub struct Names {
    /// Policies by `policyName`.
    pub names: BTreeMap<String, PolicyIndex>,
    /// Policies that derive keys, by the name that they derive them from.
    pub keys: BTreeMap<String, PolicyIndex>,
    /// Policies by `policyId`.
    pub ids: BTreeMap<u64, PolicyIndex>,
}

/// Reads and compiles the assignments, which take the policies' names.
///
/// # Errors
/// An assignment with an unknown policy, an invalid host, path or time, or the same host, path and start as another.
pub fn read(assignments: &[document::Assignment], names: &mut Names) -> Result<Assignments, ConfigError> {
    let mut assigned = Vec::with_capacity(assignments.len());
    for (index, assignment) in assignments.iter().enumerate() {
        let mut errors = Errors::default();
        let Some(read) = read_one(index, assignment, names, &mut errors) else {
            return Err(errors.first(&format!("assignments[{index}]")));
        };
        assigned.push(read);
    }
    Assignments::new(assigned, core::mem::take(&mut names.names)).map_err(|twice| {
        let path = assignments.get(twice.0).map(|assignment| assignment.path.as_str()).unwrap_or_default();
        ConfigError::new(
            format!("assignments[{}].path", twice.0),
            format!("\"{path}\" is assigned twice from the same time on"),
        )
    })
}

/// Reads the assignment at the position `index`; `None` if it has errors.
pub fn read_one(
    index: usize,
    assignment: &document::Assignment,
    names: &Names,
    errors: &mut Errors,
) -> Option<Assigned> {
    let at = |member: &str| format!("assignments[{index}].{member}");
    let policy = errors.keep(policy_of(assignment, names, &at));
    let prefix = errors.keep(text(&at("path"), &assignment.path));
    let host = assignment.host.as_deref().map(|host| text(&at("host"), host)).transpose();
    let host = errors.keep(host);
    let start = errors.keep(instant(assignment.start_time.as_deref(), 0, &|| at("startTime")));
    let end = errors.keep(instant(assignment.end_time.as_deref(), u64::MAX, &|| at("endTime")));
    let (start, end) = (start?, end?);
    if end <= start {
        let message = "is not after startTime: the assignment would never hold";
        errors.0.push(ConfigError::new(at("endTime"), message));
        return None;
    }
    Some(Assigned { prefix: prefix?, host: host?, start, end, policy: policy? })
}

/// Finds the policy that an assignment names.
fn policy_of(
    assignment: &document::Assignment,
    names: &Names,
    at: &dyn Fn(&str) -> String,
) -> Result<PolicyIndex, ConfigError> {
    let by_name = match &assignment.policy_name {
        None => None,
        Some(name) => Some(names.names.get(name).copied().ok_or_else(|| {
            ConfigError::new(at("policyName"), format!("found \"{name}\", expected the name of one of the policies"))
        })?),
    };
    let by_id = match assignment.policy_id {
        None => None,
        Some(id) => Some(names.ids.get(&id.0).copied().ok_or_else(|| {
            ConfigError::new(at("policyId"), format!("found {}, expected the number of one of the policies", id.0))
        })?),
    };
    match (by_name, by_id) {
        (Some(name), Some(id)) if name != id => {
            Err(ConfigError::new(at("policyId"), "names another policy than policyName does"))
        }
        (Some(policy), _) | (None, Some(policy)) => Ok(policy),
        (None, None) => Err(ConfigError::new(at("policyName"), "missing, expected policyName or policyId")),
    }
}

/// Parses a time; `*` and an absent time give `any`.
fn instant(text: Option<&str>, any: u64, at: &dyn Fn() -> String) -> Result<u64, ConfigError> {
    match text {
        None | Some("*") => Ok(any),
        Some(text) => {
            time::parse(text).ok_or_else(|| wrong(&at(), text, "\"*\" or a time such as \"2018-01-05T11:00:00Z\""))
        }
    }
}
