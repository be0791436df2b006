//! A request before its policy is known.

use crate::http::incoming::Incoming;
use crate::policy::{Policies, Policy, PolicyIndex};

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
