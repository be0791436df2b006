//! The fields of a token, explained, without verification. One file for each format of access tokens.

mod cat;
mod edge_auth;
mod jws;
mod media_cdn;

use playlock_core::token::format::Format;
use playlock_core::token::readings;

use crate::acl::decoded;
use crate::{session_token, time};

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Issued by a site; opens a session.
    Access,
    /// Issued by the filter; belongs to an open session.
    Session,
}

/// The fields of a token, not verified.
#[derive(Debug, PartialEq, Eq)]
pub struct TokenFields {
    /// The kind of the token.
    pub role: Role,
    /// The formats of access tokens whose grammar it has, the likely one first; none for a session token.
    pub formats: Vec<Format>,
    /// The text: decoded, or for an access token that may be signed either way, as sent.
    pub text: String,
    /// Name, value and meaning of each field.
    pub rows: Vec<Row>,
    /// Start and end of validity, in seconds since 1970-01-01T00:00:00Z, as far as the token has them.
    pub times: (Option<u64>, Option<u64>),
    /// A client address or network that it is bound to.
    pub ip: Option<String>,
    /// The part of the request that the signature covers and the token does not contain.
    pub covers: Option<Covers>,
}

/// Name, value and meaning of a field. The value of a signature is `…`.
pub type Row = (String, String, String);

/// A part of the request that a signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covers {
    /// The URL or its path.
    Url,
    /// Request headers.
    Headers,
}

impl TokenFields {
    /// The kind and format in words.
    pub fn what(&self) -> String {
        match (self.role, self.formats.first()) {
            (Role::Session, _) => "session token".into(),
            (Role::Access, Some(format)) => format!("access token ({})", title(*format)),
            (Role::Access, None) => "access token".into(),
        }
    }
}

/// The name of a format for people.
fn title(format: Format) -> &'static str {
    match format {
        Format::EdgeAuth => "EdgeAuth",
        Format::Cat => "Common Access Token",
        Format::UriSigning => "URI Signing",
        Format::Jwt => "JSON Web Token",
        Format::MediaCdn => "Media CDN",
    }
}

/// Whether the value of a parameter looks like a token.
pub fn looks_like_token(text: &str) -> bool {
    let signed = |text: &str| ["~hmac=", "~Signature="].iter().any(|tail| text.contains(tail));
    let plain = decoded(text);
    session_token::is_one(&plain)
        || readings(text).iter().any(|reading| signed(reading) || reading.starts_with("hmac="))
        || jws::is_one(&plain)
        || cat::is_one(&plain)
}

/// Parses a token as it was sent; `None` if it is malformed. `now` is in seconds since 1970-01-01T00:00:00Z.
pub fn read(sent: &str, now: u64) -> Option<TokenFields> {
    let plain = decoded(sent);
    if let Some(session) = session_token::read(&plain, now) {
        let owned = |(name, value, meaning): (&str, String, String)| (name.to_owned(), value, meaning);
        return Some(TokenFields {
            role: Role::Session,
            formats: Vec::new(),
            text: plain,
            rows: session.rows.into_iter().map(owned).collect(),
            times: (None, Some(session.expires)),
            ip: session.network,
            covers: None,
        });
    }
    let readings = readings(sent);
    let mut fields = None;
    for reading in &readings {
        fields = fields.or_else(|| edge_auth::read(reading, now));
        // The dialect of Media CDN with the names of EdgeAuth is both.
        match (&mut fields, media_cdn::read(reading, now)) {
            (Some(fields), Some(_)) if !fields.formats.contains(&Format::MediaCdn) => {
                fields.formats.push(Format::MediaCdn);
            }
            (None, found) => fields = found,
            _ => {}
        }
    }
    // As sent: the filter tries both readings, and which one was signed is not known here.
    let fields = fields.map(|fields| TokenFields { text: sent.to_owned(), ..fields });
    fields.or_else(|| jws::read(&plain, now)).or_else(|| cat::read(&plain, now))
}

/// The session id alone, as in the access log; `None` for access tokens.
pub fn session_id(token_fields: &TokenFields) -> Option<&str> {
    let of_session = token_fields.role == Role::Session;
    let (_, id, _) = token_fields.rows.iter().find(|(name, ..)| name == "id" && of_session)?;
    Some(id)
}

/// The meaning of a start of validity.
fn starts(at: u64, now: u64) -> String {
    format!("valid from {}, {}", time::local(at), time::distance(at, now))
}

/// The meaning of an end of validity.
fn ends(at: u64, now: u64) -> String {
    let ends = if at < now { "expired" } else { "valid until" };
    format!("{ends} {}, {}", time::local(at), time::distance(at, now))
}

/// Adds a row.
fn add(rows: &mut Vec<Row>, name: &str, value: impl ToString, meaning: impl Into<String>) {
    rows.push((name.to_owned(), value.to_string(), meaning.into()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_words() {
        let tag = "0".repeat(64);
        let access =
            read(&format!("ip=192.0.2.1~st=10~exp=4000~acl=/vod/*!/a~id=x~data=a%20b~hmac={tag}"), 400).unwrap();
        let words: Vec<_> = access.rows.iter().map(|(name, _, meaning)| format!("{name}: {meaning}")).collect();
        assert_eq!((access.role, access.formats.as_slice()), (Role::Access, &[Format::EdgeAuth][..]));
        assert!(words[1].starts_with("st: valid from 1970-01-0") && words[1].ends_with("6 min 30 s ago"), "{words:?}");
        assert_eq!(words[3], "acl: everything below /vod/; only /a");
        assert_eq!(words[5], "data: payload: a b");
        assert_eq!(session_id(&access), None);
        assert_eq!(read("exp=1", 0), None);
        assert!(looks_like_token("exp%3d1%7ehmac%3d00") && !looks_like_token("media~p1~AAAA"));
    }

    #[test]
    fn a_token_of_two_formats_is_both() {
        let read = |text: &str| read(&format!("{text}~hmac={}", "0".repeat(64)), 0).unwrap().formats;
        assert_eq!(read("exp=9~acl=/*"), [Format::EdgeAuth, Format::MediaCdn]);
        assert_eq!(read("Expires=9~acl=/*"), [Format::MediaCdn]);
        assert_eq!(read("exp=9~ip=192.0.2.1"), [Format::EdgeAuth]);
    }
}
