//! The fields of Media CDN's tokens, and the text that their signature covers.
//!
//! ```text
//! token  = field *("~" field) "~" tail
//! scope  = "URLPrefix=" B64(URL) / "FullPath" / "PathGlobs=" globs
//! field  = scope / "Starts=" N / "Expires=" N / "SessionID=" text / "Data=" text
//!        / "Headers=" name *("," name) / "IPRanges=" B64(range *("," range))
//! tail   = "Signature=" B64(Ed25519) / "hmac=" lowerhex
//! signed = the same without the tail, with FullPath=PATH and Headers=NAME=VALUE,NAME=VALUE
//! ```
//!
//! The grammar is that of Google's published signer (GoogleCloudPlatform/python-docs-samples,
//! `media_cdn/dualtoken.py`) with the aliases of the fields that EdgeAuth has, read strictly: one scope, one expiry, a
//! tail at the end, no unknown, empty or repeated field. The order of the fields is free, since the generators of
//! EdgeAuth tokens write another one. B64 is URL-safe base64, with or without padding.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

use super::url_prefix::UrlPrefix;
use crate::http::incoming::Incoming;
use crate::http::reply::Reason;
use crate::token::acl;

/// Most digits of a time. Seconds since the epoch need 10.
const MAX_DIGITS: usize = 12;

/// A field of the token, whichever of its names was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `URLPrefix`.
    UrlPrefix,
    /// `FullPath`, which has no value.
    FullPath,
    /// `PathGlobs`, or its aliases `paths` and `acl`.
    PathGlobs,
    /// `Starts`, or `st`.
    Starts,
    /// `Expires`, or `exp`.
    Expires,
    /// `SessionID`, or `id`.
    SessionId,
    /// `Data`, or `data` or `payload`.
    Data,
    /// `Headers`.
    Headers,
    /// `IPRanges`.
    IpRanges,
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "URLPrefix" => Self::UrlPrefix,
            "FullPath" => Self::FullPath,
            "PathGlobs" | "paths" | "acl" => Self::PathGlobs,
            "Starts" | "st" => Self::Starts,
            "Expires" | "exp" => Self::Expires,
            "SessionID" | "id" => Self::SessionId,
            "Data" | "data" | "payload" => Self::Data,
            "Headers" => Self::Headers,
            "IPRanges" => Self::IpRanges,
            _ => return None,
        })
    }
}

/// The content that a token covers.
#[derive(Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every URL that begins so.
    UrlPrefix(UrlPrefix),
    /// The path of the request, which only the signed text contains.
    FullPath,
    /// The paths of an ACL.
    PathGlobs(String),
}

/// The signature of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// Ed25519 (RFC 8032).
    Ed25519([u8; 64]),
    /// HMAC-SHA-256.
    Sha256([u8; 32]),
    /// HMAC-SHA-1.
    Sha1([u8; 20]),
}

impl Tag {
    /// The bytes of the signature.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(tag) => tag,
            Self::Sha256(tag) => tag,
            Self::Sha1(tag) => tag,
        }
    }
}

/// A token's fields as written, not verified.
#[derive(Debug, PartialEq, Eq)]
pub struct Claims<'a> {
    /// The content that it covers.
    pub scope: Scope,
    /// Start of validity, seconds since the epoch.
    pub starts: Option<u64>,
    /// End of validity, seconds since the epoch.
    pub expires: u64,
    /// Identifier of the viewer's session at the site.
    pub session_id: Option<&'a str>,
    /// Payload.
    pub data: Option<&'a str>,
    /// The names of the signed request headers, as written.
    pub headers: Vec<&'a str>,
    /// The client's possible addresses: CIDR blocks joined with commas.
    pub ip_ranges: Option<String>,
    /// The signature.
    pub tag: Tag,
    /// Everything before the tail.
    fields: &'a str,
}

impl<'a> Claims<'a> {
    /// Parses a token.
    ///
    /// # Errors
    /// [`Reason::Malformed`] on anything outside the grammar.
    pub fn parse(token: &'a str) -> Result<Self, Reason> {
        Self::read(token).ok_or(Reason::Malformed)
    }

    fn read(token: &'a str) -> Option<Self> {
        let (fields, tail) = token.rsplit_once('~')?;
        let tag = parse_tag(tail)?;
        let (mut scope, mut starts, mut expires) = (None, None, None);
        let (mut session_id, mut data, mut ip_ranges) = (None, None, None);
        let mut headers = Vec::new();
        for (name, field, value) in written(fields) {
            let value = value.unwrap_or_default();
            // A field that has no value has no `=` either.
            if value.is_empty() != (field? == Field::FullPath) {
                return None;
            }
            let fresh = match field? {
                Field::UrlPrefix => scope.replace(Scope::UrlPrefix(UrlPrefix::parse(&decoded(value)?)?)).is_none(),
                Field::FullPath => name == "FullPath" && scope.replace(Scope::FullPath).is_none(),
                Field::PathGlobs => scope.replace(Scope::PathGlobs(globs(name, value)?)).is_none(),
                Field::Starts => starts.replace(seconds(value)?).is_none(),
                Field::Expires => expires.replace(seconds(value)?).is_none(),
                Field::SessionId => session_id.replace(value).is_none(),
                Field::Data => data.replace(value).is_none(),
                Field::Headers => core::mem::replace(&mut headers, header_names(value)?).is_empty(),
                Field::IpRanges => ip_ranges.replace(decoded(value)?).is_none(),
            };
            if !fresh {
                return None;
            }
        }
        Some(Self { scope: scope?, starts, expires: expires?, session_id, data, headers, ip_ranges, tag, fields })
    }

