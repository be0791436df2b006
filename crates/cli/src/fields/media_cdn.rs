//! The fields of Media CDN's tokens.

use playlock_core::token::format::Format;
use playlock_core::token::media_cdn::claims::{Claims, Field, Scope, Tag, bytes};

use super::{Covers, Role, TokenFields, add, ends, starts};
use crate::acl::{decoded, describe};

/// Parses a reading of a token; `None` if it has another grammar.
pub fn read(reading: &str, now: u64) -> Option<TokenFields> {
    let claims = Claims::parse(reading).ok()?;
    let mut rows = Vec::new();
    for (name, field, value) in claims.written() {
        let text = || bytes(value).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let meaning = match field {
            Field::UrlPrefix => format!("every URL that begins with {}", text()),
            Field::FullPath => "only the path that was signed, which is not in the token".into(),
            Field::PathGlobs => describe(&value.replace(',', "!")),
            Field::Starts => starts(claims.starts.unwrap_or_default(), now),
            Field::Expires => ends(claims.expires, now),
            Field::SessionId => "id of the token, for revocation".into(),
            Field::Data => format!("payload: {}", decoded(value)),
            Field::Headers => "only with the values of these request headers that were signed".into(),
            Field::IpRanges => format!("only for addresses in {}", text()),
        };
        add(&mut rows, name, if field == Field::FullPath { "…" } else { value }, meaning);
    }
    let (name, algorithm) = match claims.tag {
        Tag::Ed25519(_) => ("Signature", "Ed25519"),
        Tag::Sha256(_) => ("hmac", "HMAC-SHA-256"),
        Tag::Sha1(_) => ("hmac", "HMAC-SHA-1"),
    };
    add(&mut rows, name, "…", algorithm);
    let covers = match claims.scope {
        Scope::FullPath => Some(Covers::Url),
        _ if claims.headers.is_empty() => None,
        _ => Some(Covers::Headers),
    };
    Some(TokenFields {
        role: Role::Access,
        formats: vec![Format::MediaCdn],
        text: reading.to_owned(),
        rows,
        times: (claims.starts, Some(claims.expires)),
        ip: claims.ip_ranges.as_deref().and_then(|ranges| ranges.split(',').next()).map(str::to_owned),
        covers,
    })
}
