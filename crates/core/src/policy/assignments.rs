//! Which policy holds for a host and path: compiled once. A look-up takes a search by host, one by path for each `/` in
//! the longest assigned path (however many the request has), and one by time; each is logarithmic in what is assigned.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::policy::Policy;
use super::timeline::{Timeline, Window};
use crate::config::ConfigError;
use crate::config::document;
use crate::config::time;
use crate::ranges::Ranges;
use crate::target;

/// Prefix of a path, without its final `/` → what is assigned there.
type Prefixes = BTreeMap<String, Timeline>;

/// Stands for every host where none is named.
const ANY_HOST: &str = "";

/// The compiled assignments and the policies' other names.
#[derive(Debug)]
pub struct Assignments {
    any_host: Prefixes,
    hosts: BTreeMap<String, Prefixes>,
    /// How many `/` the longest prefix has.
    depth: usize,
    /// When each policy is assigned anywhere, by its number.
    assigned: Vec<Ranges<u64>>,
    /// When the first assignment with a start begins, likewise.
    starts: Vec<Option<u64>>,
    /// When each assignment ends.
    ends: Vec<u64>,
    names: BTreeMap<String, usize>,
    key_paths: BTreeSet<String>,
}

/// Why an assignment never comes to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// Its end has passed.
    Past,
    /// As long as it is open, another to the same host and path wins, which began later.
    Overruled,
}

impl Assignments {
    /// Compiles a document's assignments to `policies`.
    ///
    /// # Errors
    /// An assignment to an unknown policy, a path that is no pattern, a place that is assigned twice from the same time
    /// on, or a time that is none.
    pub fn build(
        assignments: &[document::Assignment],
        policies: &[Policy],
        names: BTreeMap<String, usize>,
        ids: &BTreeMap<u64, usize>,
    ) -> Result<Self, ConfigError> {
        let mut hosts: BTreeMap<String, Prefixes> = BTreeMap::new();
        let mut times = alloc::vec![Vec::new(); policies.len()];
        let mut starts: Vec<Option<u64>> = alloc::vec![None; policies.len()];
        let mut ends = Vec::with_capacity(assignments.len());
        let mut depth = 0;
        for (index, assignment) in assignments.iter().enumerate() {
            let at = |member: &str| format!("assignments[{index}].{member}");
            let policy = policy_of(assignment, &names, ids, &at)?;
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
            depth = depth.max(prefix.matches('/').count());
            let timeline = hosts.entry(host(assignment, &at)?).or_default().entry(prefix.into()).or_default();
            timeline.add(Window { start, end, policy, assignment: index });
            if let Some(times) = times.get_mut(policy) {
                times.push((start, end - 1));
            }
            if let Some(first) = starts.get_mut(policy).filter(|_| start > 0) {
                *first = Some(first.map_or(start, |first| first.min(start)));
            }
            ends.push(end);
        }
        for timeline in hosts.values_mut().flat_map(BTreeMap::values_mut) {
            timeline.compile().map_err(|index| {
                let path = assignments.get(index).map(|assignment| assignment.path.as_str()).unwrap_or_default();
                ConfigError::new(
                    format!("assignments[{index}].path"),
                    format!("\"{path}\" is assigned twice from the same time on"),
                )
            })?;
        }
        let any_host = hosts.remove(ANY_HOST).unwrap_or_default();
        let key_paths =
            policies.iter().filter_map(|policy| Some(policy.encryption.as_ref()?.key_path()?.into())).collect();
        let assigned = times.into_iter().map(Ranges::build).collect();
        Ok(Self { any_host, hosts, depth, assigned, starts, ends, names, key_paths })
    }

