//! Configuration documents: their members, and the readers that compile them into policies.
//!
//! A document is read once, when the proxy starts or gets another one, so that this crate is compiled for size.
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

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Deserialize;

use self::document::Document;
pub use self::error::ConfigError;
use self::json::Json;
use self::read::assignments::Names;
use self::secret::Reader;
use playlock_core::policy::Policies;
use playlock_core::policy::assignments::Assignments;
use playlock_core::policy::index::PolicyIndex;
use playlock_core::policy::policy::Policy;

/// The largest `revision`, 2^53 - 1: larger integers lose digits in JSON readers that have only doubles (RFC 8259 section 6).
const LARGEST_REVISION: u64 = (1 << 53) - 1;

/// Parses a JSON document. `env` looks up secrets given as `{"env": NAME}`, and the keys of sealed ones. Returns the policies, and warnings to log.
///
/// # Errors
/// The first error, with its JSON path.
pub fn parse(json: &[u8], env: &dyn Fn(&str) -> Option<String>) -> Result<(Policies, Vec<String>), ConfigError> {
    parse_with(json, env, None)
}

/// Parses as [`parse`], where the key of sealed secrets need not be known: `stand_in` returns a value in place of the
/// text that cannot be opened. Sealed texts must be well-formed all the same.
///
/// # Errors
/// As [`parse`].
pub fn parse_elsewhere(
    json: &[u8],
    env: &dyn Fn(&str) -> Option<String>,
    stand_in: &dyn Fn(&str) -> String,
) -> Result<(Policies, Vec<String>), ConfigError> {
    parse_with(json, env, Some(stand_in))
}

fn parse_with(
    json: &[u8],
    env: &dyn Fn(&str) -> Option<String>,
    stand_in: Option<&dyn Fn(&str) -> String>,
) -> Result<(Policies, Vec<String>), ConfigError> {
    let document = deserialize(json)?;
    if let Some(revision) = document.revision.filter(|revision| *revision > LARGEST_REVISION) {
        let message = format!("found {revision}, expected an integer from 0 to {LARGEST_REVISION}");
        return Err(ConfigError::new("revision", message));
    }
    let mut reader = Reader::new(env, read::geo_headers::read(&document.geo_headers)?);
    reader.stand_in = stand_in;
    let (mut policies, names) = read_policies(&document, &mut reader)?;
    let assignments = read::assignments::read(&document.assignments, names)?;
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
    let mut policies = Policies::new(policies, assignments, document.default, geo_headers);
    policies.hold_headers = document.hold_headers;
    policies.batching = document.batching;
    policies.route_policy = document.route_policy;
    policies.revision = document.revision;
    read::path_marker::check(&document, &policies)?;
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

/// Reads the policies; names and ids must be unique.
fn read_policies(document: &Document, reader: &mut Reader<'_>) -> Result<(Vec<Policy>, Names), ConfigError> {
    let mut policies: Vec<Policy> = Vec::with_capacity(document.policies.len());
    let mut names = Names::default();
    let marker = read::path_marker::read(document)?;
    for (index, policy) in document.policies.iter().enumerate() {
        let path = format!("policies[{index}]");
        let policy = read::policy::read(&path, policy, &marker, reader)?;
        let index = PolicyIndex::new(index);
        if names.names.insert(policy.name.clone(), index).is_some() {
            return Err(ConfigError::new(
                format!("{path}.policyName"),
                format!("\"{}\" names two policies, expected different names", policy.name),
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
#[cfg(feature = "default")]
mod sealed_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[cfg(feature = "urisigning")]
mod uri_signing_tests;
