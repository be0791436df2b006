//! EdgeAuth v2 tokens: `[ip=…~][st=…~]exp=…[~acl=…][~id=…][~data=…]~hmac=…`.
//!
//! The grammar is that of the public generator libraries (PyPI and npm `akamai-edgeauth`), read strictly: unknown,
//! empty and repeated fields, anything after `hmac`, and a missing `exp` are refused. A URL token has no `acl`; the
//! signature covers the URL, but the token does not contain it. The same is true of the salt.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use super::acl;
use super::grant::Grant;
use super::signed_url::SignedUrl;
use crate::bytes::percent;
use crate::http::incoming::Incoming;
use crate::http::reply::Reason;
use crate::http::target::Target;

/// Most digits of a time. Seconds since the epoch need 10.
const MAX_DIGITS: usize = 12;

/// The HMAC of a token. Its length determines the algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Sha256([u8; 32]),
    Sha1([u8; 20]),
    Md5([u8; 16]),
}

/// A token's fields as written, not verified.
#[derive(Debug, PartialEq, Eq)]
pub struct Claims<'a> {
    /// Client address that the token is for.
    pub ip: Option<&'a str>,
    /// Start of validity, seconds since the epoch.
    pub st: Option<u64>,
    /// End of validity, seconds since the epoch.
    pub exp: u64,
    /// Path patterns; `None` for a URL token.
    pub acl: Option<&'a str>,
    /// Identifier.
    pub id: Option<&'a str>,
    /// Payload.
    pub data: Option<&'a str>,
    signed: &'a str,
    tag: Tag,
}

impl<'a> Claims<'a> {
    /// Parses a token.
    ///
    /// # Errors
    /// [`Reason::Malformed`] on anything outside the grammar.
    pub fn parse(token: &'a str) -> Result<Self, Reason> {
        let (signed, tag) = token.rsplit_once('~').ok_or(Reason::Malformed)?;
        let tag = tag.strip_prefix("hmac=").and_then(parse_tag).ok_or(Reason::Malformed)?;
        let mut claims = Self { ip: None, st: None, exp: 0, acl: None, id: None, data: None, signed, tag };
        let mut exp = None;
        for field in fields(signed) {
            let (name, value) = field.ok_or(Reason::Malformed)?;
            if value.is_empty() {
                return Err(Reason::Malformed);
            }
            let fresh = match name {
                "ip" => claims.ip.replace(value).is_none(),
                "st" => claims.st.replace(seconds(value)?).is_none(),
                "exp" => exp.replace(seconds(value)?).is_none(),
                "acl" => acl::is_valid(value) && claims.acl.replace(value).is_none(),
                "id" => claims.id.replace(value).is_none(),
                "data" => claims.data.replace(value).is_none(),
                _ => false,
            };
            if !fresh {
                return Err(Reason::Malformed);
            }
        }
        claims.exp = exp.ok_or(Reason::Malformed)?;
        Ok(claims)
    }

    /// The fields that are free text.
    fn fields(&self) -> impl Iterator<Item = &'a str> {
        [self.ip, self.id, self.data].into_iter().flatten()
    }

    /// Checks `st` and `exp`, both inclusive, at `now`, with `skew` seconds of tolerance on either side.
    ///
    /// # Errors
    /// [`Reason::Early`], [`Reason::Expired`].
    pub fn check_times(&self, now: u64, skew: u64) -> Result<(), Reason> {
        if self.st.is_some_and(|st| now.saturating_add(skew) < st) {
            return Err(Reason::Early);
        }
        if now > self.exp.saturating_add(skew) {
            return Err(Reason::Expired);
        }
        Ok(())
    }
}

/// Splits the signed part at `~` into names and values; `None` for a piece that is not a field.
///
/// One dialect leaves `~` in `id` and `data` unescaped: a piece without `=` after one of these belongs to it. A piece
/// with `=` is always a field of its own.
fn fields(signed: &str) -> impl Iterator<Item = Option<(&str, &str)>> {
    let mut rest = Some(signed);
    core::iter::from_fn(move || {
        let text = rest.take()?;
        let Some((name, _)) = text.split_once('=') else { return Some(None) };
        let may_hold_tilde = matches!(name, "id" | "data");
        let mut end = text.find('~').unwrap_or(text.len());
        if may_hold_tilde {
            // Byte by byte: a payload may have hundreds of pieces.
            let mut next = text.bytes().enumerate().skip(end.saturating_add(1));
            let begins = next.find_map(|(at, byte)| match byte {
                b'=' => Some(end),
                b'~' => {
                    end = at;
                    None
                }
                _ => None,
            });
            end = begins.unwrap_or(text.len());
        }
        let (field, tail) = text.split_at_checked(end)?;
        rest = tail.strip_prefix('~');
        Some(field.split_once('='))
    })
}

