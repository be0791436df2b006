//! Signed URIs (RFC 9246).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playlock_core::http::authority::{Scheme, normal_authority};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::jws;
use super::options::{Claims, Signer};
use crate::address::Address;
use crate::failure::Failure;

/// Signs a token: for one URL by its hash, or with `--acl` for the paths by a regular expression over the URL.
///
/// # Errors
/// As [`jws::sign`].
pub fn sign(claims: &Claims<'_>, signer: &Signer) -> Result<String, Failure> {
    let mut payload = jws::registered(claims, signer);
    payload.extend(claims.options.id.as_ref().map(|id| ("jti".to_owned(), json!(id))));
    let container = match (&claims.acl, claims.url) {
        (Some(acl), _) => format!("regex:{}", expression(acl)),
        (None, Some(url)) => format!("hash:sha-256;{}", URL_SAFE_NO_PAD.encode(Sha256::digest(normal(url)))),
        (None, None) => return Err(Failure::Wrong("expected --acl or --url".into())),
    };
    payload.insert("cdniv".into(), json!(1));
    payload.insert("cdniuc".into(), json!(container));
    if let Some(lifetime) = claims.options.renew {
        payload.insert("cdniets".into(), json!(lifetime));
        payload.insert("cdnistt".into(), json!(1));
    }
    jws::sign(claims, signer, &payload)
}

/// The URL with its host in lower case and without the default port (RFC 3986 sections 6.2.2.1 and 6.2.3).
fn normal(url: &Address) -> String {
    let scheme = if url.scheme == "https" { Scheme::Https } else { Scheme::Http };
    Address { authority: normal_authority(&url.authority, scheme), ..url.clone() }.to_string()
}

/// The patterns as one regular expression (POSIX ERE) over the whole URL, on any host.
fn expression(acl: &str) -> String {
    let mut text = String::from("[^:]*://[^/]*(");
    for (index, pattern) in acl.split('!').enumerate() {
        if index > 0 {
            text.push('|');
        }
        for char in pattern.chars() {
            match char {
                '*' => text.push_str(".*"),
                '?' => text.push('.'),
                '.' | '[' | ']' | '(' | ')' | '{' | '}' | '+' | '^' | '$' | '|' | '\\' => text.extend(['\\', char]),
                other => text.push(other),
            }
        }
    }
    text.push(')');
    text
}
