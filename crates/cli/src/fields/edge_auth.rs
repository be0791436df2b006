//! The fields of EdgeAuth tokens.

use playlock_core::token::edge_auth::Claims;
use playlock_core::token::format::Format;

use super::{Covers, Role, TokenFields, add, ends, starts};
use crate::acl::{decoded, describe};

/// Parses a reading of a token; `None` if it has another grammar.
pub fn read(reading: &str, now: u64) -> Option<TokenFields> {
    let claims = Claims::parse(reading).ok()?;
    let mut rows = Vec::new();
    if let Some(ip) = claims.ip {
        add(&mut rows, "ip", ip, "only for this address");
    }
    if let Some(st) = claims.st {
        add(&mut rows, "st", st, starts(st, now));
    }
    add(&mut rows, "exp", claims.exp, ends(claims.exp, now));
    match claims.acl {
        Some(acl) => add(&mut rows, "acl", acl, describe(acl)),
        None => add(&mut rows, "url", "…", "signed for one URL, which is not in the token"),
    }
    if let Some(id) = claims.id {
        add(&mut rows, "id", id, "id of the token, for revocation");
    }
    if let Some(data) = claims.data {
        add(&mut rows, "data", data, format!("payload: {}", decoded(data)));
    }
    let tag = reading.rsplit_once("~hmac=").map_or("", |(_, tag)| tag);
    let hash = match tag.len() {
        64 => "HMAC-SHA-256",
        40 => "HMAC-SHA-1",
        _ => "HMAC-MD5",
    };
    add(&mut rows, "hmac", "…", hash);
    Some(TokenFields {
        role: Role::Access,
        formats: vec![Format::EdgeAuth],
        text: reading.to_owned(),
        rows,
        times: (claims.st, Some(claims.exp)),
        ip: claims.ip.map(str::to_owned),
        covers: claims.acl.is_none().then_some(Covers::Url),
    })
}
