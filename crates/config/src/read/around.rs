//! The parts of a policy that its `mediaEncryption` depends on.

use playlock_core::policy::SessionRules;
use playlock_core::token::derive::Secret;

/// The parts of a policy that its `mediaEncryption` depends on.
#[derive(Debug)]
pub struct Around<'a> {
    /// `policyName`.
    pub name: &'a str,
    /// The name that keys are derived from.
    pub key_name: &'a str,
    /// Sessions.
    pub session: &'a SessionRules,
    /// Whether an access token opens each session.
    pub by_token: bool,
    /// The secrets, the current one first.
    pub secrets: &'a [Secret],
}
