//! Compiled assignments: the policy for a host, path and time. A lookup is one search by host, one by path for each `/`
//! in the longest assigned path (regardless of the depth of the request's path), and one by time. If hosts have
//! wildcards, there is at most one search more for each length that their ends have. Each search is logarithmic in the
//! number of assignments.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::index::PolicyIndex;
use super::text::{AssignedHost, text};
use super::timeline::{Term, Timeline};
use crate::bytes::ranges::Ranges;
use crate::http::target;

/// Path prefix without its final `/` → the assignments to it.
type PathTimelines = BTreeMap<String, Timeline>;

/// Key of the assignments without a host.
const ANY_HOST: &str = "";

/// The compiled assignments, and an index of the policies by name.
#[derive(Debug)]
pub struct Assignments {
    any_host: PathTimelines,
    /// By host, also by those with a `*` in front.
    hosts: BTreeMap<String, PathTimelines>,
    /// Lengths in bytes of the ends of hosts after a `*`, the longest first.
    ends: Vec<usize>,
    /// Number of `/` in the longest prefix.
    depth: usize,
    /// The times at which each policy is assigned anywhere, by policy index.
    assigned: Vec<Ranges<u64>>,
    /// Start of each policy's earliest assignment with a start, by policy index, in seconds since the epoch.
    starts: Vec<Option<u64>>,
    /// First second of each assignment, and the first second after it.
    times: Vec<(u64, u64)>,
    names: BTreeMap<String, PolicyIndex>,
}

text! {
    /// Path prefix of an assignment, without its final `/`. Matches whole path segments only. `/tst` covers everything
    /// below it, as `/tst/...` does: if it matched a single file, the rest would be unprotected.
    PathPrefix,
    "a path such as \"/vod\" or \"/vod/...\", which both cover all below",
    |text| prefix(text).map(Into::into),
    "^/[^*?]*$"
}

/// An assignment.
#[derive(Debug)]
pub struct Assigned {
    /// Host of the requests; `None` for all hosts.
    pub host: Option<AssignedHost>,
    /// Covers this path and everything below it.
    pub prefix: PathPrefix,
    /// First second, since the epoch; 0 if the assignment has no start.
    pub start: u64,
    /// First second after the assignment; always later than `start`.
    pub end: u64,
    /// Assigned policy.
    pub policy: PolicyIndex,
}

/// Position in the document of an assignment that has the same host, path and start as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twice(pub usize);

/// Reason why an assignment will not apply at any time from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// Its end has passed.
    Past,
    /// While it is in force, a later-starting assignment to the same host and path takes precedence.
    Overruled,
}

/// Reason why an assignment does not apply to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHeld {
    /// Its path does not cover the request's path.
    Path,
    /// It is for other hosts.
    Host,
    /// It has not begun.
    Early,
    /// It has ended.
    Ended,
    /// A more specific assignment applies.
    Closer,
}

impl Assignments {
    /// Compiles assignments in document order. `names` maps every policy's name to its index.
    ///
    /// # Errors
    /// The first assignment with the same host, path and start as another.
    pub fn new(assignments: Vec<Assigned>, names: BTreeMap<String, PolicyIndex>) -> Result<Self, Twice> {
        let mut hosts: BTreeMap<String, PathTimelines> = BTreeMap::new();
        let mut ends = Vec::new();
        let mut times = alloc::vec![Vec::new(); names.len()];
        let mut starts: Vec<Option<u64>> = alloc::vec![None; names.len()];
        let mut windows = Vec::with_capacity(assignments.len());
        let mut depth = 0;
        for (index, assigned) in assignments.into_iter().enumerate() {
            let Assigned { host, prefix, start, end, policy } = assigned;
            depth = depth.max(prefix.matches('/').count());
            let host = host.map_or_else(|| ANY_HOST.into(), |host| host.to_string());
            if let Some(end) = host.strip_prefix('*')
                && let Err(place) = ends.binary_search_by(|length: &usize| end.len().cmp(length))
            {
                ends.insert(place, end.len());
            }
            let timeline = hosts.entry(host).or_default().entry(prefix.to_string()).or_default();
            timeline.add(Term { start, end, policy, assignment: index });
            if let Some(times) = times.get_mut(policy.get()) {
                times.push((start, end.saturating_sub(1)));
            }
            if let Some(first) = starts.get_mut(policy.get()).filter(|_| start > 0) {
                *first = Some(first.map_or(start, |first| first.min(start)));
            }
            windows.push((start, end));
        }
        for timeline in hosts.values_mut().flat_map(BTreeMap::values_mut) {
            timeline.compile().map_err(Twice)?;
        }
        let any_host = hosts.remove(ANY_HOST).unwrap_or_default();
        let assigned = times.into_iter().map(Ranges::build).collect();
        Ok(Self { any_host, hosts, ends, depth, assigned, starts, times: windows, names })
    }

