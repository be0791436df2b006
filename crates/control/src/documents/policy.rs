//! Policies as clients send them.

use serde_json::Value;

use super::compile::{self, is_name};
use super::json::{finding, kind, take, without_nulls};
use super::{limits, mask};
use crate::error::Finding;

/// Members of answers alone. Clients that get a policy, change it and put it back send them along.
const READ_ONLY: [&str; 4] = ["policyId", "status", "environment", "unsavedPolicy"];

/// A valid policy.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyDocument {
    /// The document to store.
    pub document: Value,
    /// `policyName`.
    pub name: String,
    /// `keyName`, if given.
    pub key_name: Option<String>,
    /// `promote`.
    pub promote: bool,
}

/// Reads a policy. Masked secrets are those of the `stored` policy; `generated` is the secret that it has without one
/// of its own.
///
/// # Errors
/// All members that are wrong.
pub fn read(mut document: Value, stored: Option<&Value>, generated: &Value) -> Result<PolicyDocument, Vec<Finding>> {
    if !document.is_object() {
        return Err(vec![finding("$", &format!("found {}, expected a policy: an object", kind(&document)))]);
    }
    without_nulls(&mut document);
    let mut found = Vec::new();
    let promote = match take(&mut document, "promote") {
        None => false,
        Some(Value::Bool(promote)) => promote,
        Some(other) => {
            found.push(finding("promote", &format!("found {}, expected a boolean", kind(&other))));
            false
        }
    };
    for member in READ_ONLY {
        take(&mut document, member);
    }
    let key_name = match take(&mut document, "keyName") {
        None => None,
        Some(Value::String(name)) if is_name(&name) => Some(name),
        Some(_) => {
            found.push(finding("keyName", "expected a string of 1 to 128 bytes without control characters"));
            None
        }
    };
    let name = match document.get("policyName") {
        Some(Value::String(name)) if is_name(name) => name.clone(),
        None => {
            found.push(finding("policyName", "missing, expected a name"));
            String::new()
        }
        Some(_) => {
            found.push(finding("policyName", "expected a string of 1 to 128 bytes without control characters"));
            String::new()
        }
    };
    found.extend(mask::unmask(&mut document, stored));
    // One finding for each member: the filter's own check repeats those of the limits.
    for other in limits::check(&document, stored).into_iter().chain(compile::policy(&document, generated)) {
        if !found.iter().any(|known| known.member == other.member) {
            found.push(other);
        }
    }
    if found.is_empty() { Ok(PolicyDocument { document, name, key_name, promote }) } else { Err(found) }
}
