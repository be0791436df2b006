//! EdgeAuth v2 tokens: `[ip=…~][st=…~]exp=…[~acl=…][~id=…][~data=…]~hmac=…`.
//!
//! The grammar is that of the public generator libraries (PyPI and npm `akamai-edgeauth`), read strictly: a
//! field that is unknown, empty or there twice, anything after `hmac`, and a missing `exp` are refused. A URL
//! token has no `acl`; the URL is signed but not carried, and so is the salt.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use super::acl;
use crate::percent;
use crate::reply::Reason;
use crate::target::Target;

/// Seconds since the epoch need 10 digits; nothing sensible needs more than these.
const MAX_DIGITS: usize = 12;

/// The HMAC that a token carries, its algorithm told by its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Sha256([u8; 32]),
    Sha1([u8; 20]),
    Md5([u8; 16]),
}

/// A token's fields as they stand. Nothing is verified yet.
#[derive(Debug, PartialEq, Eq)]
pub struct Claims<'a> {
    /// Client address that it is for.
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
    /// Reads a token.
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

    /// Whether the token carries exactly this HMAC-SHA256 over its own fields and nothing else.
    pub fn is_signed_with(&self, mut mac: Hmac<Sha256>) -> bool {
        let Tag::Sha256(tag) = self.tag else { return false };
        mac.update(self.signed.as_bytes());
        mac.verify_slice(&tag).is_ok()
    }

    /// Checks `st` and `exp`, both inclusive, at `now` with `skew` seconds of tolerance on either side.
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

/// Cuts the signed part at `~` into names and values; `None` for a piece that is no field. One dialect leaves
/// `~` in `id` and `data` as it is: a piece without a `=` behind these belongs to them. A piece with a `=` never
/// does, so a payload cannot bring in a field.
fn fields(signed: &str) -> impl Iterator<Item = Option<(&str, &str)>> {
    let mut rest = Some(signed);
    core::iter::from_fn(move || {
        let text = rest.take()?;
        let Some((name, _)) = text.split_once('=') else { return Some(None) };
        let may_hold_tilde = matches!(name, "id" | "data");
        let mut end = text.find('~').unwrap_or(text.len());
        while may_hold_tilde && end < text.len() {
            let tail = text.get(end + 1..).unwrap_or("");
            let piece = tail.find('~').unwrap_or(tail.len());
            if tail.get(..piece).is_none_or(|piece| piece.contains('=')) {
                break;
            }
            end += 1 + piece;
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
    if hex.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let bytes = percent::unhex(hex)?;
    if let Ok(tag) = bytes.as_slice().try_into() {
        Some(Tag::Sha256(tag))
    } else if let Ok(tag) = bytes.as_slice().try_into() {
        Some(Tag::Sha1(tag))
    } else {
        bytes.as_slice().try_into().ok().map(Tag::Md5)
    }
}

/// Algorithms that a policy allows beside HMAC-SHA256.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LegacyAlgorithms {
    /// HMAC-SHA-1.
    pub sha1: bool,
    /// HMAC-MD5.
    pub md5: bool,
}

/// A password with its HMACs keyed. Never shown.
#[derive(Clone)]
struct Password {
    sha256: Hmac<Sha256>,
    sha1: Option<Hmac<Sha1>>,
    md5: Option<Hmac<Md5>>,
}

/// What access tokens are verified with.
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

/// What a verified access token grants; only [`Verifier::verify`] makes one.
#[derive(Debug, PartialEq, Eq)]
pub struct Grant {
    /// The token's ACL; `None` for a URL token.
    pub acl: Option<String>,
    /// The token's id.
    pub id: Option<String>,
    /// The token's payload.
    pub payload: Option<String>,
}

/// The request that a token is presented with.
pub struct Presented<'a> {
    /// The request's target.
    pub target: &'a Target<'a>,
    /// Parameters of ours in its query, which no generator has signed.
    pub ours: &'a [&'a str],
    /// The client's address; the host is only asked for it if a token names one.
    pub client: &'a dyn Fn() -> Option<IpAddr>,
    /// Seconds since the epoch.
    pub now: u64,
}

