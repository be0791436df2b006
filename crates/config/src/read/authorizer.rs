//! Reader of `keyAuthorizer`.

use alloc::format;

use super::around::Around;
use super::leases;
use super::text::{text, wrong};
use crate::document::{self, KeyRotation};
use crate::error::ConfigError;
use playlock_core::policy::authorizer::Authorizer;

/// Default timeout in seconds.
const DEFAULT_TIMEOUT: u64 = 2;
const MAX_TIMEOUT: u64 = 60;

/// Reads the member at the JSON path `path`; `rotation`: that of the policy's keys.
///
/// # Errors
/// The first invalid member.
pub fn read(
    path: &str,
    authorizer: &document::KeyAuthorizer,
    around: &Around<'_>,
    rotation: Option<KeyRotation>,
) -> Result<Authorizer, ConfigError> {
    let document::KeyAuthorizer { cluster, path: target, host, timeout, on_unavailable, leases } = authorizer;
    let timeout = timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.0);
    let authorizer = Authorizer {
        cluster: text(&format!("{path}.cluster"), cluster)?,
        path: text(&format!("{path}.path"), target)?,
        host: text(&format!("{path}.host"), host.as_ref().unwrap_or(cluster))?,
        timeout,
        on_unavailable: *on_unavailable,
        leases: leases.as_ref().map(|it| leases::read(&format!("{path}.leases"), it, around, rotation)).transpose()?,
    };
    if !(1..=MAX_TIMEOUT).contains(&timeout) {
        return Err(wrong(&format!("{path}.timeout"), &format!("{timeout}s"), "\"1s\" to \"60s\""));
    }
    Ok(authorizer)
}
