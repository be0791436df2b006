//! All policies of one configuration, and the lookup of a request's policy.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Deserialize;

use super::assignments::{Assignments, Idle, NotHeld};
use super::index::PolicyIndex;
use super::policy::Policy;
use super::targeting::{GeoHeaders, Targeting};
use super::text::PathMarker;
use super::tokens::{AccessFormat, AccessToken};
#[cfg(feature = "speke")]
use super::viewer_url::ViewerUrl;
use crate::http::{path_token, target};

/// Compiled policies and assignments of one configuration document.
#[derive(Debug)]
pub struct Policies {
    policies: Vec<Policy>,
    assignments: Assignments,
    default: DefaultAction,
    /// Policies that derive keys, by the name that they derive them from.
    key_names: BTreeMap<String, PolicyIndex>,
    key_paths: BTreeSet<String>,
    license_paths: BTreeSet<String>,
    /// Paths of key servers for packagers, and the index of each one's policy.
    speke_paths: Vec<(String, PolicyIndex)>,
    #[cfg(feature = "speke")]
    has_viewer_urls: bool,
    /// Names of the path parameters that carry access tokens. They are cut out of every request's path.
    pub path_parameters: Vec<String>,
    /// Hold back response headers until the first bytes of the body have been checked.
    pub hold_headers: bool,
    /// Encrypt chunks of several streams together.
    pub batching: bool,
    /// A policy named by the proxy's route takes precedence over assignments.
    pub route_policy: bool,
    /// The document's own number, if it has one.
    pub revision: Option<u64>,
    /// Request headers in which the proxy reports a client's location.
    pub geo_headers: GeoHeaders,
    path_marker: Option<PathMarker>,
}

