//! Compiles documents with the filter's own core, so that nothing is stored that Envoy would refuse.

use std::cell::RefCell;
use std::collections::BTreeSet;

use playlock_config::ConfigError;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::fill;
use super::generated::add_secret;
use super::json::{finding, set};
use crate::error::Finding;

/// A document that compiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compiled {
    /// The environment variables that it names, sorted.
    pub variables: Vec<String>,
    /// Whether it holds headers.
    pub hold_headers: bool,
    /// The filter's warnings, except those about secrets in the document: it is not a file.
    pub warnings: Vec<String>,
}

/// Compiles a whole document. Environment variables get valid stand-ins.
///
/// # Errors
/// The faults, with their JSON paths in this document.
pub fn document(text: &str) -> Result<Compiled, Vec<Finding>> {
    let variables = RefCell::new(BTreeSet::new());
    let env = |name: &str| {
        variables.borrow_mut().insert(name.to_owned());
        Some(stand_in(name))
    };
    let (policies, mut warnings) = playlock_config::parse(text.as_bytes(), &env).map_err(|error| vec![of(error)])?;
    warnings.retain(|warning| !warning.contains("the secret stands in the configuration"));
    Ok(Compiled {
        hold_headers: policies.hold_headers,
        variables: variables.into_inner().into_iter().collect(),
        warnings,
    })
}

/// The faults of one policy by itself, disabled sections included; paths are relative to it.
pub fn policy(policy: &Value, generated: &Value) -> Vec<Finding> {
    let mut whole = fill::filled(policy);
    add_secret(&mut whole, generated);
    // A missing name has been found before.
    if whole.get("policyName").is_none() {
        set(&mut whole, "policyName", "policy".into());
    }
    let text = json!({"holdHeaders": true, "policies": [whole], "assignments": []}).to_string();
    let found = document(&text).err().unwrap_or_default();
    found.into_iter().map(|finding| relative(finding, "policies[0].")).collect()
}

/// The faults of settings.
pub fn settings(settings: &Value) -> Vec<Finding> {
    let mut whole = settings.clone();
    for member in ["policies", "assignments"] {
        set(&mut whole, member, json!([]));
    }
    document(&whole.to_string()).err().unwrap_or_default()
}

fn relative(found: Finding, prefix: &str) -> Finding {
    match found.member.strip_prefix(prefix) {
        Some(member) => finding(member, &found.detail),
        None => Finding { member: "$".into(), ..found },
    }
}

fn of(error: ConfigError) -> Finding {
    Finding { member: error.path, detail: error.message }
}

/// A valid secret in place of a variable: 16 bytes in hex, different for each name.
fn stand_in(name: &str) -> String {
    base16ct::lower::encode_string(Sha256::digest(name).get(..16).unwrap_or_default())
}
