//! Configuration documents → policies that are valid by type.

mod content_targeting;
pub mod document;
mod media_encryption;
#[cfg(feature = "schema")]
pub mod schema;
pub(crate) mod secret;
mod strength;
pub mod time;
mod token_auth;
mod value;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use self::document::{DefaultAction, Document};
use crate::percent;
use crate::policy::assignments::Assignments;
pub use crate::policy::assignments::Idle;
use crate::policy::policy::Policy;
use crate::policy::targeting::{GeoHeaders, Targeting};
use crate::target;

/// Every policy and assignment of one configuration document.
#[derive(Debug)]
pub struct Policies {
    policies: Vec<Policy>,
    assignments: Assignments,
    default: DefaultAction,
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
pub enum Coverage<'a> {
    /// This policy, by its number for [`Policies::get`].
    Policy(usize, &'a Policy),
    /// Nothing: let it pass untouched.
    Pass,
    /// Nothing: refuse it.
    Deny,
}

/// Why a document was refused.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// JSON path, as in `policies[0].tokenAuth.password`; `$` is the whole document.
    pub path: String,
    /// What was found and what is expected.
    pub message: String,
    /// The environment variable that is not set, if that is what is wrong.
    pub unset: Option<String>,
}

impl ConfigError {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), unset: None }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl core::error::Error for ConfigError {}

