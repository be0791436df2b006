//! Settings of a network: the members of the filter's document that are neither policies nor assignments.

use serde_json::{Value, json};

use super::compile;
use super::json::{finding, kind, without_nulls};
use crate::error::Finding;

/// Members that the control plane composes.
const COMPOSED: [&str; 3] = ["assignments", "policies", "revision"];

/// Reads settings.
///
/// # Errors
/// The members that are wrong.
pub fn read(mut document: Value) -> Result<Value, Vec<Finding>> {
    let Some(object) = document.as_object() else {
        return Err(vec![finding("$", &format!("found {}, expected settings: an object", kind(&document)))]);
    };
    let composed = COMPOSED.iter().filter(|member| object.contains_key(**member));
    let mut found: Vec<_> = composed
        .map(|member| finding(member, "is composed by the control plane, expected settings of the filter alone"))
        .collect();
    if found.is_empty() {
        without_nulls(&mut document);
        found = compile::settings(&filled(&document));
    }
    if found.is_empty() { Ok(document) } else { Err(found) }
}

/// The settings with the defaults of the control plane: headers are held, and requests without a policy are denied.
pub fn filled(document: &Value) -> Value {
    let mut filled = json!({"holdHeaders": true, "default": "deny"});
    if let (Some(filled), Some(document)) = (filled.as_object_mut(), document.as_object()) {
        filled.extend(document.clone());
    }
    filled
}