/// Result of a policy lookup.
#[derive(Debug, Clone, Copy)]
pub enum Match<'a> {
    /// This policy applies. The index is for [`Policies::get`].
    Policy(PolicyIndex, &'a Policy),
    /// The request passes unchanged.
    Pass,
    /// The request is denied.
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
    /// Takes the policies in document order. `key_names` maps the names that keys are derived from to their policies.
    /// `hold_headers`, `batching` and `route_policy` start as false, and
    /// there is no `revision`.
    pub fn new(
        policies: Vec<Policy>,
        key_names: BTreeMap<String, PolicyIndex>,
        assignments: Assignments,
        default: DefaultAction,
        geo_headers: GeoHeaders,
    ) -> Self {
        let key_paths =
            policies.iter().filter_map(|policy| Some(policy.encryption.as_ref()?.key_path()?.to_string())).collect();
        let samples = policies.iter().filter_map(|policy| policy.encryption.as_ref()?.samples.as_ref());
        let license_paths = samples.map(|samples| samples.license_path.to_string()).collect();
        let speke = policies.iter().enumerate().filter_map(|(index, policy)| {
            let speke = policy.encryption.as_ref()?.speke.as_ref()?;
            Some((speke.path().to_string(), PolicyIndex::new(index)))
        });
        let speke_paths = speke.collect();
        #[cfg(feature = "speke")]
        let has_viewer_urls = policies.iter().any(|policy| policy.viewer_url().is_some());
        let path_marker = policies.iter().find_map(|policy| policy.session.path_marker.clone());
        let mut path_parameters: Vec<String> = Vec::new();
        let formats = policies.iter().filter_map(|policy| policy.access_token.as_ref()).flat_map(|it| &it.formats);
        for name in formats.filter_map(AccessFormat::path_parameter) {
            if !path_parameters.iter().any(|known| known == name) {
                path_parameters.push(name.into());
            }
        }
        let (hold_headers, batching, route_policy) = (false, false, false);
        Self {
            policies,
            assignments,
            default,
            key_names,
            key_paths,
            license_paths,
            speke_paths,
            #[cfg(feature = "speke")]
            has_viewer_urls,
            path_parameters,
            hold_headers,
            batching,
            route_policy,
            revision: None,
            geo_headers,
            path_marker,
        }
    }

    /// Looks up the policy for a normalised path on `authority` (host, optional port) at `now`.
    pub fn policy_for(&self, authority: &str, path: &str, now: u64) -> Match<'_> {
        let found = self.assignments.find(authority, path, now);
        match found.and_then(|(index, _)| self.coverage(index)) {
            Some(coverage) => coverage,
            None if self.default == DefaultAction::Pass => Match::Pass,
            None => Match::Deny,
        }
    }

    /// Looks up the policy named by the proxy's route, regardless of assignments. Unknown names are denied; the default
    /// action does not apply to them.
    pub fn named(&self, name: &[u8]) -> Match<'_> {
        let found = core::str::from_utf8(name).ok().and_then(|name| self.assignments.by_name(name));
        found.and_then(|index| self.coverage(index)).unwrap_or(Match::Deny)
    }

    fn coverage(&self, index: PolicyIndex) -> Option<Match<'_>> {
        let policy = self.get(index)?;
        Some(if policy.lets_all_pass() { Match::Pass } else { Match::Policy(index, policy) })
    }

    /// Looks up the policy for a percent-encoded path, which may begin with a token; `None` if the path cannot be
    /// normalised.
    pub fn policy_for_raw(&self, authority: &str, raw_path: &str, now: u64) -> Option<Match<'_>> {
        let split = self.path_marker().map(|marker| path_token::split(raw_path.as_bytes(), marker));
        let plain = match split {
            Some(split) => split.ok()?.and_then(|split| core::str::from_utf8(split.plain).ok()),
            None => None,
        };
        target::normal_path(plain.unwrap_or(raw_path)).ok().map(|path| self.policy_for(authority, &path, now))
    }

    /// Directory, with its final `/`, of the stream that a normalised path belongs to: `depth` path segments below the
    /// path of its assignment, or as deep as the path goes.
    pub fn stream_directory<'p>(&self, authority: &str, path: &'p str, depth: usize, now: u64) -> &'p str {
        let assigned = self.assignments.find(authority, path, now).map_or("", |(_, assigned)| assigned);
        let ends = path.match_indices('/').map(|(at, _)| at).filter(|at| *at >= assigned.len());
        let end = ends.take(depth.saturating_add(1)).last();
        // The assignment may name the playlist itself.
        end.and_then(|end| path.get(..=end)).unwrap_or(target::directory(path))
    }

    /// The marker of tokens in the path; `None` if no policy has tokens there.
    pub fn path_marker(&self) -> Option<&str> {
        self.path_marker.as_deref()
    }

    /// Policy with this index.
    pub fn get(&self, index: PolicyIndex) -> Option<&Policy> {
        self.policies.get(index.get())
    }

    /// Policy whose keys are derived from `name`, and its index, if it serves keys or licenses at `path` and is assigned
    /// anywhere at `now`. A policy that is never assigned also qualifies if routes may name policies.
    pub fn serving_keys(&self, path: &str, name: &str, now: u64) -> Option<(PolicyIndex, &Policy)> {
        let holds = |index: &PolicyIndex| {
            let by_route = self.route_policy && !self.assignments.is_ever_assigned(*index);
            by_route || self.assignments.is_assigned(*index, now)
        };
        let index = self.key_names.get(name).copied().filter(holds)?;
        let policy = self.get(index)?;
        let encryption = policy.encryption.as_ref()?;
        let license_path = encryption.samples.as_ref().map(|samples| &samples.license_path);
        [encryption.key_path(), license_path].into_iter().flatten().any(|it| &**it == path).then_some((index, policy))
    }

    /// All policies with their indices, in document order.
    pub fn iter(&self) -> impl Iterator<Item = (PolicyIndex, &Policy)> {
        self.policies.iter().enumerate().map(|(index, policy)| (PolicyIndex::new(index), policy))
    }

    /// Number of policies.
    pub fn len(&self) -> usize {
        self.policies.len()
    }

    /// Whether there is no policy.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// Number of assignments.
    pub fn assignments(&self) -> usize {
        self.assignments.count()
    }

    /// Fingerprint of the document, 8 hex digits: a MAC under the first available secret. A plain hash would allow offline
    /// guessing of the passwords in the document. `None` if no policy has a secret.
    pub fn fingerprint(&self, document: &[u8]) -> Option<String> {
        let keyring = self.policies.iter().find_map(|policy| policy.keyrings.first())?;
        Some(base16ct::lower::encode_string(&keyring.fingerprint(document)))
    }

    /// Assignments that apply neither at `now` nor later, by their position in the document.
    pub fn idle_assignments(&self, now: u64) -> impl Iterator<Item = (usize, Idle)> {
        self.assignments.idle(now)
    }

    /// Policies without an assignment, with their indices.
    pub fn unassigned(&self) -> impl Iterator<Item = (PolicyIndex, &Policy)> {
        self.iter().filter(|(index, _)| !self.assignments.is_ever_assigned(*index))
    }

    /// Geo headers that any policy reads.
    pub fn geo_headers_read(&self) -> impl Iterator<Item = &str> {
        let by_targeting = self.policies.iter().filter_map(|policy| policy.targeting.as_ref().map(Targeting::reads));
        let by_tokens = self.policies.iter().filter_map(|policy| policy.access_token.as_ref().map(AccessToken::reads));
        let read: Vec<[bool; 6]> = by_targeting.chain(by_tokens).collect();
        let names = self.geo_headers.all().into_iter().enumerate();
        names.filter(move |(index, _)| read.iter().any(|it| it.get(*index) == Some(&true))).map(|(_, name)| name)
    }

    /// Maps each assignment's position in the document to the reason why it does not apply to a request for the
    /// normalised `path`; `None` for the one that applies.
    pub fn explain_assignments(&self, authority: &str, path: &str, now: u64) -> BTreeMap<usize, Option<NotHeld>> {
        self.assignments.explain(authority, path, now)
    }

    /// The policy whose key server for packagers is at `path` or above it, by its index, and the rest of the path: empty,
    /// or with a `/` in front.
    pub fn speke_at<'p>(&self, path: &'p str) -> Option<(PolicyIndex, &'p str)> {
        self.speke_paths.iter().find_map(|(server, index)| {
            let rest = path.strip_prefix(server.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((*index, rest))
        })
    }

    /// Whether any policy has a key server for packagers.
    pub fn has_speke(&self) -> bool {
        !self.speke_paths.is_empty()
    }

    /// Whether any policy gives viewers the keys of packaged contents.
    #[cfg(feature = "speke")]
    pub fn has_viewer_urls(&self) -> bool {
        self.has_viewer_urls
    }

    /// URLs at which viewers get the keys of packaged contents, with the indices of their policies.
    #[cfg(feature = "speke")]
    pub fn viewer_urls(&self) -> impl Iterator<Item = (PolicyIndex, &ViewerUrl)> {
        self.iter().filter_map(|(index, policy)| Some((index, policy.viewer_url()?)))
    }

    /// Those of them below which no assignment puts their policy.
    #[cfg(feature = "speke")]
    pub fn unassigned_viewer_urls(&self) -> impl Iterator<Item = (PolicyIndex, &ViewerUrl)> {
        self.viewer_urls().filter(|(index, url)| !self.assignments.may_apply_below(url.directory(), *index))
    }

    /// Paths of key servers for packagers, with the indices of their policies.
    pub fn speke_paths(&self) -> impl Iterator<Item = (&str, PolicyIndex)> {
        self.speke_paths.iter().map(|(path, index)| (path.as_str(), *index))
    }

    /// Whether any policy serves licenses at `path`.
    pub fn is_license_path(&self, path: &str) -> bool {
        self.license_paths.contains(path)
    }

    /// Whether any policy serves keys at `path`.
    pub fn is_key_path(&self, path: &str) -> bool {
        self.key_paths.contains(path)
    }
}