impl Policies {
    /// Parses a JSON document; `env` looks up a secret that is given as `{"env": NAME}`. Returns warnings to log
    /// beside the policies.
    ///
    /// # Errors
    /// The first thing that is wrong, with its JSON path. What is not built yet is an error too, never ignored.
    pub fn parse(json: &[u8], env: &dyn Fn(&str) -> Option<String>) -> Result<(Self, Vec<String>), ConfigError> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let document: Document = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            // Where JSON is broken the path ends in the last place that is whole.
            let path = error.path().to_string();
            let path = if matches!(&*path, "?" | "" | ".") { "$" } else { path.strip_suffix(".?").unwrap_or(&path) };
            ConfigError::new(path, error.inner().to_string())
        })?;
        deserializer.end().map_err(|error| ConfigError::new("$", error.to_string()))?;

        let mut reader = secret::Reader::new(env);
        let mut policies: Vec<Policy> = Vec::with_capacity(document.policies.len());
        let (mut names, mut ids) = (BTreeMap::new(), BTreeMap::new());
        for (index, policy) in document.policies.iter().enumerate() {
            let path = format!("policies[{index}]");
            let policy = Policy::build(&path, policy, &mut reader)?;
            if names.insert(policy.name.clone(), index).is_some() {
                return Err(ConfigError::new(
                    format!("{path}.policyName"),
                    format!("\"{}\" names two policies, expected different names", policy.name),
                ));
            }
            if policy.id.is_some_and(|id| ids.insert(id.0, index).is_some()) {
                return Err(ConfigError::new(
                    format!("{path}.policyId"),
                    "names two policies, expected different numbers",
                ));
            }
            policies.push(policy);
        }
        let assignments = Assignments::build(&document.assignments, &policies, names, &ids)?;
        for (index, policy) in policies.iter_mut().enumerate() {
            let start = assignments.start(index);
            if let Some(Err(warning)) = policy.players.as_mut().map(|players| players.begin(start)) {
                reader.warnings.push(format!("policies[{index}].playerVerification.{warning}"));
            }
        }
        for (index, policy) in policies.iter().enumerate() {
            let directory = policy.encryption.as_ref().and_then(|encryption| encryption.key_url()?.directory());
            let below = directory.into_iter().flat_map(|directory| assignments.possible(directory));
            let covering = below.filter_map(|policy| policies.get(policy)).find(|policy| !policy.is_open());
            if let Some(covering) = covering {
                reader.warnings.push(format!(
                    "policies[{index}].mediaEncryption.keyUrl: an assignment puts this path under \"{}\", for which the key server's answers would be content like any other",
                    covering.name
                ));
            }
        }
        let geo_headers = GeoHeaders::build(&document.geo_headers)?;
        let Document { default, hold_headers, batching, route_policy, .. } = document;
        Ok((
            Self { policies, assignments, default, hold_headers, batching, route_policy, geo_headers },
            reader.warnings,
        ))
    }

    /// What holds for a normalised path on `authority` (host, perhaps with a port) at `now`.
    pub fn covering(&self, authority: &str, path: &str, now: u64) -> Coverage<'_> {
        let found = self.assignments.find(authority, path, now);
        match found.and_then(|(index, _)| self.coverage(index)) {
            Some(coverage) => coverage,
            None if self.default == DefaultAction::Pass => Coverage::Pass,
            None => Coverage::Deny,
        }
    }

    /// What holds where the proxy's route names a policy, wherever and whenever that is assigned. There is no default for a
    /// name that no policy has.
    pub fn named(&self, name: &[u8]) -> Coverage<'_> {
        let found = core::str::from_utf8(name).ok().and_then(|name| self.assignments.by_name(name));
        found.and_then(|index| self.coverage(index)).unwrap_or(Coverage::Deny)
    }

    fn coverage(&self, index: usize) -> Option<Coverage<'_>> {
        let policy = self.get(index)?;
        Some(if policy.lets_all_pass() { Coverage::Pass } else { Coverage::Policy(index, policy) })
    }

    /// What holds for a path as a URL writes it; `None` if it does not normalise to one.
    pub fn covering_raw(&self, authority: &str, raw_path: &str, now: u64) -> Option<Coverage<'_>> {
        target::normal_path(raw_path).ok().map(|path| self.covering(authority, &path, now))
    }

    /// The directory (with its final `/`) of the stream that a normalised path belongs to: `depth` path segments below the
    /// path that its assignment names, or the deepest there is.
    pub fn stream<'p>(&self, authority: &str, path: &'p str, depth: usize, now: u64) -> &'p str {
        let assigned = self.assignments.find(authority, path, now).map_or("", |(_, assigned)| assigned);
        let ends = path.match_indices('/').map(|(at, _)| at).filter(|at| *at >= assigned.len());
        let end = ends.take(depth.saturating_add(1)).last();
        // An assignment may name the playlist itself.
        end.and_then(|end| path.get(..=end)).unwrap_or(target::directory(path))
    }

    /// A policy by its number.
    pub fn get(&self, index: usize) -> Option<&Policy> {
        self.policies.get(index)
    }

    /// The policy of that name, with its number, if it serves keys at `path`, and is assigned anywhere at `now`; or if it
    /// is never assigned, where routes can name it.
    pub fn serving_keys(&self, path: &str, name: &str, now: u64) -> Option<(usize, &Policy)> {
        let holds = |index: &usize| {
            let by_route = self.route_policy && !self.assignments.is_ever_assigned(*index);
            by_route || self.assignments.is_assigned(*index, now)
        };
        let index = self.assignments.by_name(name).filter(holds)?;
        let policy = self.get(index)?;
        (policy.encryption.as_ref()?.key_path() == Some(path)).then_some((index, policy))
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
        self.assignments.len()
    }

    /// The revision of this document, 8 hex digits: a MAC over it under the first policy's secret, since a plain hash
    /// would let whoever reads it try out passwords that stand in the document. `None` without a secret.
    pub fn revision(&self, document: &[u8]) -> Option<String> {
        let keyring = self.policies.iter().find_map(|policy| policy.keyrings.first())?;
        Some(percent::hex(&keyring.revision(document)))
    }

    /// The assignments, by their place in the document, that hold neither at `now` nor at any time after it.
    pub fn idle_assignments(&self, now: u64) -> impl Iterator<Item = (usize, Idle)> {
        self.assignments.idle(now)
    }

    /// The policies, with their numbers, that no assignment is to.
    pub fn unassigned(&self) -> impl Iterator<Item = (usize, &Policy)> {
        self.policies.iter().enumerate().filter(|(index, _)| !self.assignments.is_ever_assigned(*index))
    }

    /// The headers of the proxy's that any policy reads.
    pub fn geo_headers_read(&self) -> impl Iterator<Item = &str> {
        let reads = |policy: &Policy| policy.targeting.as_ref().map(Targeting::reads);
        let read: Vec<[bool; 5]> = self.policies.iter().filter_map(reads).collect();
        let names = self.geo_headers.all().into_iter().enumerate();
        names.filter(move |(index, _)| read.iter().any(|it| it.get(*index) == Some(&true))).map(|(_, name)| name)
    }

    /// Whether any policy serves keys at `path`.
    pub fn is_key_path(&self, path: &str) -> bool {
        self.assignments.is_key_path(path)
    }
}

#[cfg(test)]
mod injection;
#[cfg(test)]
mod key_tests;
#[cfg(test)]
mod tests;