impl Verifier {
    /// `passwords` are raw bytes, the first one current, the others still accepted. `skew` in seconds.
    pub fn new<'a>(
        passwords: impl IntoIterator<Item = &'a [u8]>,
        legacy: LegacyAlgorithms,
        salt: Option<String>,
        skew: u64,
    ) -> Self {
        let passwords = passwords
            .into_iter()
            .filter_map(|password| {
                // HMAC takes keys of any length: `ok()` never drops one.
                Some(Password {
                    sha256: Hmac::new_from_slice(password).ok()?,
                    sha1: if legacy.sha1 { Some(Hmac::new_from_slice(password).ok()?) } else { None },
                    md5: if legacy.md5 { Some(Hmac::new_from_slice(password).ok()?) } else { None },
                })
            })
            .collect();
        Self { passwords, salt, skew }
    }

    /// Verifies an access token as it was sent: signature first, so that nothing is learnt from a forged one.
    ///
    /// # Errors
    /// [`Reason::Malformed`], [`Reason::Algorithm`], [`Reason::Signature`], [`Reason::Early`],
    /// [`Reason::Expired`], [`Reason::Ip`], [`Reason::Path`].
    pub fn verify(&self, sent: &str, presented: &Presented<'_>) -> Result<Grant, Reason> {
        let mut failure = Reason::Malformed;
        for reading in super::readings(sent) {
            let outcome = Claims::parse(&reading).and_then(|claims| {
                self.check_signature(&claims, presented)?;
                Ok(claims)
            });
            match outcome {
                Ok(claims) => return self.check_claims(&claims, presented),
                Err(Reason::Malformed) => {}
                Err(reason) => failure = reason,
            }
        }
        Err(failure)
    }

    fn check_claims(&self, claims: &Claims<'_>, presented: &Presented<'_>) -> Result<Grant, Reason> {
        claims.check_times(presented.now, self.skew)?;
        if let Some(ip) = claims.ip {
            let ip: IpAddr = percent::decode_str(ip).and_then(|ip| ip.parse().ok()).ok_or(Reason::Malformed)?;
            if (presented.client)().map(|client| client.to_canonical()) != Some(ip.to_canonical()) {
                return Err(Reason::Ip);
            }
        }
        // A URL token's signature has covered the path.
        if claims.acl.is_some_and(|acl| !acl::allows(acl, &presented.target.path)) {
            return Err(Reason::Path);
        }
        let own = |field: Option<&str>| field.map(String::from);
        Ok(Grant { acl: own(claims.acl), id: own(claims.id), payload: own(claims.data) })
    }

    fn check_signature(&self, claims: &Claims<'_>, presented: &Presented<'_>) -> Result<(), Reason> {
        let urls = if claims.acl.is_some() { Vec::new() } else { url_spellings(presented) };
        let allowed = |password: &Password| match claims.tag {
            Tag::Sha256(_) => true,
            Tag::Sha1(_) => password.sha1.is_some(),
            Tag::Md5(_) => password.md5.is_some(),
        };
        if !self.passwords.iter().any(allowed) {
            return Err(Reason::Algorithm);
        }
        let fits = |password: &Password, url: Option<&str>| match (&claims.tag, &password.sha1, &password.md5) {
            (Tag::Sha256(tag), _, _) => self.fits(password.sha256.clone(), tag, claims.signed, url),
            (Tag::Sha1(tag), Some(mac), _) => self.fits(mac.clone(), tag, claims.signed, url),
            (Tag::Md5(tag), _, Some(mac)) => self.fits(mac.clone(), tag, claims.signed, url),
            _ => false,
        };
        let good = self.passwords.iter().any(|password| {
            if claims.acl.is_some() { fits(password, None) } else { urls.iter().any(|url| fits(password, Some(url))) }
        });
        if good { Ok(()) } else { Err(Reason::Signature) }
    }

    fn fits<M: Mac>(&self, mut mac: M, tag: &[u8], signed: &str, url: Option<&str>) -> bool {
        mac.update(signed.as_bytes());
        if let Some(url) = url {
            mac.update(b"~url=");
            mac.update(url.as_bytes());
        }
        if let Some(salt) = &self.salt {
            mac.update(b"~salt=");
            mac.update(salt.as_bytes());
        }
        mac.verify_slice(tag).is_ok()
    }
}

