//! Stands in for the readers of formats that this build leaves out.

use serde::de::IgnoredAny;

use crate::error::ConfigError;
use crate::secret::Reader;
use playlock_core::policy::tokens::AccessFormat;

/// Refuses the format. The reader of `tokenAuth.formats` does so first, with the names of the formats that there are.
///
/// # Errors
/// Always.
pub fn read(path: &str, _: &IgnoredAny, _: u64, _: &mut Reader<'_>) -> Result<AccessFormat, ConfigError> {
    Err(ConfigError::new(path, "found a format that this build of playlock leaves out, expected another"))
}
