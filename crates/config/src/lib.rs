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
//! use playlock_config::{check, parse};
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
//! let found = std::thread::spawn(move || check(text.as_bytes(), &env)).join().unwrap();
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
mod content_targeting;
pub mod document;
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
#[cfg(feature = "mediacdn")]
mod media_cdn;
mod media_encryption;
mod read;
#[cfg(feature = "findings")]
mod repair;
#[cfg(feature = "schema")]
pub mod schema;
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

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Deserialize;

use self::document::Document;
pub use self::error::ConfigError;
use self::error::Errors;
#[cfg(feature = "findings")]
pub use self::findings::{Finding, Findings, check, check_policy};
use self::json::Json;
use self::read::assignments::Names;
use self::secret::Reader;
use playlock_core::policy::Policies;
use playlock_core::policy::assignments::Assignments;
use playlock_core::policy::index::PolicyIndex;
use playlock_core::policy::policy::Policy;

/// Parses a JSON document. `env` looks up secrets given as `{"env": NAME}`. Returns the policies, and warnings to log.
///
/// # Errors
/// The first error, with its JSON path.
pub fn parse(json: &[u8], env: Env<'_>) -> Result<(Policies, Vec<String>), ConfigError> {
    compile(&deserialize(json)?, env)
}

/// Looks up a variable of the environment.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

fn compile(document: &Document, env: Env<'_>) -> Result<(Policies, Vec<String>), ConfigError> {
    let mut reader = Reader::new(env, read::geo_headers::read(&document.geo_headers)?);
    let (mut policies, mut names) = read_policies(document, &mut reader)?;
    let assignments = read::assignments::read(&document.assignments, &mut names)?;
    for (index, (policy, written)) in policies.iter_mut().zip(&document.policies).enumerate() {
        let start = assignments.start(PolicyIndex::new(index));
        let path = format!("policies[{index}].playerVerification");
        reader.warnings.extend(read::players::begin(&path, policy.players.as_mut(), written, start));
    }
    let covered = policies.iter().enumerate().filter_map(|(index, policy)| {
        let covering = covering_key_url(policy, &policies, &assignments)?;
        Some(format!(
            "policies[{index}].mediaEncryption.keyUrl: an assignment puts this path under \"{}\", for which the key server's answers would be content like any other",
            covering.name
        ))
    });
    reader.warnings.extend(covered);
    let Reader { geo_headers, warnings, .. } = reader;
    let mut policies = Policies::new(policies, names.keys, assignments, document.default, geo_headers);
    policies.hold_headers = document.hold_headers;
    policies.batching = document.batching;
    policies.route_policy = document.route_policy;
    read::path_marker::check(document, &policies)?;
    read::encryption::check_licenses(&policies)?;
    #[cfg(feature = "speke")]
    read::speke::check(&policies)?;
    Ok((policies, warnings))
}

fn deserialize(json: &[u8]) -> Result<Document, ConfigError> {
    let tree: Json = serde_json::from_slice(json).map_err(|error| ConfigError::new("$", error.to_string()))?;
    Document::deserialize(&tree).map_err(|error| {
        let path = if error.path.is_empty() { "$" } else { &*error.path };
        ConfigError::new(path, error.message)
    })
}

/// Reads the policies; names, the names that keys are derived from, and ids must be unique.
fn read_policies(document: &Document, reader: &mut Reader<'_>) -> Result<(Vec<Policy>, Names), ConfigError> {
    let mut policies: Vec<Policy> = Vec::with_capacity(document.policies.len());
    let mut names = Names::default();
    let marker = read::path_marker::read(document)?;
    for (index, written) in document.policies.iter().enumerate() {
        let path = format!("policies[{index}]");
        let mut errors = Errors::default();
        let Some(policy) = read::policy::read(&path, written, &marker, reader, &mut errors) else {
            return Err(errors.first(&path));
        };
        let index = PolicyIndex::new(index);
        if names.names.insert(policy.name.clone(), index).is_some() {
            return Err(ConfigError::new(
                format!("{path}.policyName"),
                format!("\"{}\" names two policies, expected different names", policy.name),
            ));
        }
        let derives = !policy.keyrings.is_empty();
        if let Some(other) = derives.then(|| names.keys.insert(policy.key_name.clone(), index)).flatten() {
            let member = if written.key_name.is_some() { "keyName" } else { "policyName" };
            return Err(ConfigError::new(
                format!("{path}.{member}"),
                format!(
                    "found \"{}\", from which policies[{other}] derives keys, too; expected a name of its own",
                    policy.key_name
                ),
            ));
        }
        if policy.id.is_some_and(|id| names.ids.insert(id.0, index).is_some()) {
            return Err(ConfigError::new(format!("{path}.policyId"), "names two policies, expected different numbers"));
        }
        policies.push(policy);
    }
    Ok((policies, names))
}

/// First policy that is not open and may apply to paths below the directory of this policy's `keyUrl`.
fn covering_key_url<'a>(policy: &Policy, policies: &'a [Policy], assignments: &Assignments) -> Option<&'a Policy> {
    let directory = policy.encryption.as_ref()?.key_url()?.directory()?;
    let possible = assignments.possible(directory).filter_map(|index| policies.get(index.get()));
    possible.into_iter().find(|policy| !policy.is_open())
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
mod tests;
#[cfg(test)]
#[cfg(feature = "urisigning")]
mod uri_signing_tests;
