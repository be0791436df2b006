//! Answers are filled out: every boolean, array and enumeration of the API is there with its default, as in its
//! examples.

use serde_json::{Value, json};

use super::json::{set, take};

/// The document of a policy with the API's defaults. Texts that are not set stay absent.
pub fn filled(document: &Value) -> Value {
    let mut filled = document.clone();
    complete(&mut filled, defaults());
    let players = filled.pointer_mut("/playerVerification/players").and_then(Value::as_array_mut);
    for player in players.into_iter().flatten() {
        complete(player, json!({"enabled": true}));
    }
    filled
}

/// A version of a policy as `unsavedPolicy` has it: without members of requests alone.
pub fn version(document: &Value) -> Value {
    let mut version = filled(document);
    for member in ["contractId", "groupId"] {
        take(&mut version, member);
    }
    version
}

/// A policy of an answer: a version with its number and status, and with its key name if that is not the policy's name.
pub fn answer(id: i64, key_name: &str, status: &str, document: &Value) -> Value {
    let mut policy = version(document);
    set(&mut policy, "policyId", id.into());
    set(&mut policy, "status", status.into());
    if policy.get("policyName").and_then(Value::as_str) != Some(key_name) {
        set(&mut policy, "keyName", key_name.into());
    }
    policy
}

fn complete(value: &mut Value, defaults: Value) {
    let (Some(object), Value::Object(defaults)) = (value.as_object_mut(), defaults) else { return };
    for (name, default) in defaults {
        match object.get_mut(&name) {
            Some(member) => complete(member, default),
            None => {
                object.insert(name, default);
            }
        }
    }
}

fn defaults() -> Value {
    json!({
        "tokenAuth": {"enabled": false, "enforceOnInitialRequest": true, "enforceOnContentRequest": true},
        "mediaEncryption": {"enabled": false, "percentageCoverage": "100"},
        "contentTargeting": {
            "enabled": false,
            "geoProtection": {
                "enabled": false,
                "mode": "DENY",
                "countries": [],
                "dmas": [],
                "regions": [],
                "overrideIps": [],
                "geoRedirectOnDenyEnabled": false,
            },
            "ipAccess": {"enabled": false, "mode": "DENY", "ipRedirectOnDenyEnabled": false, "ips": []},
            "referer": {"enabled": false, "domains": [], "referrerRedirectEnabled": false},
            "denyAnonymousProxies": false,
            "denyTransparentProxies": false,
        },
        "playerVerification": {
            "enabled": false,
            "supportPlayerEnabled": false,
            "resetSupportPlayer": false,
            "players": [],
        },
    })
}
