//! The fields of a token, explained, without verification.

use playlock_core::token::edge_auth::Claims;
use playlock_core::token::readings;

use crate::acl::{decoded, describe as describe_acl};
use crate::{session_token, time};

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Issued by a site; opens a session.
    Access,
    /// Issued by the filter; belongs to an open session.
    Session,
}

impl Role {
    /// The word for it in output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Session => "session",
        }
    }
}

/// The fields of a token, not verified.
#[derive(Debug, PartialEq, Eq)]
pub struct TokenFields {
    /// The kind of the token.
    pub role: Role,
    /// The decoded text.
    pub text: String,
    /// Name, value as sent, and meaning of each field.
    pub fields: Vec<(&'static str, String, String)>,
    /// Start and end of validity, in seconds since 1970-01-01T00:00:00Z.
    pub times: (Option<u64>, u64),
    /// The client address or network that it is bound to.
    pub ip: Option<String>,
    /// Whether it has an `acl`. Without one, it is signed for a URL that is not in the token.
    pub has_acl: bool,
}

/// Whether the value of a parameter looks like a token.
pub fn looks_like_token(text: &str) -> bool {
    session_token::is_one(&decoded(text))
        || readings(text).iter().any(|reading| reading.contains("~hmac=") || reading.starts_with("hmac="))
}

/// Parses a token as it was sent; `None` if it is malformed. `now` is in seconds since 1970-01-01T00:00:00Z.
pub fn read(sent: &str, now: u64) -> Option<TokenFields> {
    let plain = decoded(sent);
    if let Some(session) = session_token::read(&plain, now) {
        return Some(TokenFields {
            role: Role::Session,
            text: plain,
            fields: session.rows,
            times: (None, session.expires),
            ip: session.network,
            has_acl: true,
        });
    }
    readings(sent).into_iter().find_map(|reading| {
        let claims = Claims::parse(&reading).ok()?;
        Some(access_fields(&claims, &reading, now))
    })
}

fn access_fields(claims: &Claims<'_>, reading: &str, now: u64) -> TokenFields {
    let mut fields = Vec::new();
    let mut add = |name, value: &str, meaning: String| fields.push((name, value.to_owned(), meaning));
    if let Some(ip) = claims.ip {
        add("ip", ip, "only for this address".into());
    }
    if let Some(st) = claims.st {
        add("st", &st.to_string(), format!("valid from {}, {}", time::local(st), time::distance(st, now)));
    }
    let ends = if claims.exp < now { "expired" } else { "valid until" };
    add(
        "exp",
        &claims.exp.to_string(),
        format!("{ends} {}, {}", time::local(claims.exp), time::distance(claims.exp, now)),
    );
    match claims.acl {
        Some(acl) => add("acl", acl, describe_acl(acl)),
        None => add("url", "…", "signed for one URL, which is not in the token".into()),
    }
    if let Some(id) = claims.id {
        add("id", id, "id of the token, for revocation".into());
    }
    if let Some(data) = claims.data {
        add("data", data, format!("payload: {}", decoded(data)));
    }
    let tag = reading.rsplit_once("~hmac=").map_or("", |(_, tag)| tag);
    let hash = match tag.len() {
        64 => "HMAC-SHA-256",
        40 => "HMAC-SHA-1",
        _ => "HMAC-MD5",
    };
    add("hmac", tag, hash.into());
    TokenFields {
        role: Role::Access,
        text: reading.to_owned(),
        fields,
        times: (claims.st, claims.exp),
        ip: claims.ip.map(str::to_owned),
        has_acl: claims.acl.is_some(),
    }
}

/// The session id alone, as in the access log; `None` for access tokens.
pub fn session_id(token_fields: &TokenFields) -> Option<&str> {
    let (_, id, _) =
        token_fields.fields.iter().find(|(name, ..)| *name == "id" && token_fields.role == Role::Session)?;
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_words() {
        let tag = "0".repeat(64);
        let access =
            read(&format!("ip=192.0.2.1~st=10~exp=4000~acl=/vod/*!/a~id=x~data=a%20b~hmac={tag}"), 400).unwrap();
        let words: Vec<_> = access.fields.iter().map(|(name, _, meaning)| format!("{name}: {meaning}")).collect();
        assert_eq!(access.role, Role::Access);
        assert!(words[1].starts_with("st: valid from 1970-01-0") && words[1].ends_with("6 min 30 s ago"), "{words:?}");
        assert_eq!(words[3], "acl: everything below /vod/; only /a");
        assert_eq!(words[5], "data: payload: a b");
        assert_eq!(session_id(&access), None);
        assert_eq!(read("exp=1", 0), None);
        assert!(looks_like_token("exp%3d1%7ehmac%3d00") && !looks_like_token("media~p1~AAAA"));
    }
}