    /// Finds the policy at `now` for a normalised path. An assignment to the request's host takes precedence over one
    /// to the longest wildcard that covers it, then over shorter ones and over one to all hosts; then the longest path,
    /// then the latest start. Returns the policy index and the assignment's path without its final `/`.
    pub fn find<'p>(&self, authority: &str, path: &'p str, now: u64) -> Option<(PolicyIndex, &'p str)> {
        // No assignment has a deeper path.
        let deeper = path.match_indices('/').nth(self.depth).and_then(|(at, _)| path.get(..at));
        let path = deeper.unwrap_or(path);
        if self.hosts.is_empty() {
            return longest(&self.any_host, path, now);
        }
        let host = host_of(authority);
        let own = self.hosts.get(&host).and_then(|prefixes| longest(prefixes, path, now));
        let by_wildcard = || self.wildcards(&host).find_map(|prefixes| longest(prefixes, path, now));
        own.or_else(by_wildcard).or_else(|| longest(&self.any_host, path, now))
    }

    /// The assignments to wildcards that cover a host, those to the longest first.
    fn wildcards<'s>(&'s self, host: &'s str) -> impl Iterator<Item = &'s PathTimelines> {
        let mut wildcard = String::new();
        self.ends.iter().filter_map(move |length| {
            // The `*` stands for at least one character.
            let start = host.len().checked_sub(*length).filter(|start| *start > 0)?;
            let end = host.get(start..).filter(|end| end.starts_with(['.', '-']))?;
            wildcard.clear();
            wildcard.push('*');
            wildcard.push_str(end);
            self.hosts.get(&wildcard)
        })
    }

    /// All assignments, by host.
    fn all(&self) -> impl Iterator<Item = &PathTimelines> {
        self.hosts.values().chain([&self.any_host])
    }

    /// Policies that could apply below a normalised `directory`, on any host and at any time.
    pub fn possible<'s>(&'s self, directory: &'s str) -> impl Iterator<Item = PolicyIndex> + 's {
        let nearest = move |prefixes: &'s PathTimelines| {
            let mut prefix = directory;
            loop {
                match (prefixes.get(prefix), prefix.rsplit_once('/')) {
                    (Some(timeline), _) => return Some(timeline),
                    (None, Some((above, _))) => prefix = above,
                    (None, None) => return None,
                }
            }
        };
        self.all().filter_map(nearest).flat_map(Timeline::policies)
    }

    /// Whether the policy could apply to a path below a normalised `directory`, on any host and at any time.
    pub fn may_apply_below(&self, directory: &str, policy: PolicyIndex) -> bool {
        let is_deeper = |prefix: &str| prefix.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
        let assigned = self.hosts.values().chain([&self.any_host]).flatten();
        let deeper = assigned.filter(|(prefix, _)| is_deeper(prefix)).flat_map(|(_, timeline)| timeline.policies());
        self.possible(directory).chain(deeper).any(|possible| possible == policy)
    }

    /// Whether the policy is assigned anywhere at `now`.
    pub fn is_assigned(&self, policy: PolicyIndex, now: u64) -> bool {
        self.assigned.get(policy.get()).is_some_and(|times| times.contains(now))
    }

    /// Start of the policy's earliest assignment with a start, in seconds since the epoch.
    pub fn start(&self, policy: PolicyIndex) -> Option<u64> {
        self.starts.get(policy.get()).copied().flatten()
    }

    /// Number of assignments.
    pub fn count(&self) -> usize {
        self.times.len()
    }

    /// Assignments that apply neither at `now` nor later, by their position in the document.
    pub fn idle(&self, now: u64) -> impl Iterator<Item = (usize, Idle)> {
        let mut holding = BTreeSet::new();
        for timeline in self.all().flat_map(BTreeMap::values) {
            timeline.add_holding(now, &mut holding);
        }
        let times = self.times.iter().enumerate().filter(move |(index, _)| !holding.contains(index));
        times.map(move |(index, (_, end))| (index, if *end <= now { Idle::Past } else { Idle::Overruled }))
    }

    /// Maps each assignment's position in the document to the reason why it does not apply to this request; `None` for
    /// the one that applies.
    pub fn explain(&self, authority: &str, path: &str, now: u64) -> BTreeMap<usize, Option<NotHeld>> {
        let host = host_of(authority);
        let holding = |prefixes: &PathTimelines| {
            let (_, prefix) = longest(prefixes, path, now)?;
            prefixes.get(prefix)?.holding(now).map(|(_, assignment)| assignment)
        };
        let own = self.hosts.get(&host).and_then(holding);
        let chosen = own.or_else(|| self.wildcards(&host).find_map(holding)).or_else(|| holding(&self.any_host));
        let by_host = self.hosts.iter().map(|(named, prefixes)| {
            let beginning = named.strip_prefix('*').and_then(|end| host.strip_suffix(end));
            (*named == host || beginning.is_some_and(|beginning| !beginning.is_empty()), prefixes)
        });
        let by_path = by_host.chain([(true, &self.any_host)]).flat_map(|(same_host, prefixes)| {
            prefixes.iter().map(move |(prefix, timeline)| (same_host, prefix, timeline))
        });
        let explained = by_path.flat_map(|(same_host, prefix, timeline)| {
            let covers =
                path.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            timeline.assignments().map(move |index| (index, covers, same_host))
        });
        explained
            .map(|(index, covers, same_host)| {
                let (start, end) = self.times.get(index).copied().unwrap_or_default();
                let why = match () {
                    () if chosen == Some(index) => None,
                    () if !covers => Some(NotHeld::Path),
                    () if !same_host => Some(NotHeld::Host),
                    () if now < start => Some(NotHeld::Early),
                    () if now >= end => Some(NotHeld::Ended),
                    () => Some(NotHeld::Closer),
                };
                (index, why)
            })
            .collect()
    }

    /// Whether the policy is assigned at any time.
    pub fn is_ever_assigned(&self, policy: PolicyIndex) -> bool {
        self.assigned.get(policy.get()).is_some_and(|times| !times.is_empty())
    }

    /// Index of the policy with this name.
    pub fn by_name(&self, name: &str) -> Option<PolicyIndex> {
        self.names.get(name).copied()
    }
}

/// Host of `:authority` in lower case, without port and without the root's trailing dot (RFC 1034 section 3.1).
fn host_of(authority: &str) -> String {
    let host = authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(authority, |(host, _)| host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn longest<'p>(prefixes: &PathTimelines, path: &'p str, now: u64) -> Option<(PolicyIndex, &'p str)> {
    let mut prefix = path;
    loop {
        if let Some(policy) = prefixes.get(prefix).and_then(|timeline| timeline.at(now)) {
            return Some((policy, prefix));
        }
        prefix = prefix.rsplit_once('/')?.0;
    }
}

fn prefix(pattern: &str) -> Option<&str> {
    let prefix = pattern.strip_suffix("/...").or_else(|| pattern.strip_suffix('/')).unwrap_or(pattern);
    let normal = prefix.is_empty() || matches!(target::normal_path(prefix).as_deref(), Ok(path) if path == prefix);
    (pattern.starts_with('/') && normal && !prefix.contains(['*', '?']) && !prefix.contains("...")).then_some(prefix)
}
