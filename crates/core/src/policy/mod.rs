//! Policies, compiled and valid by type: which one holds where and when, and what each of its parts lets through.

pub mod assignments;
pub mod authorizer;
pub mod binding;
pub mod cors;
pub mod encryption;
pub mod key_url;
pub mod players;
#[expect(clippy::module_inception, reason = "one policy, beside the set of them")]
pub mod policy;
pub mod revocation;
pub mod targeting;
mod timeline;
