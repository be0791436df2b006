//! Reader of `keyAuthorizer`.

use alloc::format;

use super::text::{text, wrong};
use crate::document;
use crate::error::ConfigError;
use playlock_core::policy::authorizer::Authorizer;

/// Default timeout in seconds.
const DEFAULT_TIMEOUT: u64 = 2;
const MAX_TIMEOUT: u64 = 60;

/// Reads the member at the JSON path `path`.
///
/// # Errors
/// The first invalid member.
pub fn read(path: &str, authorizer: &document::KeyAuthorizer) -> Result<Authorizer, ConfigError> {
    let document::KeyAuthorizer { cluster, path: target, host, timeout } = authorizer;
    let timeout = timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.0);
    let authorizer = Authorizer {
        cluster: text(&format!("{path}.cluster"), cluster)?,
        path: text(&format!("{path}.path"), target)?,
        host: text(&format!("{path}.host"), host.as_ref().unwrap_or(cluster))?,
        timeout,
    };
    if !(1..=MAX_TIMEOUT).contains(&timeout) {
        return Err(wrong(&format!("{path}.timeout"), &format!("{timeout}s"), "\"1s\" to \"60s\""));
    }
    Ok(authorizer)
}
