//! JSON Web Tokens with the claims that the policy maps.

use serde_json::{Map, Value, json};

use super::jws;
use super::options::{Claims, Signer};
use crate::failure::Failure;

/// Signs a token.
///
/// # Errors
/// As [`jws::sign`]; claims that the policy's names make members of each other.
pub fn sign(claims: &Claims<'_>, signer: &Signer) -> Result<String, Failure> {
    let name = |setting: &str, default: &str| {
        let name = signer.settings.get("claims").and_then(|claims| claims.get(setting)).and_then(Value::as_str);
        name.unwrap_or(default).to_owned()
    };
    let mut payload = jws::registered(claims, signer);
    let of_prefixes = signer.settings.get("pathsAre").and_then(Value::as_str) == Some("prefixes");
    let paths: Vec<&str> = match (&claims.acl, claims.url) {
        (Some(acl), _) if of_prefixes => acl.split('!').map(|path| path.strip_suffix('*').unwrap_or(path)).collect(),
        (Some(acl), _) => acl.split('!').collect(),
        (None, Some(url)) => vec![&url.path],
        (None, None) => Vec::new(),
    };
    insert(&mut payload, &name("paths", "paths"), json!(paths))?;
    if let Some(id) = &claims.options.id {
        insert(&mut payload, &name("id", "jti"), json!(id))?;
    }
    if let Some(text) = &claims.options.payload {
        insert(&mut payload, &name("payload", "sub"), json!(text))?;
    }
    jws::sign(claims, signer, &payload)
}

/// Sets the claim of a name. A dot leads to a member of a claim, unless the name is a URL.
fn insert(claims: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), Failure> {
    match name.split_once('.').filter(|_| !name.contains("://")) {
        None => _ = claims.insert(name.to_owned(), value),
        Some((outer, inner)) => {
            let outer = claims.entry(outer).or_insert_with(|| json!({}));
            let outer = outer.as_object_mut().ok_or_else(|| {
                Failure::Wrong(format!("the policy's claims: {name} is a member of a claim that is another one's"))
            })?;
            insert(outer, inner, value)?;
        }
    }
    Ok(())
}
