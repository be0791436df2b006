//! The claims of URI Signing tokens (RFC 9246 section 2.1).

use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::regex::Regex;
use crate::http::reply::Reason;
use crate::token::jws::{self, Members};

/// Most digits of a number. Seconds since the epoch need 10.
const MAX_DIGITS: usize = 12;

/// The claims of a token.
#[derive(Debug)]
pub struct Claims {
    /// Issuer.
    pub iss: Option<String>,
    /// Audiences; empty without the claim.
    pub aud: Vec<String>,
    /// End of validity, in seconds since the epoch: the first second at which the token is not valid.
    pub exp: Option<u64>,
    /// Start of validity, in seconds since the epoch.
    pub nbf: Option<u64>,
    /// The token's id.
    pub jti: Option<String>,
    /// The client's address or network, as a JWE.
    pub cdniip: Option<String>,
    /// The URIs that the token covers.
    pub container: Container,
    /// Renewal of the token; `None` if it is not renewed.
    pub renewal: Option<RenewalClaims>,
    /// All claims as written.
    pub members: Members,
}

/// The claims about the renewal of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewalClaims {
    /// `cdnistt`: how the next token is sent.
    pub transport: RenewalTransport,
    /// `cdniets`: seconds from the verification of this token to the end of the next.
    pub lifetime: u64,
    /// `cdnistd`: leading path segments of the URIs to which the next token belongs; 0 for all URIs.
    pub depth: u64,
}

/// How a renewed token is sent (RFC 9246 section 6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewalTransport {
    /// In a cookie.
    Cookie,
    /// In the query of a redirect's location.
    Query,
}

/// The URIs that a token covers, as written. A pattern is compiled only after the signature has been verified.
#[derive(Debug, PartialEq, Eq)]
pub enum Container {
    /// `hash:`: the SHA-256 hash of one URI.
    Hash([u8; 32]),
    /// `regex:`: a POSIX extended regular expression.
    Regex(String),
}

impl Container {
    fn parse(text: &str) -> Option<Self> {
        if let Some(pattern) = text.strip_prefix("regex:") {
            return Some(Self::Regex(pattern.into()));
        }
        // RFC 6920 section 5, with the mandatory algorithm.
        let hash = jws::decode(text.strip_prefix("hash:sha-256;")?)?;
        hash.try_into().ok().map(Self::Hash)
    }

    /// Verifies that the token covers a normalised URI.
    ///
    /// # Errors
    /// [`Reason::Path`] if it does not; [`Reason::Malformed`] if the pattern is invalid or beyond a limit.
    pub fn covers(&self, uri: &str) -> Result<(), Reason> {
        let covered = match self {
            Self::Hash(hash) => Sha256::digest(uri.as_bytes()).as_slice() == hash,
            Self::Regex(pattern) => Regex::new(pattern).ok_or(Reason::Malformed)?.matches(uri),
        };
        if covered { Ok(()) } else { Err(Reason::Path) }
    }
}

impl Claims {
    /// Decodes the payload of a token. Claims that RFC 9246 does not define are ignored, as RFC 7519 demands, unless the
    /// token says that they are critical.
    ///
    /// # Errors
    /// [`Reason::Malformed`] if the claims are not those of a token that this version understands.
    pub fn decode(payload: &str) -> Result<Self, Reason> {
        Members::decode(payload).and_then(Self::read).ok_or(Reason::Malformed)
    }

    fn read(members: Members) -> Option<Self> {
        // Extensions that must be understood: none are, and an empty list is not allowed.
        if members.raw("cdnicrit").is_some() || !matches!(members.raw("cdniv"), None | Some("1")) {
            return None;
        }
        // It is personal data, so that it has to be encrypted.
        let encrypted = |name| match members.get::<String>(name) {
            Ok(text) if text.as_ref().is_none_or(|text| is_jwe(text)) => Some(text),
            _ => None,
        };
        encrypted("sub")?;
        let container: String = members.get("cdniuc").ok()??;
        Some(Self {
            iss: members.get("iss").ok()?,
            aud: audiences(&members)?,
            exp: seconds(&members, "exp")?.map(|(whole, _)| whole),
            // Rounded towards the shorter validity.
            nbf: seconds(&members, "nbf")?.map(|(whole, broken)| whole + u64::from(broken)),
            jti: members.get("jti").ok()?,
            cdniip: encrypted("cdniip")?,
            container: Container::parse(&container)?,
            renewal: renewal(&members)?,
            members,
        })
    }