    /// The fields in the order of the token: name as written, field, value; the signature is none of them.
    pub fn written(&self) -> impl Iterator<Item = (&'a str, Field, &'a str)> {
        written(self.fields).filter_map(|(name, field, value)| Some((name, field?, value.unwrap_or_default())))
    }

    /// Whether the signed text has parts that are in the request and not in the token.
    pub fn depends_on_request(&self) -> bool {
        self.scope == Scope::FullPath || !self.headers.is_empty()
    }

    /// The pieces of the text that the signature covers, for a request; without one, of a token that does not depend on
    /// it.
    ///
    /// # Errors
    /// [`Reason::Header`] if a signed header was not sent, was sent twice, or has a value that could be read as another
    /// header or field; [`Reason::Path`] if the path could be read as another field.
    pub fn signed<'b>(&'b self, incoming: Option<&Incoming<'b>>) -> Result<Vec<&'b [u8]>, Reason> {
        let mut pieces: Vec<&[u8]> = Vec::with_capacity(4);
        for (index, field) in self.fields.split('~').enumerate() {
            if index > 0 {
                pieces.push(b"~");
            }
            pieces.push(
                field.split_once('=').filter(|(name, _)| *name == "Headers").map_or(field, |(name, _)| name).as_bytes(),
            );
            if field == "FullPath" {
                let path = incoming.ok_or(Reason::Path)?.target.raw_path.as_bytes();
                if holds_field(path) {
                    return Err(Reason::Path);
                }
                pieces.extend([b"=", path]);
            } else if field.starts_with("Headers=") {
                let incoming = incoming.ok_or(Reason::Header)?;
                for (index, name) in self.headers.iter().enumerate() {
                    let value = incoming.head.sole(&name.to_ascii_lowercase()).ok_or(Reason::Header)?;
                    if holds_field(value) || holds_header(value) {
                        return Err(Reason::Header);
                    }
                    pieces.extend([if index == 0 { &b"="[..] } else { b"," }, name.as_bytes(), b"=", value]);
                }
            }
        }
        Ok(pieces)
    }

    /// Checks `Starts` and `Expires`, both inclusive, at `now`, with `skew` seconds of tolerance on either side.
    ///
    /// # Errors
    /// [`Reason::Early`], [`Reason::Expired`].
    pub fn check_times(&self, now: u64, skew: u64) -> Result<(), Reason> {
        if self.starts.is_some_and(|starts| now.saturating_add(skew) < starts) {
            return Err(Reason::Early);
        }
        if now > self.expires.saturating_add(skew) {
            return Err(Reason::Expired);
        }
        Ok(())
    }
}

/// The fields before the tail: name, field if it is known, value if there is a `=`.
fn written(fields: &str) -> impl Iterator<Item = (&str, Option<Field>, Option<&str>)> {
    fields.split('~').map(|field| match field.split_once('=') {
        Some((name, value)) => (name, Field::named(name).filter(|field| *field != Field::FullPath), Some(value)),
        None => (field, Field::named(field).filter(|field| *field == Field::FullPath), None),
    })
}

/// Whether a value from the request, in the signed text, could be read as the end of its field and another field. The
/// same signature would then cover a token without that field.
fn holds_field(value: &[u8]) -> bool {
    value.split(|byte| *byte == b'~').skip(1).any(|piece| piece.contains(&b'='))
}

/// The same for the value of a header and another header.
fn holds_header(value: &[u8]) -> bool {
    value.split(|byte| *byte == b',').skip(1).any(|piece| {
        let end = piece.iter().position(|byte| !is_header_byte(*byte));
        end.is_some_and(|end| end > 0 && piece.get(end) == Some(&b'='))
    })
}

/// Whether a header's name may contain the byte (RFC 9110 section 5.6.2).
fn is_header_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The names of headers, each valid and, whatever its case, once.
fn header_names(value: &str) -> Option<Vec<&str>> {
    let mut names: Vec<&str> = Vec::new();
    for name in value.split(',') {
        let again = names.iter().any(|other| other.eq_ignore_ascii_case(name));
        if name.is_empty() || again || !name.bytes().all(is_header_byte) {
            return None;
        }
        names.push(name);
    }
    Some(names)
}

/// The ACL of the path patterns. They are separated by `!` or `,`; under the name of EdgeAuth's field, in which a comma
/// is an ordinary character, there must be none.
fn globs(name: &str, value: &str) -> Option<String> {
    if name == "acl" && value.contains(',') {
        return None;
    }
    let acl = value.replace(',', "!");
    acl::is_valid(&acl).then_some(acl)
}

fn decoded(value: &str) -> Option<String> {
    String::from_utf8(bytes(value)?).ok().filter(|text| !text.is_empty())
}

/// The bytes of URL-safe base64, with all of its padding or none.
pub fn bytes(value: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(value).or_else(|_| URL_SAFE.decode(value)).ok()
}

fn seconds(digits: &str) -> Option<u64> {
    let plain = digits.len() <= MAX_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

fn parse_tag(tail: &str) -> Option<Tag> {
    if let Some(signature) = tail.strip_prefix("Signature=") {
        return bytes(signature)?.try_into().ok().map(Tag::Ed25519);
    }
    let bytes = base16ct::lower::decode_vec(tail.strip_prefix("hmac=")?).ok()?;
    match bytes.as_slice().try_into() {
        Ok(tag) => Some(Tag::Sha256(tag)),
        Err(_) => bytes.as_slice().try_into().ok().map(Tag::Sha1),
    }
}
