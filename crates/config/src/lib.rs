//! Configuration documents: their members, and the readers that compile them into policies.
//!
//! A document is read once, when the proxy starts or gets another one, so that this crate is compiled for size.
//!
//! # In tools and control planes
//!
//! [`parse`] compiles a document as the filter does, and stops at the first error. [`check`] finds all errors, and
//! [`check_policy`] those of one policy. All three may run in any thread, and several at a time; findings can be sent to
//! other threads, compiled policies cannot.
//!
//! ```
//! use playlock_config::{Env, check, parse};
//! use serde_json::json;
//!
//! let env = |name: &str| (name == "PASSWORD").then(|| "52a152a152a152a152a152a152a152a1".to_owned());
//! let mut document = json!({
//!     "policies": [{"policyName": "vod", "tokenAuth": {"enabled": true, "password": {"env": "PASSWORD"}}}],
//!     "assignments": [{"policyName": "vod", "path": "/vod"}],
//! });
//! let (policies, warnings) = parse(document.to_string().as_bytes(), &env)?;
//! assert_eq!((policies.len(), warnings.len()), (1, 0));
//!
//! document["policies"][0]["tokenAuth"]["password"] = json!("00f");
//! document["assignments"][0]["host"] = json!("*.com");
//! let text = document.to_string();
//! let found = std::thread::spawn(move || check(text.as_bytes(), Env::new(&env))).join().unwrap();
//! let paths: Vec<_> = found.errors.iter().map(|error| (error.path.as_str(), error.policy)).collect();
//! assert_eq!(paths, [("policies[0].tokenAuth.password", Some(0)), ("assignments[0].host", None)]);
//! # Ok::<(), playlock_config::ConfigError>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(not(feature = "cat"))]
mod cat {
    pub use serde::de::IgnoredAny as Cat;
}
#[cfg(feature = "cat")]
mod cat;
mod compile;
mod content_targeting;
pub mod document;
mod env;
mod error;
#[cfg(feature = "findings")]
mod findings;
mod json;
#[cfg(feature = "keys")]
mod jwk;
#[cfg(feature = "schema")]
mod jwk_schema;
#[cfg(not(feature = "jwt"))]
mod jwt {
    pub use serde::de::IgnoredAny as Jwt;
}
#[cfg(feature = "jwt")]
mod jwt;
#[cfg(not(feature = "mediacdn"))]
mod media_cdn {
    pub use serde::de::IgnoredAny as MediaCdn;
}
mod leases;
#[cfg(feature = "mediacdn")]
mod media_cdn;
mod media_encryption;
mod read;
#[cfg(feature = "findings")]
mod repair;
#[cfg(feature = "schema")]
pub mod schema;
pub mod sealed;
mod secret;
#[cfg(not(feature = "speke"))]
mod speke {
    pub use serde::de::IgnoredAny as Speke;
}
#[cfg(feature = "speke")]
mod speke;
mod strength;
pub mod time;
mod token_auth;
#[cfg(not(feature = "urisigning"))]
mod uri_signing {
    pub use serde::de::IgnoredAny as UriSigning;
}
#[cfg(feature = "urisigning")]
mod uri_signing;
mod value;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Deserialize;

use self::compile::compile;
use self::document::Document;
pub use self::env::Env;
pub use self::error::ConfigError;
#[cfg(feature = "findings")]
pub use self::findings::{Finding, Findings, check, check_policy};
use self::json::Json;
use playlock_core::policy::Policies;

/// Parses a JSON document. `env` looks up secrets given as `{"env": NAME}`, and the keys of sealed ones. Returns the
/// policies, and warnings to log.
///
/// # Errors
/// The first error, with its JSON path.
pub fn parse(json: &[u8], env: &dyn Fn(&str) -> Option<String>) -> Result<(Policies, Vec<String>), ConfigError> {
    compile(&deserialize(json)?, Env::new(env))
}

/// Parses as [`parse`], where the keys of sealed secrets need not be known ([`Env::elsewhere`]).
///
/// # Errors
/// As [`parse`].
pub fn parse_elsewhere(json: &[u8], env: Env<'_>) -> Result<(Policies, Vec<String>), ConfigError> {
    compile(&deserialize(json)?, env)
}

fn deserialize(json: &[u8]) -> Result<Document, ConfigError> {
    let tree: Json = serde_json::from_slice(json).map_err(|error| ConfigError::new("$", error.to_string()))?;
    Document::deserialize(&tree).map_err(|error| {
        let path = if error.path.is_empty() { "$" } else { &*error.path };
        ConfigError::new(path, error.message)
    })
}

#[cfg(test)]
mod assignment_tests;
#[cfg(test)]
mod injection;
#[cfg(test)]
mod jwk_tests;
#[cfg(test)]
mod key_tests;
#[cfg(test)]
mod leases_tests;
#[cfg(test)]
#[cfg(feature = "default")]
mod sealed_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[cfg(feature = "urisigning")]
mod uri_signing_tests;