    /// Checks `exp` and `nbf` at `now`, without any leeway.
    ///
    /// # Errors
    /// [`Reason::Early`], [`Reason::Expired`].
    pub fn check_times(&self, now: u64) -> Result<(), Reason> {
        if self.nbf.is_some_and(|nbf| now < nbf) {
            return Err(Reason::Early);
        }
        if self.exp.is_some_and(|exp| now >= exp) { Err(Reason::Expired) } else { Ok(()) }
    }
}

/// `aud`: a string or an array of strings.
fn audiences(members: &Members) -> Option<Vec<String>> {
    match members.get::<Option<String>>("aud") {
        Ok(Some(Some(audience))) => Some(alloc::vec![audience]),
        Ok(None) => Some(Vec::new()),
        _ => members.get("aud").ok()?.filter(|audiences: &Vec<String>| !audiences.is_empty()),
    }
}

fn renewal(members: &Members) -> Option<Option<RenewalClaims>> {
    let lifetime = seconds(members, "cdniets")?.map(|(whole, _)| whole);
    let depth = match members.raw("cdnistd") {
        None => 0,
        Some(raw) => number(raw).filter(|(_, broken)| !broken)?.0,
    };
    let transport = match (members.raw("cdnistt"), lifetime) {
        (None, None) | (Some("0"), Some(_)) => return Some(None),
        (Some("1"), Some(_)) => RenewalTransport::Cookie,
        (Some("2"), Some(_)) => RenewalTransport::Query,
        _ => return None,
    };
    Some(Some(RenewalClaims { transport, lifetime: lifetime?, depth }))
}

/// A number of seconds, and whether it has a fraction; `Some(None)` without the member.
fn seconds(members: &Members, name: &str) -> Option<Option<(u64, bool)>> {
    match members.raw(name) {
        None => Some(None),
        Some(raw) => number(raw).map(Some),
    }
}