/// Every spelling of the requested URL that a generator may have signed: as on the wire and decoded, with and
/// without the query, as it is and under each library's `escape_early`.
fn url_spellings<'a>(presented: &Presented<'a>) -> Vec<Cow<'a, str>> {
    let Target { raw_path, path, .. } = presented.target;
    let query = presented.target.query_without(presented.ours);
    let mut urls: Vec<Cow<'a, str>> = Vec::with_capacity(8);
    let add = |urls: &mut Vec<Cow<'a, str>>, url: Cow<'a, str>| {
        if !urls.contains(&url) {
            urls.push(url);
        }
    };
    for path in [Cow::Borrowed(*raw_path), path.clone()] {
        add(&mut urls, path.clone());
        if let Some(query) = &query {
            add(&mut urls, Cow::Owned([&path, "?", query].concat()));
        }
    }
    for plain in urls.clone() {
        add(&mut urls, Cow::Owned(escape_python(&plain)));
        add(&mut urls, Cow::Owned(escape_node(&plain)));
    }
    urls
}

/// `escape_early` of the PyPI library: `urllib.parse.quote_plus`, hex in lower case.
fn escape_python(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (index, piece) in text.split(' ').enumerate() {
        if index > 0 {
            out.push('+');
        }
        percent::encode_into(&mut out, piece.as_bytes(), |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~')
        });
    }
    out
}

/// `escape_early` of the npm library: `encodeURIComponent`, then `~'*` too, hex in lower case.
fn escape_node(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    percent::encode_into(&mut out, text.as_bytes(), |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'(' | b')')
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    const TAG: &str = "~hmac=bb07ba926e57958bdfe943f1c0914c04948eb0dc8a5e44baa426c9184f733ed2";

    fn parse(fields: &str) -> Result<(), Reason> {
        Claims::parse(&format!("{fields}{TAG}")).map(|_| ())
    }

    #[test]
    fn the_grammar_is_strict() {
        for good in [
            "exp=1",
            "st=1~exp=2~acl=/*",
            "exp=1~data=a+b~c",
            "exp=1~id=a~b~data=c~d~e",
            "exp=1~acl=%2fa%2f*!/b",
            "exp=1~acl=/*~data=k=v",
        ] {
            assert_eq!(parse(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "st=1",
            "exp=",
            "exp=1~",
            "~exp=1",
            "exp=1~~acl=/*",
            "exp=1~exp=2",
            "exp=1~acl=/a~acl=/*",
            "exp=1~data=x~acl=/live/*~acl=/*",
            "exp=1~url=/a",
            "exp=1~salt=x",
            "exp=1~EXP=2",
            "exp=-1",
            "exp=+1",
            "exp=1.0",
            "exp= 1",
            "exp=99999999999999999999",
            "exp=1~acl=/a~b",
            "exp=1~acl=/%zz",
            "exp=1~acl=/a!!/b",
            "exp=1~acl=",
            "exp=1~id=",
            "exp=1~data=",
            "exp=1~hmac=00",
            "exp=0x10",
            "exp=1~ip=1.1.1.1~ip=2.2.2.2",
        ] {
            assert_eq!(parse(bad), Err(Reason::Malformed), "{bad}");
        }
        for bad in [
            "exp=1",
            "exp=1~hmac=",
            "exp=1~hmac=00",
            &format!("exp=1{}", TAG.to_uppercase()),
            &format!("exp=1{TAG}~acl=/*"),
            &format!("exp=1{TAG}00"),
        ] {
            assert!(Claims::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_payload_keeps_its_tildes_but_never_becomes_a_field() {
        let token = format!("exp=1~data=a~b{TAG}");
        assert_eq!(Claims::parse(&token).unwrap().data, Some("a~b"));
        let token = format!("exp=1~data=x~acl=/live/*{TAG}");
        let claims = Claims::parse(&token).unwrap();
        assert_eq!((claims.data, claims.acl), (Some("x"), Some("/live/*")));
    }

    #[test]
    fn times_are_inclusive() {
        let token = format!("st=100~exp=200{TAG}");
        let claims = Claims::parse(&token).unwrap();
        for (now, skew, expected) in [
            (99, 0, Err(Reason::Early)),
            (100, 0, Ok(())),
            (200, 0, Ok(())),
            (201, 0, Err(Reason::Expired)),
            (89, 10, Err(Reason::Early)),
            (90, 10, Ok(())),
            (210, 10, Ok(())),
            (211, 10, Err(Reason::Expired)),
        ] {
            assert_eq!(claims.check_times(now, skew), expected, "{now} ± {skew}");
        }
    }
}
