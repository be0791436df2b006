//! The configuration that a filter runs on, and the routes that it leaves unprotected.

use std::collections::BTreeSet;

use playlock_config::document::Document;
use playlock_core::policy::{Match, Policies};

use super::route::Route;
use crate::config::Loaded;

/// The configuration that a filter runs on.
pub struct Running<'a> {
    /// The policies.
    pub policies: &'a Policies,
    /// The environment variables that they read.
    pub variables: &'a BTreeSet<String>,
    now: u64,
    /// For each assignment to a policy that checks anything: whether it has a host, and its path.
    guarded: Vec<(bool, String)>,
}

impl<'a> Running<'a> {
    /// A filter that runs on `loaded` at `now`, seconds since 1970-01-01T00:00:00Z.
    pub fn new(loaded: &'a Loaded, now: u64) -> Self {
        let policies = &loaded.policies;
        let document: Option<Document> = serde_json::from_str(&loaded.text).ok();
        let all = || policies.iter().map(|(_, policy)| policy);
        let is_open = |named: Option<&str>, numbered: Option<u64>| {
            let mut found = all().filter(|policy| match named {
                Some(name) => policy.name == name,
                None => numbered.is_some() && policy.id.map(|id| id.0) == numbered,
            });
            found.next().is_some_and(|policy| policy.lets_all_pass())
        };
        let assignments = document.map(|document| document.assignments).unwrap_or_default();
        let guarded = assignments.iter().filter(|it| !is_open(it.policy_name.as_deref(), it.policy_id.map(|id| id.0)));
        let guarded = guarded.map(|it| (it.host.is_some(), it.path.trim_end_matches('.').to_owned())).collect();
        Self { policies, variables: &loaded.variables, now, guarded }
    }

    /// Whether it is certain that playlock forwards all requests of this route unchanged.
    pub fn lets_pass(&self, route: &Route<'_>) -> bool {
        let Some(prefix) = route.prefix().filter(|_| !self.policies.route_policy) else { return false };
        let covering = self.policies.policy_for_raw("", prefix, self.now);
        let is_guarded = |(of_host, path): &(bool, String)| {
            let path = path.trim_end_matches('/');
            path.starts_with(prefix.trim_end_matches('/')) || *of_host && prefix.starts_with(path)
        };
        matches!(covering, Some(Match::Pass)) && !self.guarded.iter().any(is_guarded)
    }
}