    /// What holds at `now` for a normalised path: an assignment to its host before one to any, then the longest path,
    /// then the one that started last. The policy's number, and the assignment's path without its final `/`.
    pub fn find<'p>(&self, authority: &str, path: &'p str, now: u64) -> Option<(usize, &'p str)> {
        let host = authority
            .rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
            .map_or(authority, |(host, _)| host);
        // The root's dot (RFC 1034 section 3.1) makes no other host.
        let host = host.strip_suffix('.').unwrap_or(host);
        let of_host = if self.hosts.is_empty() { None } else { self.hosts.get(&host.to_ascii_lowercase()) };
        // Nothing is assigned deeper than that.
        let deeper = path.match_indices('/').nth(self.depth).and_then(|(at, _)| path.get(..at));
        let path = deeper.unwrap_or(path);
        of_host.and_then(|prefixes| longest(prefixes, path, now)).or_else(|| longest(&self.any_host, path, now))
    }

    /// The policies that what is below a normalised `directory` could be under, on whatever host, at whatever time.
    pub fn possible<'s>(&'s self, directory: &'s str) -> impl Iterator<Item = usize> + 's {
        let nearest = move |prefixes: &'s Prefixes| {
            let mut prefix = directory;
            loop {
                match (prefixes.get(prefix), prefix.rsplit_once('/')) {
                    (Some(timeline), _) => return Some(timeline),
                    (None, Some((above, _))) => prefix = above,
                    (None, None) => return None,
                }
            }
        };
        self.hosts.values().chain([&self.any_host]).filter_map(nearest).flat_map(Timeline::policies)
    }

    /// Whether the policy is assigned anywhere at `now`.
    pub fn is_assigned(&self, policy: usize, now: u64) -> bool {
        self.assigned.get(policy).is_some_and(|times| times.contains(now))
    }

    /// When the policy's first assignment with a start begins, seconds since the epoch.
    pub fn start(&self, policy: usize) -> Option<u64> {
        self.starts.get(policy).copied().flatten()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The assignments, by their place in the document, that hold neither at `now` nor at any time after it.
    pub fn idle(&self, now: u64) -> impl Iterator<Item = (usize, Idle)> {
        let mut holding = BTreeSet::new();
        for timeline in self.hosts.values().chain([&self.any_host]).flat_map(BTreeMap::values) {
            timeline.add_holding(now, &mut holding);
        }
        let ends = self.ends.iter().enumerate().filter(move |(index, _)| !holding.contains(index));
        ends.map(move |(index, end)| (index, if *end <= now { Idle::Past } else { Idle::Overruled }))
    }

    /// Whether the policy is assigned at any time.
    pub fn is_ever_assigned(&self, policy: usize) -> bool {
        self.assigned.get(policy).is_some_and(|times| !times.is_empty())
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

/// The number of the policy that an assignment names.
fn policy_of(
    assignment: &document::Assignment,
    names: &BTreeMap<String, usize>,
    ids: &BTreeMap<u64, usize>,
    at: &dyn Fn(&str) -> String,
) -> Result<usize, ConfigError> {
    let by_name = match &assignment.policy_name {
        None => None,
        Some(name) => Some(names.get(name).copied().ok_or_else(|| {
            ConfigError::new(at("policyName"), format!("found \"{name}\", expected the name of one of the policies"))
        })?),
    };
    let by_id = match assignment.policy_id {
        None => None,
        Some(id) => Some(ids.get(&id.0).copied().ok_or_else(|| {
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

/// The host of an assignment in lower case.
fn host(assignment: &document::Assignment, at: &dyn Fn(&str) -> String) -> Result<String, ConfigError> {
    let Some(host) = &assignment.host else { return Ok(ANY_HOST.into()) };
    let name = host.strip_suffix('.').unwrap_or(host);
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    if name.is_empty() || !plain {
        return Err(ConfigError::new(at("host"), format!("found \"{host}\", expected a host name without a port")));
    }
    Ok(name.to_ascii_lowercase())
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
        if let Some(policy) = prefixes.get(prefix).and_then(|timeline| timeline.at(now)) {
            return Some((policy, prefix));
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
