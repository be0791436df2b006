//! Reader of `tokenAuth.jwt`.

use crate::config::document;
use crate::config::error::ConfigError;
use crate::config::secret::Reader;
use crate::policy::tokens::AccessFormat;

/// Reads the keys and settings of the format. `skew` is the tolerated difference of clocks in seconds.
///
/// # Errors
/// The first invalid member.
pub fn read(
    path: &str,
    _written: &document::Jwt,
    _skew: u64,
    _reader: &mut Reader<'_>,
) -> Result<AccessFormat, ConfigError> {
    Err(ConfigError::new(path, "this format is not supported yet"))
}
