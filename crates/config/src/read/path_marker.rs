//! Reader of `tokenPathMarker`.

use alloc::format;
use alloc::string::String;

use super::text::text;
use crate::document::Document;
use crate::error::ConfigError;
use playlock_core::policy::Policies;
use playlock_core::policy::text::PathMarker;

const DEFAULT: &str = "~";

/// Reads the marker.
///
/// # Errors
/// An invalid marker.
pub fn read(document: &Document) -> Result<PathMarker, ConfigError> {
    text("tokenPathMarker", document.token_path_marker.as_deref().unwrap_or(DEFAULT))
}

/// Checks that no path of the document begins with the marker.
///
/// # Errors
/// The first path that does.
pub fn check(document: &Document, policies: &Policies) -> Result<(), ConfigError> {
    let Some(marker) = policies.path_marker() else { return Ok(()) };
    let is_marked = |path: &str| path.strip_prefix('/').is_some_and(|rest| rest.starts_with(marker));
    let refused = |place: String, path: &str| {
        Err(ConfigError::new(
            place,
            format!(
                "found \"{path}\", which begins with the marker of tokens in paths; expected another tokenPathMarker"
            ),
        ))
    };
    for (index, assignment) in document.assignments.iter().enumerate() {
        if is_marked(&assignment.path) {
            return refused(format!("assignments[{index}].path"), &assignment.path);
        }
    }
    for (index, policy) in policies.iter() {
        let key_path = policy.encryption.as_ref().and_then(|encryption| encryption.key_path());
        if let Some(path) = key_path.filter(|path| is_marked(path)) {
            return refused(format!("policies[{}].mediaEncryption.keyPath", index.get()), path);
        }
    }
    Ok(())
}