fn seconds(digits: &str) -> Result<u64, Reason> {
    if digits.len() > MAX_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reason::Malformed);
    }
    digits.parse().map_err(|_| Reason::Malformed)
}

fn parse_tag(hex: &str) -> Option<Tag> {
    let bytes = base16ct::lower::decode_vec(hex).ok()?;
    if let Ok(tag) = bytes.as_slice().try_into() {
        Some(Tag::Sha256(tag))
    } else if let Ok(tag) = bytes.as_slice().try_into() {
        Some(Tag::Sha1(tag))
    } else {
        bytes.as_slice().try_into().ok().map(Tag::Md5)
    }
}

/// Algorithms that a policy allows in addition to HMAC-SHA256.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LegacyAlgorithms {
    /// HMAC-SHA-1.
    pub sha1: bool,
    /// HMAC-MD5.
    pub md5: bool,
}

/// The keyed HMACs of a password. Without `Debug`, so that it is never printed.
#[derive(Clone)]
struct Password {
    sha256: Hmac<Sha256>,
    sha1: Option<Hmac<Sha1>>,
    md5: Option<Hmac<Md5>>,
}

/// Verifies access tokens.
#[derive(Clone)]
pub struct Verifier {
    passwords: Vec<Password>,
    salt: Option<String>,
    skew: u64,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier([redacted])")
    }
}

