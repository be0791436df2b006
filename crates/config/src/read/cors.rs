//! Reader of `cors`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use super::text::text;
use crate::document;
use crate::error::ConfigError;
use playlock_core::policy::cors::{AllowedOrigin, Cors, ListedHeader, Origins};
use playlock_core::policy::text::Expected;

/// Default lifetime of a preflight result in seconds.
const DEFAULT_MAX_AGE: u64 = 86_400;

/// Reads the member at the JSON path `path`.
///
/// # Errors
/// The first invalid member, for example credentials with `*` as origin.
pub fn read(path: &str, cors: &document::Cors) -> Result<Cors, ConfigError> {
    let any = cors.allow_origins.iter().any(|origin| origin == "*");
    if cors.allow_origins.is_empty() {
        return Err(ConfigError::new(format!("{path}.allowOrigins"), "found none, expected origins or \"*\""));
    }
    if any && cors.allow_credentials {
        return Err(ConfigError::new(
            format!("{path}.allowCredentials"),
            "found true beside \"*\", with which any site could use a viewer's cookies; expected false, or origins by name",
        ));
    }
    let listed = list::<AllowedOrigin>(&format!("{path}.allowOrigins"), &cors.allow_origins)?;
    let allow_headers = match &cors.allow_headers {
        Some(names) => Some(list::<ListedHeader>(&format!("{path}.allowHeaders"), names)?),
        None => None,
    };
    let expose_headers = list::<ListedHeader>(&format!("{path}.exposeHeaders"), &cors.expose_headers)?;
    let origins = if any { Origins::Any } else { Origins::Listed { listed, credentials: cors.allow_credentials } };
    Ok(Cors::new(origins, allow_headers.as_deref(), &expose_headers, cors.max_age.map_or(DEFAULT_MAX_AGE, |age| age.0)))
}

fn list<T: FromStr<Err = Expected>>(path: &str, listed: &[String]) -> Result<Vec<T>, ConfigError> {
    listed.iter().enumerate().map(|(index, one)| text(&format!("{path}[{index}]"), one)).collect()
}
