//! A request before its policy is known, and the search for the policy.

use crate::http::incoming::{Incoming, RequestHead};
use crate::policy::{Match, Policies, Policy, PolicyIndex};

/// A request whose policy is being looked for.
pub struct Door<'a> {
    /// The configuration.
    pub policies: &'a Policies,
    /// The request.
    pub incoming: &'a Incoming<'a>,
    /// The policy and its index, once a check has found it.
    pub policy: Option<(PolicyIndex, &'a Policy)>,
}

impl<'a> Door<'a> {
    /// No policy is known yet.
    pub fn new(policies: &'a Policies, incoming: &'a Incoming<'a>) -> Self {
        Self { policies, incoming, policy: None }
    }
}

/// The policy for a refused request's CORS headers, from the path as it was sent. Good for nothing else: the path may not
/// be normal.
pub fn policy_for_cors<'a>(policies: &'a Policies, head: &RequestHead<'_>) -> Option<&'a Policy> {
    let target = core::str::from_utf8(head.raw_target?).ok()?;
    match policy_for(policies, head, target.split('?').next()?) {
        Match::Policy(_, policy) => Some(policy),
        Match::Pass | Match::Deny => None,
    }
}

/// The policy for a path: the one that the proxy's route names, if routes may name policies, or else the assigned one.
pub fn policy_for<'a>(policies: &'a Policies, head: &RequestHead<'_>, path: &str) -> Match<'a> {
    let named = if policies.route_policy { head.route_policy() } else { None };
    match named {
        Some(name) => policies.named(name),
        None => policies.policy_for(head.authority, path, head.now),
    }
}
