//! EdgeAuth v2 tokens, as the public libraries make them without `escape_early`.

use std::net::IpAddr;

use playlock_core::token::edge_auth;

use super::options::{Claims, Signer};
use crate::failure::Failure;

/// Signs a token.
///
/// # Errors
/// Claims that the format cannot express.
pub fn sign(claims: &Claims<'_>, signer: &Signer) -> Result<String, Failure> {
    let options = claims.options;
    let ip = options.ip.as_ref().map(|ip| ip.parse::<IpAddr>()).transpose();
    let ip = ip.map_err(|_| Failure::Wrong("--ip: a network, or no address; expected an address".into()))?;
    let fields = [
        ("ip", ip.map(|ip| ip.to_string())),
        ("st", claims.start.map(|start| start.to_string())),
        ("exp", Some(claims.expires.to_string())),
        ("acl", claims.acl.clone()),
        ("id", options.id.clone()),
        ("data", options.payload.clone()),
    ];
    let fields: Vec<String> =
        fields.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?))).collect();
    let fields = fields.join("~");
    let mut signed = fields.clone();
    if let (None, Some(url)) = (&claims.acl, claims.url) {
        signed.push_str("~url=");
        signed.push_str(&url.target(None));
    }
    if let Some(salt) = &signer.salt {
        signed.push_str("~salt=");
        signed.push_str(salt);
    }
    let token = format!("{fields}~hmac={}", signer.key.hmac_hex(options.algorithm, signed.as_bytes())?);
    // EdgeAuth generators do not escape: a value may look like another field to the filter.
    let read = edge_auth::Claims::parse(&token).ok().is_some_and(|read| {
        read.acl == claims.acl.as_deref() && read.id == options.id.as_deref() && read.data == options.payload.as_deref()
    });
    let plain = token.chars().all(|char| !char.is_control());
    if !read || !plain {
        return Err(Failure::Wrong(
            "--acl, --id or --payload: empty, or not possible in a token; expected text without ~name= and control characters, and valid escapes in an ACL".into(),
        ));
    }
    Ok(token)
}
