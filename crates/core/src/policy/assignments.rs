//! Which policy holds for a host and path: compiled once. A look-up takes a search by host, one by path for each `/` in
//! the longest assigned path (however many the request has), and one by time; each is logarithmic in what is assigned.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::index::PolicyIndex;
use super::text::{Host, text};
use super::timeline::{Term, Timeline};
use crate::bytes::ranges::Ranges;
use crate::http::target;

/// Prefix of a path, without its final `/` → what is assigned there.
type PathTimelines = BTreeMap<String, Timeline>;

/// Stands for every host where none is named.
const ANY_HOST: &str = "";

/// The compiled assignments and the policies' other names.
#[derive(Debug)]
pub struct Assignments {
    any_host: PathTimelines,
    hosts: BTreeMap<String, PathTimelines>,
    /// How many `/` the longest prefix has.
    depth: usize,
    /// When each policy is assigned anywhere, by its number.
    assigned: Vec<Ranges<u64>>,
    /// When the first assignment with a start begins, likewise.
    starts: Vec<Option<u64>>,
    /// The first second of each assignment and the first one after it.
    times: Vec<(u64, u64)>,
    names: BTreeMap<String, PolicyIndex>,
}

text! {
    /// The part of an assignment's path that a request's path must begin with, whole segments only, without its final `/`.
    /// `/tst` covers what lies below it as `/tst/...` does: read as one file it would leave the rest unprotected.
    PathPrefix,
    "a path such as \"/vod\" or \"/vod/...\", which both cover all below",
    |text| prefix(text).map(Into::into),
    "^/[^*?]*$"
}

/// An assignment.
#[derive(Debug)]
pub struct Assigned {
    /// To this host; `None`: to every one.
    pub host: Option<Host>,
    /// To this path and what is below it.
    pub prefix: PathPrefix,
    /// From this second on, since the epoch; 0: always.
    pub start: u64,
    /// The first second after it, later than its start.
    pub end: u64,
    /// The policy that holds.
    pub policy: PolicyIndex,
}

/// The place in the document of an assignment to the same host and path, from the same time on, as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twice(pub usize);

/// Why an assignment never comes to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// Its end has passed.
    Past,
    /// As long as it is open, another to the same host and path wins, which began later.
    Overruled,
}

/// Why an assignment does not hold for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHeld {
    /// Its path does not cover the request's.
    Path,
    /// It is to another host.
    Host,
    /// It has not begun.
    Early,
    /// It has ended.
    Ended,
    /// Another one that holds is closer.
    Closer,
}

impl Assignments {
    /// Compiles assignments to policies, in their order in the document; `names` has every policy's.
    ///
    /// # Errors
    /// The first that is to the same host and path, from the same time on, as another.
    pub fn new(assignments: Vec<Assigned>, names: BTreeMap<String, PolicyIndex>) -> Result<Self, Twice> {
        let mut hosts: BTreeMap<String, PathTimelines> = BTreeMap::new();
        let mut times = alloc::vec![Vec::new(); names.len()];
        let mut starts: Vec<Option<u64>> = alloc::vec![None; names.len()];
        let mut windows = Vec::with_capacity(assignments.len());
        let mut depth = 0;
        for (index, assigned) in assignments.into_iter().enumerate() {
            let Assigned { host, prefix, start, end, policy } = assigned;
            depth = depth.max(prefix.matches('/').count());
            let host = host.map_or_else(|| ANY_HOST.into(), |host| host.to_string());
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
        Ok(Self { any_host, hosts, depth, assigned, starts, times: windows, names })
    }

    /// What holds at `now` for a normalised path: an assignment to its host before one to any, then the longest path,
    /// then the one that started last. The policy's number, and the assignment's path without its final `/`.
    pub fn find<'p>(&self, authority: &str, path: &'p str, now: u64) -> Option<(PolicyIndex, &'p str)> {
        let of_host = if self.hosts.is_empty() { None } else { self.hosts.get(&host_of(authority)) };
        // Nothing is assigned deeper than that.
        let deeper = path.match_indices('/').nth(self.depth).and_then(|(at, _)| path.get(..at));
        let path = deeper.unwrap_or(path);
        of_host.and_then(|prefixes| longest(prefixes, path, now)).or_else(|| longest(&self.any_host, path, now))
    }

