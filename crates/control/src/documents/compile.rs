//! Compiles documents with the filter's own core, so that nothing is stored that Envoy would refuse.

use std::cell::RefCell;
use std::collections::BTreeSet;

use playlock_config::{Env, sealed};
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

/// Compiles a whole document. Environment variables, and sealed secrets, get valid stand-ins.
///
/// # Errors
/// All faults, with their JSON paths in this document.
pub fn document(text: &str) -> Result<Compiled, Vec<Finding>> {
    let variables = RefCell::new(BTreeSet::new());
    let env = |name: &str| environment(name, &variables);
    let env = Env::elsewhere(&env, &stand_in);
    let parsed = playlock_config::parse_elsewhere(text.as_bytes(), env);
    let (policies, warnings) = parsed.map_err(|first| {
        let found = playlock_config::check(text.as_bytes(), env).errors;
        let found: Vec<_> = found.into_iter().map(|found| finding(&found.path, &found.message)).collect();
        if found.is_empty() { vec![finding(&first.path, &first.message)] } else { found }
    })?;
    Ok(Compiled {
        hold_headers: policies.hold_headers,
        variables: variables.into_inner().into_iter().collect(),
        warnings: warnings.into_iter().filter(|warning| !is_about_storage(warning)).collect(),
    })
}

/// The faults of one policy by itself, disabled sections included; paths are relative to it.
pub fn policy(policy: &Value, generated: &Value) -> Vec<Finding> {
    let whole = complete(policy, generated);
    let env = |name: &str| environment(name, &RefCell::default());
    let env = Env::elsewhere(&env, &stand_in);
    let alone = playlock_config::check_policy(whole.to_string().as_bytes(), env).errors;
    if !alone.is_empty() {
        return alone.into_iter().map(|found| finding(&found.path, &found.message)).collect();
    }
    // Some faults only show in a document.
    let text = json!({"holdHeaders": true, "policies": [whole], "assignments": []}).to_string();
    let found = document(&text).err().unwrap_or_default();
    found.into_iter().map(|finding| relative(finding, "policies[0].")).collect()
}

/// The warnings about one policy by itself; paths are relative to it.
pub fn policy_warnings(policy: &Value, generated: &Value) -> Vec<Finding> {
    let text = complete(policy, generated).to_string();
    let env = |name: &str| environment(name, &RefCell::default());
    let env = Env::elsewhere(&env, &stand_in);
    let found = playlock_config::check_policy(text.as_bytes(), env).warnings.into_iter();
    found.filter(|found| !is_about_storage(&found.message)).map(|it| finding(&it.path, &it.message)).collect()
}

/// The faults of settings.
pub fn settings(settings: &Value) -> Vec<Finding> {
    let mut whole = settings.clone();
    for member in ["policies", "assignments"] {
        set(&mut whole, member, json!([]));
    }
    document(&whole.to_string()).err().unwrap_or_default()
}

/// Whether a policy may have this name, which counters, logs and tokens contain.
pub fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// A policy that is filled out, and has a secret and a name.
fn complete(policy: &Value, generated: &Value) -> Value {
    let mut whole = fill::filled(policy);
    add_secret(&mut whole, generated);
    // A name that is missing or wrong has been found before.
    if !whole.get("policyName").and_then(Value::as_str).is_some_and(is_name) {
        set(&mut whole, "policyName", "policy".into());
    }
    whole
}

fn relative(found: Finding, prefix: &str) -> Finding {
    match found.member.strip_prefix(prefix) {
        Some(member) => finding(member, &found.detail),
        None => Finding { member: "$".into(), ..found },
    }
}

/// The filter warns of secrets in its document. Here it is no file: it is stored encrypted.
fn is_about_storage(warning: &str) -> bool {
    warning.contains("the secret stands in the configuration")
}

/// The value of a variable in Envoy's environment. The keys of sealed secrets have no stand-in: it could not open them.
fn environment(name: &str, variables: &RefCell<BTreeSet<String>>) -> Option<String> {
    variables.borrow_mut().insert(name.to_owned());
    (name != sealed::KEY && name != sealed::PREVIOUS_KEY).then(|| stand_in(name))
}

/// A valid secret in place of a variable or a sealed text: 16 bytes in hex, different for each.
fn stand_in(name: &str) -> String {
    base16ct::lower::encode_string(Sha256::digest(name).get(..16).unwrap_or_default())
}
