//! Which policy holds for a host and path: compiled once, looked up in steps of the path's depth, however many
//! assignments there are.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::ConfigError;
use super::document;
use super::policy::Policy;
use super::time;
use crate::target;

/// Prefix of a path, without its final `/` → what is assigned there, the one that starts last first.
type Prefixes = BTreeMap<String, Vec<Window>>;

/// A policy and when it holds.
#[derive(Debug, Clone, Copy)]
struct Window {
    policy: usize,
    /// Seconds since the epoch; 0: always.
    start: u64,
    /// The first second after it.
    end: u64,
}

impl Window {
    fn is_open(&self, now: u64) -> bool {
        (self.start..self.end).contains(&now)
    }
}

/// The compiled assignments and the policies' other names.
#[derive(Debug)]
pub struct Assignments {
    any_host: Prefixes,
    hosts: BTreeMap<String, Prefixes>,
    /// By the policy's number.
    of_policy: Vec<Vec<Window>>,
    names: BTreeMap<String, usize>,
    key_paths: BTreeSet<String>,
}

impl Assignments {
    /// Compiles a document's assignments to `policies`.
    ///
    /// # Errors
    /// An assignment to an unknown policy, a path that is no pattern, a place that is assigned twice from the same time
    /// on, or a time that is none.
    pub fn build(assignments: &[document::Assignment], policies: &[Policy]) -> Result<Self, ConfigError> {
        let names: BTreeMap<_, _> = policies.iter().enumerate().map(|(i, policy)| (policy.name.clone(), i)).collect();
        let key_paths =
            policies.iter().filter_map(|policy| Some(policy.encryption.as_ref()?.key_path()?.into())).collect();
        let of_policy = alloc::vec![Vec::new(); policies.len()];
        let mut compiled = Self { any_host: Prefixes::new(), hosts: BTreeMap::new(), of_policy, names, key_paths };
        for (index, assignment) in assignments.iter().enumerate() {
            let at = |member: &str| format!("assignments[{index}].{member}");
            let policy = compiled.policy_of(assignment, policies, &at)?;
            let start = instant(assignment.start_time.as_deref(), 0, &|| at("startTime"))?;
            let end = instant(assignment.end_time.as_deref(), u64::MAX, &|| at("endTime"))?;
            if end <= start {
                return Err(ConfigError::new(at("endTime"), "is not after startTime: the assignment would never hold"));
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
            let windows = prefixes.entry(prefix.into()).or_default();
            let place = windows.partition_point(|window| window.start > start);
            if windows.get(place).is_some_and(|window| window.start == start) {
                return Err(ConfigError::new(
                    at("path"),
                    format!("\"{}\" is assigned twice from the same time on", assignment.path),
                ));
            }
            let window = Window { policy, start, end };
            windows.insert(place, window);
            if let Some(windows) = compiled.of_policy.get_mut(policy) {
                windows.push(window);
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

    /// What holds at `now` for a normalised path: an assignment to its host before one to any, then the longest path,
    /// then the one that started last. The policy's number, and the assignment's path without its final `/`.
    pub fn find<'p>(&self, authority: &str, path: &'p str, now: u64) -> Option<(usize, &'p str)> {
        let host = authority
            .rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
            .map_or(authority, |(host, _)| host);
        let of_host = if self.hosts.is_empty() { None } else { self.hosts.get(&host.to_ascii_lowercase()) };
        of_host.and_then(|prefixes| longest(prefixes, path, now)).or_else(|| longest(&self.any_host, path, now))
    }

    /// The policies that what is below a normalised `directory` could be under, on whatever host, at whatever time.
    pub fn possible(&self, directory: &str) -> impl Iterator<Item = usize> {
        let windows = |prefixes: &Prefixes| {
            let mut prefix = directory;
            loop {
                match (prefixes.get(prefix), prefix.rsplit_once('/')) {
                    (Some(windows), _) => return windows.clone(),
                    (None, Some((above, _))) => prefix = above,
                    (None, None) => return Vec::new(),
                }
            }
        };
        let found: Vec<_> = self.hosts.values().chain([&self.any_host]).flat_map(windows).collect();
        found.into_iter().map(|window| window.policy)
    }

    /// Whether the policy is assigned anywhere at `now`.
    pub fn is_assigned(&self, policy: usize, now: u64) -> bool {
        self.of_policy.get(policy).is_some_and(|windows| windows.iter().any(|window| window.is_open(now)))
    }

    /// When the policy's first assignment with a start begins, seconds since the epoch.
    pub fn start(&self, policy: usize) -> Option<u64> {
        self.of_policy.get(policy)?.iter().map(|window| window.start).filter(|start| *start > 0).min()
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

/// A time, or `any` for `*`.
fn instant(text: Option<&str>, any: u64, at: &dyn Fn() -> String) -> Result<u64, ConfigError> {
    match text {
        None | Some("*") => Ok(any),
        Some(text) => time::parse(text).ok_or_else(|| {
            ConfigError::new(
                at(),
                format!("found \"{text}\", expected \"*\" or a time such as \"2018-01-05T11:00:00Z\""),
            )
        }),
    }
}

fn longest<'p>(prefixes: &Prefixes, path: &'p str, now: u64) -> Option<(usize, &'p str)> {
    let mut prefix = path;
    loop {
        if let Some(window) = prefixes.get(prefix).and_then(|windows| windows.iter().find(|it| it.is_open(now))) {
            return Some((window.policy, prefix));
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