impl Verifier {
    /// Creates a verifier. `passwords` are raw bytes, the current one first, the others still accepted. `skew` is in
    /// seconds.
    pub fn new<'a>(
        passwords: impl IntoIterator<Item = &'a [u8]>,
        legacy: LegacyAlgorithms,
        salt: Option<String>,
        skew: u64,
    ) -> Self {
        let passwords = passwords
            .into_iter()
            .filter_map(|password| {
                // HMAC accepts keys of any length: `ok()` never drops one.
                Some(Password {
                    sha256: Hmac::new_from_slice(password).ok()?,
                    sha1: if legacy.sha1 { Some(Hmac::new_from_slice(password).ok()?) } else { None },
                    md5: if legacy.md5 { Some(Hmac::new_from_slice(password).ok()?) } else { None },
                })
            })
            .collect();
        Self { passwords, salt, skew }
    }

    /// Verifies an access token as sent with `incoming`. The signature comes first, so that a forged token reveals
    /// nothing.
    ///
    /// `reserved` are query parameters that no generator has signed.
    ///
    /// # Errors
    /// [`Reason::Malformed`] (also of a URL token on a URL longer than [`MAX_URL`](super::signed_url::MAX_URL)),
    /// [`Reason::Algorithm`], [`Reason::Signature`], [`Reason::Early`], [`Reason::Expired`], [`Reason::Ip`],
    /// [`Reason::Path`].
    pub fn verify(&self, sent: &str, incoming: &Incoming<'_>, reserved: &[impl AsRef<str>]) -> Result<Grant, Reason> {
        let readings = super::readings(sent);
        let claims: Vec<Claims<'_>> = readings.iter().filter_map(|reading| Claims::parse(reading).ok()).collect();
        let begun = self.begin(&claims);
        if begun.is_empty() {
            return Err(if claims.is_empty() { Reason::Malformed } else { Reason::Algorithm });
        }
        let fitting = match self.with_acl(&begun) {
            Some(claims) => Some(claims),
            None => self.with_url(&begun, &incoming.target, reserved)?,
        };
        self.check_claims(fitting.ok_or(Reason::Signature)?, incoming)
    }

    /// Whether an access token as sent has an ACL and a valid signature, regardless of its other fields. URL tokens are
    /// not tried: they take an attempt for each spelling of the URL.
    pub fn has_signed(&self, sent: &str) -> bool {
        let readings = super::readings(sent);
        let claims: Vec<Claims<'_>> = readings.iter().filter_map(|reading| Claims::parse(reading).ok()).collect();
        self.with_acl(&self.begin(&claims)).is_some()
    }

    /// The HMACs of all readings under all passwords that allow their algorithm, up to the end of the token's own text.
    fn begin<'c>(&self, claims: &'c [Claims<'c>]) -> Vec<Begun<'c>> {
        let under = |claims: &'c Claims<'c>| {
            self.passwords.iter().filter_map(move |password| Some((claims, password.begin(claims.tag, claims.signed)?)))
        };
        claims.iter().flat_map(under).collect()
    }

    /// The token with an ACL that has a valid signature.
    fn with_acl<'c>(&self, begun: &[Begun<'c>]) -> Option<&'c Claims<'c>> {
        let mut with_acl = begun.iter().filter(|(claims, _)| claims.acl.is_some());
        with_acl.find(|(claims, mac)| self.ends(mac.clone(), claims.tag)).map(|(claims, _)| *claims)
    }

    /// The URL token whose signature covers a spelling of the URL.
    fn with_url<'c>(
        &self,
        begun: &[Begun<'c>],
        target: &Target<'_>,
        reserved: &[impl AsRef<str>],
    ) -> Result<Option<&'c Claims<'c>>, Reason> {
        let without_acl = begun.iter().filter(|(claims, _)| claims.acl.is_none());
        let begun: Vec<Begun<'c>> = without_acl.map(|(claims, mac)| (*claims, mac.clone().and(b"~url="))).collect();
        if begun.is_empty() {
            return Ok(None);
        }
        let url = SignedUrl::new(target, reserved).ok_or(Reason::Malformed)?;
        let mut budget = url.budget();
        for spelling in url.spellings() {
            for (claims, mac) in
                begun.iter().filter(|(claims, _)| claims.fields().all(|field| spelling.goes_with(field)))
            {
                let mut mac = mac.clone();
                for piece in spelling.pieces() {
                    if !budget.pays(piece) {
                        return Ok(None);
                    }
                    mac = mac.and(piece.as_bytes());
                    if self.ends(mac.clone(), claims.tag) {
                        return Ok(Some(claims));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Whether `mac`, completed with the salt, equals `tag`.
    fn ends(&self, mac: Mac, tag: Tag) -> bool {
        match &self.salt {
            Some(salt) => mac.and(b"~salt=").and(salt.as_bytes()).is(tag),
            None => mac.is(tag),
        }
    }

    fn check_claims(&self, claims: &Claims<'_>, incoming: &Incoming<'_>) -> Result<Grant, Reason> {
        claims.check_times(incoming.head.now, self.skew)?;
        if let Some(ip) = claims.ip {
            let ip: IpAddr = percent::decode_str(ip).and_then(|ip| ip.parse().ok()).ok_or(Reason::Malformed)?;
            if incoming.head.client().map(|client| client.to_canonical()) != Some(ip.to_canonical()) {
                return Err(Reason::Ip);
            }
        }
        // The signature of a URL token covers the path.
        if claims.acl.is_some_and(|acl| !acl::allows(acl, &incoming.target.path)) {
            return Err(Reason::Path);
        }
        let own = |field: Option<&str>| field.map(String::from);
        Ok(Grant { acl: own(claims.acl), id: own(claims.id), payload: own(claims.data), ..Grant::default() })
    }
}

/// A reading of a token, with its HMAC under one password.
type Begun<'c> = (&'c Claims<'c>, Mac);

/// An HMAC in progress, of any algorithm.
#[derive(Clone)]
enum Mac {
    Sha256(Hmac<Sha256>),
    Sha1(Hmac<Sha1>),
    Md5(Hmac<Md5>),
}

impl Mac {
    fn and(mut self, bytes: &[u8]) -> Self {
        match &mut self {
            Self::Sha256(mac) => mac.update(bytes),
            Self::Sha1(mac) => mac.update(bytes),
            Self::Md5(mac) => mac.update(bytes),
        }
        self
    }

    fn is(self, tag: Tag) -> bool {
        match (self, tag) {
            (Self::Sha256(mac), Tag::Sha256(tag)) => mac.verify_slice(&tag).is_ok(),
            (Self::Sha1(mac), Tag::Sha1(tag)) => mac.verify_slice(&tag).is_ok(),
            (Self::Md5(mac), Tag::Md5(tag)) => mac.verify_slice(&tag).is_ok(),
            _ => false,
        }
    }
}

impl Password {
    /// Starts the HMAC of `tag`'s algorithm over `signed`; `None` if the algorithm is not allowed.
    fn begin(&self, tag: Tag, signed: &str) -> Option<Mac> {
        let mac = match tag {
            Tag::Sha256(_) => Mac::Sha256(self.sha256.clone()),
            Tag::Sha1(_) => Mac::Sha1(self.sha1.clone()?),
            Tag::Md5(_) => Mac::Md5(self.md5.clone()?),
        };
        Some(mac.and(signed.as_bytes()))
    }
}

#[cfg(test)]
mod tests;
