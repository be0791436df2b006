//! Stands in for the reader of `speke` in builds that leave SPEKE out.

use serde::de::IgnoredAny;

use crate::error::ConfigError;
use crate::secret::Reader;
use playlock_core::policy::speke::Speke;
use playlock_core::token::derive::Secret;

/// Refuses the member.
///
/// # Errors
/// Always.
pub fn read(path: &str, _: &IgnoredAny, _: &str, _: &[Secret], _: &mut Reader<'_>) -> Result<Speke, ConfigError> {
    Err(ConfigError::new(path, "found, but this build of playlock leaves SPEKE out; expected none"))
}
