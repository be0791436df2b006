//! A token's fields in words, for those who look at one.

use playlock_core::percent;
use playlock_core::token::edge_auth::Claims;
use playlock_core::token::readings;

use crate::time;

/// Which token it is, by its payload: session tokens begin it with their own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Made by a site, opens a session.
    Access,
    /// Made by the filter, goes on with one.
    Session,
}

impl Role {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Session => "session",
        }
    }
}

/// What a token says, not verified.
#[derive(Debug, PartialEq, Eq)]
pub struct TokenFields {
    /// Which it is.
    pub role: Role,
    /// As it reads once it is decoded.
    pub text: String,
    /// Field, value as it stands, and what it means.
    pub fields: Vec<(&'static str, String, String)>,
    /// Begin and end of its time, seconds since the epoch.
    pub times: (Option<u64>, u64),
    /// The client address or network that it is for.
    pub ip: Option<String>,
    /// Whether it carries its paths (`acl`); else it is for one URL that it does not carry.
    pub has_acl: bool,
}

/// Whether a parameter's value could be a token.
pub fn looks_like_token(text: &str) -> bool {
    readings(text).iter().any(|reading| reading.contains("~hmac=") || reading.starts_with("hmac="))
}

/// Reads a token as it was sent; `None` if it breaks the grammar.
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
        let what = if of_session { "for viewers in this network alone" } else { "for this viewer's address alone" };
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
        None => add("url", "…", "the token is for one URL, which it does not carry".into()),
    }
    if let Some(id) = claims.id {
        add("id", id, if of_session { describe_session_id(id) } else { "names the token, for revocation".into() });
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

/// The session's id by itself, as the access log has it.
pub fn session_id(token_fields: &TokenFields) -> Option<&str> {
    let (_, id, _) =
        token_fields.fields.iter().find(|(name, ..)| *name == "id" && token_fields.role == Role::Session)?;
    id.split([',', '.']).next()
}

fn describe_session_id(id: &str) -> String {
    let (own, access) = id.split_once(',').map_or((id, None), |(own, access)| (own, Some(access)));
    let (own, tag) = own.split_once('.').map_or((own, false), |(own, _)| (own, true));
    let mut text = format!("session {own}, as the access log has it");
    if tag {
        text.push_str("; bound to a request header's value");
    }
    if let Some(access) = access {
        text.push_str(&format!("; opened by the access token named {}", decoded(access)));
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
                (false, false) => format!("{} alone", decoded(plain)),
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
        assert_eq!(words[3], "acl: everything below /vod/; /a alone");
        assert_eq!(words[5], "data: payload: a b");
        let session = read(&format!("st=10~exp=40~acl=/*~id=AAAA.tag,x~data=hdntl,p~hmac={tag}"), 400).unwrap();
        assert_eq!((session.role, session_id(&session)), (Role::Session, Some("AAAA")));
        assert!(session.fields[1].2.starts_with("expired"));
        assert!(session.fields[3].2.ends_with("header's value; opened by the access token named x"));
        assert_eq!(read("exp=1", 0), None);
        assert!(looks_like_token("exp%3d1%7ehmac%3d00") && !looks_like_token("media~p1~AAAA"));
    }
}
