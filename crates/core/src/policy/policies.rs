//! Every policy of one configuration, and which of them holds for a request.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Deserialize;

use super::assignments::{Assignments, Idle, NotHeld};
use super::index::PolicyIndex;
use super::policy::Policy;
use super::targeting::{GeoHeaders, Targeting};
use crate::http::target;

/// Every policy and assignment of one configuration document.
#[derive(Debug)]
pub struct Policies {
    policies: Vec<Policy>,
    assignments: Assignments,
    default: DefaultAction,
    key_paths: BTreeSet<String>,
    /// Hold response headers until the body's first bytes are seen.
    pub hold_headers: bool,
    /// Chunks of several streams may be encrypted together.
    pub batching: bool,
    /// The policy that the proxy's route names holds before any assignment.
    pub route_policy: bool,
    /// In which request headers the proxy says where a client is.
    pub geo_headers: GeoHeaders,
}

/// What the configuration says of a host and path.
#[derive(Debug, Clone, Copy)]
pub enum Match<'a> {
    /// This policy, by its number for [`Policies::get`].
    Policy(PolicyIndex, &'a Policy),
    /// Nothing: let it pass untouched.
    Pass,
    /// Nothing: refuse it.
    Deny,
}

/// The action for requests that no assignment covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DefaultAction {
    /// The request is refused (403 `unassigned`).
    #[default]
    Deny,
    /// The request passes unchanged.
    Pass,
}

impl Policies {
    /// The policies of a document, in its order, with what is assigned to them. Headers are not held, chunks not batched,
    /// and routes name no policy.
    pub fn new(
        policies: Vec<Policy>,
        assignments: Assignments,
        default: DefaultAction,
        geo_headers: GeoHeaders,
    ) -> Self {
        let key_paths =
            policies.iter().filter_map(|policy| Some(policy.encryption.as_ref()?.key_path()?.to_string())).collect();
        let (hold_headers, batching, route_policy) = (false, false, false);
        Self { policies, assignments, default, key_paths, hold_headers, batching, route_policy, geo_headers }
    }

    /// What holds for a normalised path on `authority` (host, perhaps with a port) at `now`.
    pub fn policy_for(&self, authority: &str, path: &str, now: u64) -> Match<'_> {
        let found = self.assignments.find(authority, path, now);
        match found.and_then(|(index, _)| self.coverage(index)) {
            Some(coverage) => coverage,
            None if self.default == DefaultAction::Pass => Match::Pass,
            None => Match::Deny,
        }
    }

    /// What holds where the proxy's route names a policy, wherever and whenever that is assigned. There is no default for a
    /// name that no policy has.
    pub fn named(&self, name: &[u8]) -> Match<'_> {
        let found = core::str::from_utf8(name).ok().and_then(|name| self.assignments.by_name(name));
        found.and_then(|index| self.coverage(index)).unwrap_or(Match::Deny)
    }

    fn coverage(&self, index: PolicyIndex) -> Option<Match<'_>> {
        let policy = self.get(index)?;
        Some(if policy.lets_all_pass() { Match::Pass } else { Match::Policy(index, policy) })
    }

    /// What holds for a path as a URL writes it; `None` if it does not normalise to one.
    pub fn policy_for_raw(&self, authority: &str, raw_path: &str, now: u64) -> Option<Match<'_>> {
        target::normal_path(raw_path).ok().map(|path| self.policy_for(authority, &path, now))
    }

    /// The directory (with its final `/`) of the stream that a normalised path belongs to: `depth` path segments below the
    /// path that its assignment names, or the deepest there is.
    pub fn stream_directory<'p>(&self, authority: &str, path: &'p str, depth: usize, now: u64) -> &'p str {
        let assigned = self.assignments.find(authority, path, now).map_or("", |(_, assigned)| assigned);
        let ends = path.match_indices('/').map(|(at, _)| at).filter(|at| *at >= assigned.len());
        let end = ends.take(depth.saturating_add(1)).last();
        // An assignment may name the playlist itself.
        end.and_then(|end| path.get(..=end)).unwrap_or(target::directory(path))
    }

    /// A policy by its number.
    pub fn get(&self, index: PolicyIndex) -> Option<&Policy> {
        self.policies.get(index.get())
    }

    /// The policy of that name, with its number, if it serves keys at `path`, and is assigned anywhere at `now`; or if it
    /// is never assigned, where routes can name it.
    pub fn serving_keys(&self, path: &str, name: &str, now: u64) -> Option<(PolicyIndex, &Policy)> {
        let holds = |index: &PolicyIndex| {
            let by_route = self.route_policy && !self.assignments.is_ever_assigned(*index);
            by_route || self.assignments.is_assigned(*index, now)
        };
        let index = self.assignments.by_name(name).filter(holds)?;
        let policy = self.get(index)?;
        (policy.encryption.as_ref()?.key_path().map(|it| &**it) == Some(path)).then_some((index, policy))
    }

    /// Every policy with its number, in the document's order.
    pub fn iter(&self) -> impl Iterator<Item = (PolicyIndex, &Policy)> {
        self.policies.iter().enumerate().map(|(index, policy)| (PolicyIndex::new(index), policy))
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.policies.len()
    }

    /// Whether there is no policy.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// How many assignments there are.
    pub fn assignments(&self) -> usize {
        self.assignments.count()
    }

    /// The revision of this document, 8 hex digits: a MAC over it under the first policy's secret, since a plain hash
    /// would let whoever reads it try out passwords that stand in the document. `None` without a secret.
    pub fn revision(&self, document: &[u8]) -> Option<String> {
        let keyring = self.policies.iter().find_map(|policy| policy.keyrings.first())?;
        Some(base16ct::lower::encode_string(&keyring.revision(document)))
    }

    /// The assignments, by their place in the document, that hold neither at `now` nor at any time after it.
    pub fn idle_assignments(&self, now: u64) -> impl Iterator<Item = (usize, Idle)> {
        self.assignments.idle(now)
    }

    /// The policies, with their numbers, that no assignment is to.
    pub fn unassigned(&self) -> impl Iterator<Item = (PolicyIndex, &Policy)> {
        self.iter().filter(|(index, _)| !self.assignments.is_ever_assigned(*index))
    }

    /// The headers of the proxy's that any policy reads.
    pub fn geo_headers_read(&self) -> impl Iterator<Item = &str> {
        let reads = |policy: &Policy| policy.targeting.as_ref().map(Targeting::reads);
        let read: Vec<[bool; 5]> = self.policies.iter().filter_map(reads).collect();
        let names = self.geo_headers.all().into_iter().enumerate();
        names.filter(move |(index, _)| read.iter().any(|it| it.get(*index) == Some(&true))).map(|(_, name)| name)
    }

    /// Every assignment by its place in the document, and why it does not hold for a request for the normalised `path`;
    /// `None` for the one that does.
    pub fn explain_assignments(&self, authority: &str, path: &str, now: u64) -> BTreeMap<usize, Option<NotHeld>> {
        self.assignments.explain(authority, path, now)
    }

    /// Whether any policy serves keys at `path`.
    pub fn is_key_path(&self, path: &str) -> bool {
        self.key_paths.contains(path)
    }
}
