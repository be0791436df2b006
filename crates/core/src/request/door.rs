//! Policy lookup for a request.

use crate::http::incoming::{Incoming, RequestHead};
use crate::http::path_token;
use crate::http::target::BadTarget;
use crate::policy::{Match, Policies, Policy, PolicyIndex};

/// A request before its policy is known.
pub struct Door<'a> {
    /// The configuration.
    pub policies: &'a Policies,
    /// The parsed request.
    pub incoming: &'a Incoming<'a>,
    /// The policy and its index, once found.
    pub policy: Option<(PolicyIndex, &'a Policy)>,
}

impl<'a> Door<'a> {
    /// Starts without a policy.
    pub fn new(policies: &'a Policies, incoming: &'a Incoming<'a>) -> Self {
        Self { policies, incoming, policy: None }
    }
}

/// Looks up the policy for a denied request's CORS headers, by the raw path without a token. For no other use: the path
/// may not be normalised.
pub fn policy_for_cors<'a>(policies: &'a Policies, head: &RequestHead<'_>) -> Option<&'a Policy> {
    let plain = plain_target(policies, head);
    let target = plain.or_else(|| core::str::from_utf8(head.raw_target?).ok())?;
    match policy_for(policies, head, plain, target.split('?').next()?) {
        Match::Policy(_, policy) => Some(policy),
        Match::Pass | Match::Deny => None,
    }
}

/// The target without the token in its path, for the access log; `None` if it has none. It may not be normalised. A target
/// that cannot be told apart from its token is `/`.
pub fn plain_target<'a>(policies: &Policies, head: &RequestHead<'a>) -> Option<&'a str> {
    match path_token::split(head.raw_target?, policies.path_marker()?) {
        Ok(split) => Some(core::str::from_utf8(split?.plain).unwrap_or("/")),
        Err(BadTarget) => Some("/"),
    }
}

/// Looks up the policy for a path: the one named by the proxy's route, if routes may name policies, else the assigned
/// one. `plain` is the whole target, if a token in the path was taken out.
pub fn policy_for<'a>(policies: &'a Policies, head: &RequestHead<'_>, plain: Option<&str>, path: &str) -> Match<'a> {
    let named = if policies.route_policy { head.route_policy(plain) } else { None };
    match named {
        Some(name) => policies.named(name),
        None => policies.policy_for(head.authority, path, head.now),
    }
}
