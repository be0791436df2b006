//! Which policy holds for a host and path: compiled once, looked up in steps of the path's depth, however many
//! assignments there are.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;

use super::ConfigError;
use super::document;
use super::policy::Policy;
use crate::target;

/// Prefix of a path, without its final `/` → the number of the policy.
type Prefixes = BTreeMap<String, usize>;

/// The compiled assignments and the policies' other names.
#[derive(Debug)]
pub struct Assignments {
    any_host: Prefixes,
    hosts: BTreeMap<String, Prefixes>,
    names: BTreeMap<String, usize>,
    key_paths: BTreeSet<String>,
}

impl Assignments {
    /// Compiles a document's assignments to `policies`.
    ///
    /// # Errors
    /// An assignment to an unknown policy, a path that is no pattern, a place that is assigned twice, or a time
    /// window, which is not built yet.
    pub fn build(assignments: &[document::Assignment], policies: &[Policy]) -> Result<Self, ConfigError> {
        let names: BTreeMap<_, _> = policies.iter().enumerate().map(|(i, policy)| (policy.name.clone(), i)).collect();
        let key_paths =
            policies.iter().filter_map(|policy| Some(policy.encryption.as_ref()?.key_path.clone())).collect();
        let mut compiled = Self { any_host: Prefixes::new(), hosts: BTreeMap::new(), names, key_paths };
        for (index, assignment) in assignments.iter().enumerate() {
            let at = |member: &str| format!("assignments[{index}].{member}");
            let policy = compiled.policy_of(assignment, policies, &at)?;
            for (member, time) in [("startTime", &assignment.start_time), ("endTime", &assignment.end_time)] {
                if let Some(time) = time
                    && time != "*"
                {
                    return Err(ConfigError::new(
                        at(member),
                        format!("found \"{time}\": time windows are not built yet, expected \"*\""),
                    ));
                }
            }
            let prefix = prefix(&assignment.path).ok_or_else(|| {
                ConfigError::new(
                    at("path"),
                    format!(
                        "found \"{}\", expected a path such as \"/vod\" or \"/vod/...\", which both cover all below",
                        assignment.path
                    ),
                )
            })?;
            let prefixes = match &assignment.host {
                None => &mut compiled.any_host,
                Some(host)
                    if !host.is_empty()
                        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) =>
                {
                    compiled.hosts.entry(host.to_ascii_lowercase()).or_default()
                }
                Some(host) => {
                    return Err(ConfigError::new(
                        at("host"),
                        format!("found \"{host}\", expected a host name without a port"),
                    ));
                }
            };
            if prefixes.insert(prefix.into(), policy).is_some() {
                return Err(ConfigError::new(at("path"), format!("\"{}\" is assigned twice", assignment.path)));
            }
        }
        Ok(compiled)
    }

    fn policy_of(
        &self,
        assignment: &document::Assignment,
        policies: &[Policy],
        at: &dyn Fn(&str) -> String,
    ) -> Result<usize, ConfigError> {
        let by_name = match &assignment.policy_name {
            None => None,
            Some(name) => Some(self.by_name(name).ok_or_else(|| {
                ConfigError::new(
                    at("policyName"),
                    format!("found \"{name}\", expected the name of one of the policies"),
                )
            })?),
        };
        let by_id = match assignment.policy_id {
            None => None,
            Some(id) => Some(policies.iter().position(|policy| policy.id == Some(id)).ok_or_else(|| {
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

    /// The policy for a normalised path: an assignment to its host before one to any, then the longest path.
    pub fn find(&self, authority: &str, path: &str) -> Option<usize> {
        let host = authority
            .rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
            .map_or(authority, |(host, _)| host);
        let of_host = if self.hosts.is_empty() { None } else { self.hosts.get(&host.to_ascii_lowercase()) };
        of_host.and_then(|prefixes| longest(prefixes, path)).or_else(|| longest(&self.any_host, path))
    }

    /// The number of the policy of that name.
    pub fn by_name(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// Whether any policy serves keys at `path`.
    pub fn is_key_path(&self, path: &str) -> bool {
        self.key_paths.contains(path)
    }
}

fn longest(prefixes: &Prefixes, path: &str) -> Option<usize> {
    let mut prefix = path;
    loop {
        if let Some(policy) = prefixes.get(prefix) {
            return Some(*policy);
        }
        prefix = prefix.rsplit_once('/')?.0;
    }
}

/// The part of an assignment's path that a request's path must begin with, whole segments only. `/tst` covers
/// what lies below it as `/tst/...` does: read as one file it would leave the rest unprotected.
fn prefix(pattern: &str) -> Option<&str> {
    let prefix = pattern.strip_suffix("/...").or_else(|| pattern.strip_suffix('/')).unwrap_or(pattern);
    let normal = prefix.is_empty() || matches!(target::normal_path(prefix).as_deref(), Ok(path) if path == prefix);
    (pattern.starts_with('/') && normal && !prefix.contains(['*', '?']) && !prefix.contains("...")).then_some(prefix)
}
