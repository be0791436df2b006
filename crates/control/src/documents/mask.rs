//! Secrets in documents: masked where they are shown, and kept where a client sends the mask back.

use serde_json::Value;

use super::json::finding;
use crate::error::Finding;

/// The text in place of a secret.
pub const MASK: &str = "********";

/// The members that hold secrets, in policies and JSON Web Keys. A test compares them with the schema.
pub const SECRETS: [&str; 8] =
    ["d", "k", "key", "password", "secret", "token", "transitionPassword", "transitionSecret"];

/// Members that the audit trail masks, too: who has the hash of a player can pose as that player.
const CREDENTIALS: [&str; 1] = ["hash"];

/// A copy with every secret masked. `{"env": …}` and `{"sealed": …}` are not secrets.
pub fn masked(value: &Value) -> Value {
    let mut value = value.clone();
    mask(&mut value, &|name| SECRETS.contains(&name));
    value
}

/// A copy for the audit trail, which is not encrypted: every secret and credential masked.
pub fn recorded(value: &Value) -> Value {
    let mut value = value.clone();
    mask(&mut value, &|name| SECRETS.contains(&name) || CREDENTIALS.contains(&name));
    value
}

fn mask(value: &mut Value, is_secret: &dyn Fn(&str) -> bool) {
    match value {
        Value::Object(object) => {
            for (name, member) in object.iter_mut() {
                match member {
                    Value::Object(_) | Value::Bool(_) | Value::Null => mask(member, is_secret),
                    // A number or an array is a secret that was written wrongly.
                    _ if is_secret(name) => *member = MASK.into(),
                    _ => mask(member, is_secret),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, is_secret)),
        _ => {}
    }
}

/// Puts the stored secrets where a document has the mask. Returns the masks for which there is none.
pub fn unmask(value: &mut Value, stored: Option<&Value>) -> Vec<Finding> {
    let mut missing = Vec::new();
    restore(value, stored, "", &mut missing);
    missing
}

fn restore(value: &mut Value, stored: Option<&Value>, path: &str, missing: &mut Vec<Finding>) {
    match value {
        Value::Object(object) => {
            for (name, member) in object.iter_mut() {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let stored = stored.and_then(|stored| stored.get(name));
                if !SECRETS.contains(&name.as_str()) || member.as_str() != Some(MASK) {
                    restore(member, stored, &path, missing);
                } else if let Some(stored) = stored {
                    *member = stored.clone();
                } else {
                    missing.push(finding(&path, "found the mask of a secret, but none is stored; expected the secret"));
                }
            }
        }
        Value::Array(items) => {
            let all = stored.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            for (index, item) in items.iter_mut().enumerate() {
                let stored = counterpart(item, all);
                restore(item, stored, &format!("{path}[{index}]"), missing);
            }
        }
        _ => {}
    }
}

/// The stored item that an item of an array stands for: the same but for its secrets, or the only one with its name.
fn counterpart<'a>(item: &Value, stored: &'a [Value]) -> Option<&'a Value> {
    let shown = masked(item);
    let mut same = stored.iter().filter(|stored| masked(stored) == shown);
    if let Some(first) = same.next() {
        // Two that only differ in their secrets cannot be told apart.
        return same.next().is_none().then_some(first);
    }
    ["kid", "name"].iter().find_map(|member| {
        let name = item.get(member)?;
        let mut named = stored.iter().filter(|stored| stored.get(member) == Some(name));
        named.next().filter(|_| named.next().is_none())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn masks_and_restores() {
        let stored = json!({"policyName": "key", "tokenAuth": {"enabled": true, "password": "c0ffee",
            "transitionPassword": {"env": "NEXT"}, "jwt": {"keys": [
                {"kty": "oct", "kid": "a", "k": "AAAA"}, {"kty": "oct", "kid": "b", "k": "BBBB"}]}}});
        let shown = masked(&stored);
        assert_eq!(
            shown,
            json!({"policyName": "key", "tokenAuth": {"enabled": true, "password": MASK,
                "transitionPassword": {"env": "NEXT"}, "jwt": {"keys": [
                    {"kty": "oct", "kid": "a", "k": MASK}, {"kty": "oct", "kid": "b", "k": MASK}]}}})
        );
        let mut back = shown.clone();
        assert_eq!(unmask(&mut back, Some(&stored)), []);
        assert_eq!(back, stored);
        // In another order, and with another member.
        let mut keys = shown.pointer("/tokenAuth/jwt/keys").unwrap().as_array().unwrap().clone();
        keys.reverse();
        keys[0]["alg"] = json!("HS256");
        let mut other = json!({"tokenAuth": {"jwt": {"keys": keys}}});
        assert_eq!(unmask(&mut other, Some(&stored)), []);
        assert_eq!(other.pointer("/tokenAuth/jwt/keys/0/k"), Some(&json!("BBBB")));
        assert_eq!(other.pointer("/tokenAuth/jwt/keys/1/k"), Some(&json!("AAAA")));
    }

    #[test]
    fn masks_that_stand_for_nothing() {
        let mut document = json!({"tokenAuth": {"password": MASK, "jwt": {"keys": [{"kid": "c", "k": MASK}]}}});
        let stored = json!({"tokenAuth": {"jwt": {"keys": [{"kid": "a", "k": "AAAA"}]}}});
        let missing = unmask(&mut document, Some(&stored));
        let members: Vec<_> = missing.iter().map(|finding| finding.member.as_str()).collect();
        assert_eq!(members, ["tokenAuth.jwt.keys[0].k", "tokenAuth.password"]);
    }

    /// Every member whose schema is `Secret` is in the list.
    #[test]
    fn lists_the_secrets_of_the_schema() {
        fn search(value: &Value, found: &mut Vec<String>) {
            let Some(object) = value.as_object() else {
                return value.as_array().into_iter().flatten().for_each(|item| search(item, found));
            };
            for (name, property) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if property.to_string().contains("#/$defs/Secret\"") && !property.to_string().contains("\"items\"") {
                    found.push(name.clone());
                }
            }
            object.values().for_each(|member| search(member, found));
        }
        let schema = schemars::schema_for!(playlock_config::document::Document);
        let mut found = Vec::new();
        search(&serde_json::to_value(schema).unwrap(), &mut found);
        found.sort();
        found.dedup();
        assert_eq!(found, SECRETS);
    }
}
