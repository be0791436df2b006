//! JSON Web Signatures in their compact form (RFC 7515 section 3.1), for the formats that are claims in JSON.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::key::Algorithm;
use super::options::{Claims, Signer};
use crate::failure::Failure;

/// Signs claims.
///
/// # Errors
/// A key that is for another algorithm; SHA-1 and MD5, which the standard does not have.
pub fn sign(claims: &Claims<'_>, signer: &Signer, payload: &Map<String, Value>) -> Result<String, Failure> {
    let wanted = claims.options.algorithm;
    let name = match signer.key.algorithm() {
        Algorithm::Es256 => "ES256",
        Algorithm::EdDsa => "EdDSA",
        Algorithm::Rs256 => "RS256",
        Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5 => "HS256",
    };
    let kid = claims.options.kid.as_ref().or(signer.key.kid.as_ref());
    let header = match kid {
        Some(kid) => json!({"alg": name, "kid": kid, "typ": "JWT"}),
        None => json!({"alg": name, "typ": "JWT"}),
    };
    let encoded = |value: &str| URL_SAFE_NO_PAD.encode(value);
    let signed = format!("{}.{}", encoded(&header.to_string()), encoded(&Value::from(payload.clone()).to_string()));
    let signature = signer.key.sign(wanted, signed.as_bytes())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The registered claims (RFC 7519 section 4.1) except for the subject and the id.
pub fn registered(claims: &Claims<'_>, signer: &Signer) -> Map<String, Value> {
    let mut payload = Map::new();
    let mut add = |name: &str, value: Option<Value>| payload.extend(value.map(|value| (name.to_owned(), value)));
    add("iss", signer.issuer(claims.options).map(|issuer| json!(issuer)));
    add("aud", signer.audience(claims.options).map(|audience| json!(audience)));
    add("nbf", claims.start.map(|start| json!(start)));
    add("exp", Some(json!(claims.expires)));
    payload
}
