//! Policy lookup for a request.

use alloc::string::String;

use crate::http::incoming::{Incoming, RequestHead};
use crate::http::plain_target::PlainTarget;
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
    let plain = plain.as_deref();
    let target = plain.or_else(|| core::str::from_utf8(head.raw_target?).ok())?;
    match policy_for(policies, head, target.split('?').next()?) {
        Match::Policy(_, policy) => Some(policy),
        Match::Pass | Match::Deny => None,
    }
}

/// The target without the tokens in its path, for the access log; `None` if it has none. It may not be normalised.
pub fn plain_target(policies: &Policies, head: &RequestHead<'_>) -> Option<String> {
    match PlainTarget::of(head.raw_target, policies.path_marker(), &policies.path_parameters) {
        Ok(plain) => plain.changed().map(Into::into),
        // Perhaps a token without a path behind it.
        Err(BadTarget) => policies.path_marker().and(head.raw_target).map(|_| "/".into()),
    }
}

/// Looks up the policy for a path: the one named by the proxy's route, if routes may name policies, else the assigned
/// one.
pub fn policy_for<'a>(policies: &'a Policies, head: &RequestHead<'_>, path: &str) -> Match<'a> {
    let named = if policies.route_policy { head.route_policy() } else { None };
    match named {
        Some(name) => policies.named(name),
        None => policies.policy_for(head.authority, path, head.now),
    }
}
