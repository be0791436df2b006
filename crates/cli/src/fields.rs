//! The fields of a token, explained, without verification.

use playlock_core::bytes::percent;
use playlock_core::token::edge_auth::Claims;
use playlock_core::token::readings;

use crate::time;

/// The kind of a token, by its payload: that of a session token begins with `hdntl`.
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
    readings(text).iter().any(|reading| reading.contains("~hmac=") || reading.starts_with("hmac="))
}

/// Parses a token as it was sent; `None` if it is malformed. `now` is in seconds since 1970-01-01T00:00:00Z.
pub fn read(sent: &str, now: u64) -> Option<TokenFields> {
    readings(sent).into_iter().find_map(|reading| {
        let claims = Claims::parse(&reading).ok()?;
        Some(token_fields(&claims, &reading, now))
    })
}

fn token_fields(claims: &Claims<'_>, reading: &str, now: u64) -> TokenFields {
    let of_session = claims.data.is_some_and(|data| data == "hdntl" || data.starts_with("hdntl,"));
    let role = if of_session { Role::Session } else { Role::Access };
    let mut fields = Vec::new();
    let mut add = |name, value: &str, meaning: String| fields.push((name, value.to_owned(), meaning));
    if let Some(ip) = claims.ip {
        let what = if of_session { "only for viewers in this network" } else { "only for this address" };
        add("ip", ip, what.into());
    }
    if let Some(st) = claims.st {
        let what = if of_session { "session opened" } else { "valid from" };
        add("st", &st.to_string(), format!("{what} {}, {}", time::local(st), time::distance(st, now)));
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
        add("id", id, if of_session { describe_session_id(id) } else { "id of the token, for revocation".into() });
    }
    if let Some(data) = claims.data {
        let meaning = match data.strip_prefix("hdntl") {
            Some("") if of_session => "marks a session token".to_owned(),
            Some(rest) if of_session => {
                format!("marks a session token; the access token's payload: {}", decoded(rest.trim_start_matches(',')))
            }
            _ => format!("payload: {}", decoded(data)),
        };
        add("data", data, meaning);
    }
    let tag = reading.rsplit_once("~hmac=").map_or("", |(_, tag)| tag);
    let hash = match tag.len() {
        64 => "HMAC-SHA-256",
        40 => "HMAC-SHA-1",
        _ => "HMAC-MD5",
    };
    add("hmac", tag, hash.into());
    TokenFields {
        role,
        text: reading.to_owned(),
        fields,
        times: (claims.st.filter(|_| !of_session), claims.exp),
        ip: claims.ip.map(str::to_owned),
        has_acl: claims.acl.is_some(),
    }
}

/// The session id alone, as in the access log; `None` for access tokens.
pub fn session_id(token_fields: &TokenFields) -> Option<&str> {
    let (_, id, _) =
        token_fields.fields.iter().find(|(name, ..)| *name == "id" && token_fields.role == Role::Session)?;
    id.split([',', '.']).next()
}

fn describe_session_id(id: &str) -> String {
    let (own, access) = id.split_once(',').map_or((id, None), |(own, access)| (own, Some(access)));
    let (own, tag) = own.split_once('.').map_or((own, false), |(own, _)| (own, true));
    let mut text = format!("session {own}, as in the access log");
    if tag {
        text.push_str("; bound to the value of a request header");
    }
    if let Some(access) = access {
        text.push_str(&format!("; opened by the access token {}", decoded(access)));
    }
    text
}

fn describe_acl(acl: &str) -> String {
    let patterns: Vec<String> = acl
        .split('!')
        .map(|pattern| {
            let plain = pattern.strip_suffix('*').unwrap_or(pattern);
            match (pattern.ends_with('*'), plain.contains(['*', '?'])) {
                (true, false) if plain.ends_with('/') => format!("everything below {}", decoded(plain)),
                (true, false) => format!("every path that begins with {}", decoded(plain)),
                (false, false) => format!("only {}", decoded(plain)),
                _ => format!("paths like {}", decoded(pattern)),
            }
        })
        .collect();
    patterns.join("; ")
}

fn decoded(text: &str) -> String {
    percent::decode_str(text).unwrap_or_else(|| text.to_owned())
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
        let session = read(&format!("st=10~exp=40~acl=/*~id=AAAA.tag,x~data=hdntl,p~hmac={tag}"), 400).unwrap();
        assert_eq!((session.role, session_id(&session)), (Role::Session, Some("AAAA")));
        assert!(session.fields[1].2.starts_with("expired"));
        assert!(session.fields[3].2.ends_with("of a request header; opened by the access token x"));
        assert_eq!(read("exp=1", 0), None);
        assert!(looks_like_token("exp%3d1%7ehmac%3d00") && !looks_like_token("media~p1~AAAA"));
    }
}
