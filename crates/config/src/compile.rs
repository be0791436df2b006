//! Compilation of a document that has been read into policies.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::document::Document;
use crate::env::Env;
use crate::error::{ConfigError, Errors};
use crate::read;
use crate::read::assignments::Names;
use crate::secret::Reader;
use playlock_core::policy::Policies;
use playlock_core::policy::assignments::Assignments;
use playlock_core::policy::index::PolicyIndex;
use playlock_core::policy::policy::Policy;

/// The largest `revision`, 2^53 - 1: larger integers lose digits in JSON readers that have only doubles (RFC 8259 section 6).
const LARGEST_REVISION: u64 = (1 << 53) - 1;

/// Compiles a document. Returns the policies, and warnings to log.
///
/// # Errors
/// The first error, with its JSON path.
pub fn compile(document: &Document, env: Env<'_>) -> Result<(Policies, Vec<String>), ConfigError> {
    if let Some(revision) = document.revision.filter(|revision| *revision > LARGEST_REVISION) {
        let message = format!("found {revision}, expected an integer from 0 to {LARGEST_REVISION}");
        return Err(ConfigError::new("revision", message));
    }
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
    policies.revision = document.revision;
    read::path_marker::check(document, &policies)?;
    read::encryption::check_licenses(&policies)?;
    #[cfg(feature = "speke")]
    read::speke::check(&policies)?;
    Ok((policies, warnings))
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
