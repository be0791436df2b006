//! The generated secret of a policy that has none of its own.

use serde_json::Value;

use super::json::{is_true, set};

/// Gives a filled policy that needs a secret, and has none of its own, the generated one. Without it, keys would depend
/// on passwords: they would change with them, and short ones would not do.
pub fn add_secret(policy: &mut Value, generated: &Value) {
    let needed = is_true(policy, &["tokenAuth", "enabled"]) || is_true(policy, &["mediaEncryption", "enabled"]);
    let chained = is_true(policy, &["tokenAuth", "urisigning", "chaining"]);
    let Some(encryption) = policy.get_mut("mediaEncryption") else { return };
    if needed && !chained && encryption.get("secret").is_none() {
        set(encryption, "secret", generated.clone());
    }
}