    /// The policies that what is below a normalised `directory` could be under, on whatever host, at whatever time.
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
        self.hosts.values().chain([&self.any_host]).filter_map(nearest).flat_map(Timeline::policies)
    }

    /// Whether the policy is assigned anywhere at `now`.
    pub fn is_assigned(&self, policy: PolicyIndex, now: u64) -> bool {
        self.assigned.get(policy.get()).is_some_and(|times| times.contains(now))
    }

    /// When the policy's first assignment with a start begins, seconds since the epoch.
    pub fn start(&self, policy: PolicyIndex) -> Option<u64> {
        self.starts.get(policy.get()).copied().flatten()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.times.len()
    }

    /// The assignments, by their place in the document, that hold neither at `now` nor at any time after it.
    pub fn idle(&self, now: u64) -> impl Iterator<Item = (usize, Idle)> {
        let mut holding = BTreeSet::new();
        for timeline in self.hosts.values().chain([&self.any_host]).flat_map(BTreeMap::values) {
            timeline.add_holding(now, &mut holding);
        }
        let times = self.times.iter().enumerate().filter(move |(index, _)| !holding.contains(index));
        times.map(move |(index, (_, end))| (index, if *end <= now { Idle::Past } else { Idle::Overruled }))
    }

    /// Every assignment by its place in the document, and why it does not hold for this request; `None` for the one that does.
    pub fn explain(&self, authority: &str, path: &str, now: u64) -> BTreeMap<usize, Option<NotHeld>> {
        let host = host_of(authority);
        let holding = |prefixes: &PathTimelines| {
            let (_, prefix) = longest(prefixes, path, now)?;
            prefixes.get(prefix)?.holding(now).map(|(_, assignment)| assignment)
        };
        let chosen = self.hosts.get(&host).and_then(holding).or_else(|| holding(&self.any_host));
        let by_host = self.hosts.iter().map(|(named, prefixes)| (*named == host, prefixes));
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

    /// The number of the policy of that name.
    pub fn by_name(&self, name: &str) -> Option<PolicyIndex> {
        self.names.get(name).copied()
    }
}

/// The host of `:authority` in lower case, without port. The root's dot (RFC 1034 section 3.1) makes no other host.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn every_assignment_is_explained() {
        let document = r#"{"policies": [{"policyName": "a"}, {"policyName": "b"}, {"policyName": "c"}], "assignments": [
            {"policyName": "a", "path": "/..."},
            {"policyName": "b", "path": "/vod", "host": "tv.example"},
            {"policyName": "b", "path": "/vod", "host": "other.example"},
            {"policyName": "c", "path": "/live/..."},
            {"policyName": "c", "path": "/vod/a", "startTime": "1970-01-02"},
            {"policyName": "c", "path": "/vod/b", "endTime": "1970-01-01T00:00:10Z"}]}"#;
        let (policies, _) = parse(document.as_bytes(), &|_| None).unwrap();
        let explained =
            |authority, path| policies.explain_assignments(authority, path, 60).into_values().collect::<Vec<_>>();
        use NotHeld::{Closer, Early, Ended, Host, Path};
        let (early, host, path) = (Some(Early), Some(Host), Some(Path));
        let closer = Some(Closer);
        assert_eq!(explained("TV.example.:8443", "/vod/a/b.ts"), [closer, None, host, path, early, path]);
        assert_eq!(explained("tv.example", "/vod/b/b.ts"), [closer, None, host, path, path, Some(Ended)]);
        assert_eq!(explained("h", "/vod/a"), [None, host, host, path, early, path]);
        assert_eq!(explained("tv.example", "/vodka"), [None, path, path, path, path, path]);
    }
}