/// The whole part of a JSON number without sign and exponent, and whether it has a fraction other than zeros.
fn number(raw: &str) -> Option<(u64, bool)> {
    let (whole, fraction) = raw.split_once('.').unwrap_or((raw, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() > MAX_DIGITS || !digits(whole) || !digits(fraction) {
        return None;
    }
    whole.parse().ok().map(|whole| (whole, fraction.bytes().any(|digit| digit != b'0')))
}

/// Whether `text` has the form of a JWE in compact serialisation (RFC 7516 section 7.1).
fn is_jwe(text: &str) -> bool {
    let is_base64url =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    text.split('.').count() == 5 && text.split('.').all(is_base64url) && !text.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "hash:sha-256;2tderfWPa86Ku7YnzW51YUp7dGUjBS_3SW3ELx4hmWY";

    fn read(members: &str) -> Option<Claims> {
        Claims::read(Members::parse(alloc::format!("{{\"cdniuc\": \"{HASH}\"{members}}}").as_bytes())?)
    }

    #[test]
    fn claims_of_the_right_type_are_read() {
        let claims = read(
            r#", "iss": "a", "aud": ["b", "c"], "exp": 200.9, "nbf": 100.0, "jti": "d", "cdniv": 1, "sub": "a..b.c.d",
            "cdniip": "e..f.g.h", "cdniets": 30, "cdnistt": 2, "cdnistd": 3, "unknown": {"x": [1]}"#,
        )
        .unwrap();
        assert_eq!(
            (claims.iss.as_deref(), claims.jti.as_deref(), claims.cdniip.as_deref()),
            (Some("a"), Some("d"), Some("e..f.g.h"))
        );
        assert_eq!((claims.aud, claims.exp, claims.nbf), (alloc::vec!["b".into(), "c".into()], Some(200), Some(100)));
        let renewal = RenewalClaims { transport: RenewalTransport::Query, lifetime: 30, depth: 3 };
        assert_eq!(claims.renewal, Some(renewal));
        assert_eq!(read(r#", "nbf": 100.1"#).unwrap().nbf, Some(101));
        assert_eq!(read(r#", "aud": "b""#).unwrap().aud, ["b"]);
        assert_eq!(read(r#", "cdnistt": 0, "cdniets": 30"#).unwrap().renewal, None);
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [
            r#", "iss": 1"#,
            r#", "iss": null"#,
            r#", "iss": "a", "iss": "b""#,
            r#", "aud": 1"#,
            r#", "aud": null"#,
            r#", "aud": []"#,
            r#", "aud": ["a", 1]"#,
            r#", "exp": "200""#,
            r#", "exp": -1"#,
            r#", "exp": 2e9"#,
            r#", "exp": null"#,
            r#", "exp": 1234567890123"#,
            r#", "nbf": true"#,
            r#", "jti": 1"#,
            r#", "cdniv": 2"#,
            r#", "cdniv": "1""#,
            r#", "cdniv": 1.0"#,
            r#", "cdnicrit": "new""#,
            r#", "cdnicrit": """#,
            r#", "cdnicrit": []"#,
            r#", "sub": "viewer-7""#,
            r#", "cdniip": "10.0.0.0/8""#,
            r#", "cdniip": "a.b.c.d""#,
            r#", "cdnistt": 1"#,
            r#", "cdniets": 30"#,
            r#", "cdnistt": 3, "cdniets": 30"#,
            r#", "cdnistt": "1", "cdniets": 30"#,
            r#", "cdnistt": 1, "cdniets": "30""#,
            r#", "cdnistt": 0, "cdniets": "30""#,
            r#", "cdnistd": -1"#,
            r#", "cdnistd": 1.5"#,
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
        for container in [
            "null",
            "1",
            r#""""#,
            r#""hash:""#,
            r#""hash:md5;AAAA""#,
            r#""hash:sha-256;AAAA""#,
            r#""http://h/a""#,
            r#""hash:sha-256;2tderfWPa86Ku7YnzW51YUp7dGUjBS_3SW3ELx4hmWY=""#,
            r#""REGEX:.*""#,
        ] {
            let members = Members::parse(alloc::format!(r#"{{"cdniuc": {container}}}"#).as_bytes()).unwrap();
            assert!(Claims::read(members).is_none(), "{container}");
        }
        assert!(Claims::read(Members::parse(b"{}").unwrap()).is_none());
    }

    #[test]
    fn there_is_no_leeway() {
        let claims = read(r#", "nbf": 100, "exp": 200"#).unwrap();
        for (now, expected) in [
            (99, Err(Reason::Early)),
            (100, Ok(())),
            (199, Ok(())),
            (200, Err(Reason::Expired)),
            (201, Err(Reason::Expired)),
        ] {
            assert_eq!(claims.check_times(now), expected, "{now}");
        }
        assert_eq!(read("").unwrap().check_times(u64::MAX), Ok(()));
    }

    #[test]
    fn containers_cover_uris() {
        let hash = Container::parse(HASH).unwrap();
        assert_eq!(hash.covers("http://cdni.example/foo/bar"), Ok(()));
        assert_eq!(hash.covers("http://cdni.example/foo/bar/"), Err(Reason::Path));
        let regex = Container::parse(r"regex:http://cdni\.example/foo/bar/[0-9]{3}\.png").unwrap();
        assert_eq!(regex.covers("http://cdni.example/foo/bar/007.png"), Ok(()));
        assert_eq!(regex.covers("http://cdni.example/foo/bar/007.png?a"), Err(Reason::Path));
        assert_eq!(Container::parse("regex:(").unwrap().covers("("), Err(Reason::Malformed));
    }
}
