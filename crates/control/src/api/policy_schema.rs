//! The schema of policies at the API: the filter's own, with the members that only the API has.

use serde_json::{Value, json};

/// The schema of a policy as a document of its own, for editors: `$defs` beside the members.
pub fn policy_schema() -> Value {
    let mut whole = playlock_config::schema::schema();
    let definitions = whole.get_mut("$defs").map(Value::take).unwrap_or_default();
    let mut policy = with_members(definitions.get("Policy").cloned().unwrap_or_default());
    if let Some(members) = policy.as_object_mut() {
        members.insert("$defs".into(), definitions);
    }
    policy
}

/// Adds the members that a policy has at the API alone.
pub fn with_members(mut policy: Value) -> Value {
    let more = json!({
        "policyId": {"description": "The policy's number.", "type": ["integer", "string"], "readOnly": true},
        "description": {"description": "A text for people.", "type": "string", "maxLength": 1000},
        "contractId": {"description": "Akamai's; accepted and stored.", "type": "string", "writeOnly": true},
        "groupId": {"description": "Akamai's; accepted and stored.", "type": ["string", "integer"], "writeOnly": true},
        "promote": {"description": "Whether the policy is put on production at once.", "type": "boolean", "writeOnly": true},
        "environment": {"description": "The network.", "enum": ["staging", "production"], "readOnly": true},
        "status": {
            "description": "The state of the policy.",
            "enum": ["ACTIVE", "ACTIVE_EDITED_STAGING", "ACTIVE_DELETED_STAGING", "EDITED", "DELETED"],
            "readOnly": true,
        },
        "unsavedPolicy": {"description": "The version on staging, if it differs.", "type": "object", "readOnly": true},
    });
    if let (Some(members), Some(more)) = (policy.get_mut("properties").and_then(Value::as_object_mut), more.as_object())
    {
        members.extend(more.clone());
    }
    policy
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_schema_has_members_of_the_filter_and_of_the_api() {
        let schema = policy_schema();
        for pointer in ["/properties/tokenAuth", "/properties/unsavedPolicy", "/$defs/TokenAuth"] {
            assert!(schema.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
