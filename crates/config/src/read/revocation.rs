//! Reader of `revocation`.

use alloc::format;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::text::wrong;
use crate::error::ConfigError;
use crate::{document, time};
use playlock_core::policy::revocation::Revocation;

/// Reads the member at the JSON path `path`.
///
/// # Errors
/// The first invalid entry.
pub fn read(path: &str, revocation: &document::Revocation) -> Result<Revocation, ConfigError> {
    let mut sessions = Vec::with_capacity(revocation.session_ids.len());
    for (index, text) in revocation.session_ids.iter().enumerate() {
        let id = URL_SAFE_NO_PAD.decode(text).ok().and_then(|id| id.try_into().ok());
        let expected = "the 22 characters that the access log says";
        sessions.push(id.ok_or_else(|| wrong(&format!("{path}.sessionIds[{index}]"), text, expected))?);
    }
    let opened_before = match &revocation.sessions_opened_before {
        None => 0,
        Some(text) => time::parse(text).ok_or_else(|| {
            wrong(&format!("{path}.sessionsOpenedBefore"), text, "a time such as \"2018-01-05T11:00:00Z\"")
        })?,
    };
    Ok(Revocation::new(sessions, revocation.access_token_ids.iter().map(|id| &**id), opened_before))
}
