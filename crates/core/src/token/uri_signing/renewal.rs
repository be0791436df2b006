//! Renewal of URI Signing tokens (RFC 9246 section 3): the next token of a chain.

use alloc::format;
use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::claims::{Claims, RenewalClaims, RenewalTransport};
use crate::token::MAX_SENT;
use crate::token::key_set::{Key, KeySet};

/// Signs the next token of a chain.
#[derive(Debug, Clone)]
pub struct Renewer {
    /// The name under which other nodes know the key.
    issuer: String,
    key: Key,
}

/// The next token of a chain.
#[derive(Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The token.
    pub token: String,
    /// Seconds for which it is valid.
    pub lifetime: u64,
    /// The carrier.
    pub carrier: RenewalCarrier,
}

/// Carrier of a renewed token.
#[derive(Debug, PartialEq, Eq)]
pub enum RenewalCarrier {
    /// In a cookie for URIs below this path.
    Cookie(String),
    /// In the query of a redirect's location.
    Query,
}

impl Renewer {
    /// Signs with the first of `keys` that is the issuer's and can sign; `None` if there is none.
    pub fn new(issuer: &str, keys: &KeySet) -> Option<Self> {
        let key = keys.keys().iter().find(|key| key.issuer() == Some(issuer) && key.can_sign())?;
        Some(Self { issuer: issuer.into(), key: key.clone() })
    }

    /// The token that follows a verified one at `now`. `raw_path` is the requested path, percent-encoded and without the
    /// token.
    ///
    /// `None` if the token is not to be renewed: without `cdnistt`, if the path has fewer segments than `cdnistd`, if they
    /// cannot be the path of a cookie, or if the next token would be longer than [`MAX_SENT`].
    pub fn next(&self, claims: &Claims, raw_path: &str, now: u64) -> Option<Renewal> {
        let RenewalClaims { transport, lifetime, depth } = claims.renewal?;
        let directory = leading_segments(raw_path, depth)?;
        let carrier = match transport {
            RenewalTransport::Query => RenewalCarrier::Query,
            // RFC 6265 section 4.1.1: the value of an attribute ends at a semicolon.
            RenewalTransport::Cookie if !directory.is_ascii() || directory.contains(';') => return None,
            RenewalTransport::Cookie => RenewalCarrier::Cookie(directory.into()),
        };
        let token = self.sign(&self.next_claims(claims, now.saturating_add(lifetime), now)?)?;
        (token.len() <= MAX_SENT).then_some(Renewal { token, lifetime, carrier })
    }

    /// The claims of the next token: issuer, times and nothing else differ. What a token does not have is not added, except for
    /// the end and the issuer.
    fn next_claims(&self, claims: &Claims, exp: u64, now: u64) -> Option<String> {
        let issuer = serde_json::to_string(&self.issuer).ok()?;
        let (mut json, mut has_iss, mut has_exp) = (String::new(), false, false);
        let mut push = |name: &str, value: &str| {
            json.push(if json.is_empty() { '{' } else { ',' });
            json.push_str(&serde_json::to_string(name).ok()?);
            json.push(':');
            json.push_str(value);
            Some(())
        };
        for (name, value) in claims.members.iter() {
            match name {
                "iss" => push(name, &issuer)?,
                "exp" => push(name, &format!("{exp}"))?,
                "iat" => push(name, &format!("{now}"))?,
                _ => push(name, value)?,
            }
            has_iss |= name == "iss";
            has_exp |= name == "exp";
        }
        if !has_iss {
            push("iss", &issuer)?;
        }
        if !has_exp {
            push("exp", &format!("{exp}"))?;
        }
        json.push('}');
        Some(json)
    }

    fn sign(&self, claims: &str) -> Option<String> {
        let kid = match self.key.kid() {
            Some(kid) => format!(",\"kid\":{}", serde_json::to_string(kid).ok()?),
            None => String::new(),
        };
        let header = format!("{{\"alg\":\"{}\"{kid}}}", self.key.algorithm().word());
        let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.key.sign(&[token.as_bytes()])?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Some(token)
    }
}

/// The first `depth` segments of an absolute path, `/` for none; `None` if it has fewer.
fn leading_segments(path: &str, depth: u64) -> Option<&str> {
    let Ok(depth) = usize::try_from(depth) else { return None };
    if depth == 0 {
        return Some("/");
    }
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    let end = ends.take(depth).enumerate().last().filter(|(index, _)| index + 1 == depth)?.1;
    // Behind a last `/` there is an empty segment.
    path.get(..end).filter(|leading| !leading.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::leading_segments;

    #[test]
    fn leading_segments_of_a_path() {
        for (path, depth, expected) in [
            ("/foo/bar/001.ts", 0, Some("/")),
            ("/foo/bar/001.ts", 1, Some("/foo")),
            ("/foo/bar/001.ts", 2, Some("/foo/bar")),
            ("/foo/bar/001.ts", 3, Some("/foo/bar/001.ts")),
            ("/foo/bar/001.ts", 4, None),
            ("/foo/bar/001.ts", u64::MAX, None),
            ("/foo/", 1, Some("/foo")),
            ("/foo/", 2, None),
            ("/", 0, Some("/")),
            ("/", 1, None),
        ] {
            assert_eq!(leading_segments(path, depth), expected, "{path} {depth}");
        }
    }
}
