//! JSON Web Tokens with the claims that the policy maps.

use serde_json::{Value, json};

use super::{Claims, Signer, jws};
use crate::failure::Failure;

/// Signs a token.
///
/// # Errors
/// As [`jws::sign`].
pub fn sign(claims: &Claims<'_>, signer: &Signer) -> Result<String, Failure> {
    let claim = |setting: &str, default: &str| {
        signer.settings.get(setting).and_then(Value::as_str).unwrap_or(default).to_owned()
    };
    let mut payload = jws::registered(claims, signer, &claim("idClaim", "sub"));
    let paths: Vec<&str> = match (&claims.acl, claims.url) {
        (Some(acl), _) => acl.split('!').collect(),
        (None, Some(url)) => vec![&url.path],
        (None, None) => Vec::new(),
    };
    payload.insert(claim("pathsClaim", "paths"), json!(paths));
    if let Some(text) = &claims.options.payload {
        payload.insert(claim("payloadClaim", "data"), json!(text));
    }
    jws::sign(claims, signer, &payload)
}
