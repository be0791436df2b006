//! Access tokens: JSON Web Tokens (RFC 7519) in compact serialisation, with claims that the configuration names.
//!
//! The signature is that of a key of the policy, or Envoy's `jwt_authn` has verified the token and hands its claims over.

pub mod attested;
pub mod claims;
mod paths;

use alloc::string::String;
use alloc::vec::Vec;

pub use self::attested::Attestation;
pub use self::claims::ClaimName;
use self::claims::Claims;
pub use self::paths::PathsAre;
use crate::http::incoming::{Incoming, RequestHead};
use crate::http::reply::Reason;
use crate::token::grant::Grant;
use crate::token::jws::{Compact, Header};
use crate::token::key_set::{Algorithm, Key, KeyError, KeySet};

/// Longest token in bytes. Access tokens of identity providers list roles and groups and have an RSA signature: two to
/// four kilobytes are common, and a proxy's limit for all headers is 60 KiB.
pub const MAX_SENT: usize = 8192;

/// The proof that a token is valid.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A signature by one of these keys, the issuer, the audience and the times.
    Signature(Rules),
    /// Envoy's `jwt_authn` has checked all of that.
    Envoy(Attestation),
}

/// Keys, and the claims that every token must have.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The keys.
    pub keys: KeySet,
    /// The accepted issuers (`iss`); empty: any.
    pub issuers: Vec<String>,
    /// Names of this service (`aud`). A token for an audience has to name one of them; if there are any, every token is
    /// for an audience.
    pub audiences: Vec<String>,
    /// Most seconds since a token was issued (`iat`). Tokens then need no `exp`.
    pub max_age: Option<u64>,
    /// Tolerated clock skew in seconds.
    pub skew: u64,
}

/// Verifies JSON Web Tokens (RFC 7519).
#[derive(Debug, Clone)]
pub struct Verifier {
    /// The proof of validity.
    pub proof: Proof,
    /// The claim with the paths that a token opens.
    pub paths: ClaimName,
    /// The form of its paths.
    pub paths_are: PathsAre,
    /// Refuse tokens without paths. Otherwise they open the directory of the playlist.
    pub require_paths: bool,
    /// The claim with the token's id.
    pub id: ClaimName,
    /// The claim with the payload of the session.
    pub payload: ClaimName,
}

/// The claims that a session is made of.
#[derive(Debug, Default, PartialEq, Eq)]
struct Subject {
    paths: Option<Vec<String>>,
    id: Option<String>,
    payload: Option<String>,
}

impl Verifier {
    /// Verifies an access token as sent with `incoming`: the signature first, so that a forged token reveals nothing
    /// and costs no more.
    ///
    /// # Errors
    /// [`Reason::Malformed`], [`Reason::Algorithm`], [`Reason::Signature`] (also if the issuer is another one),
    /// [`Reason::Early`], [`Reason::Expired`], [`Reason::Audience`], [`Reason::Path`] (also without paths).
    pub fn verify(&self, sent: &str, incoming: &Incoming<'_>, _: &[impl AsRef<str>]) -> Result<Grant, Reason> {
        let subject = match &self.proof {
            Proof::Signature(rules) => {
                let claims = rules.claims(sent, incoming.head.now)?;
                Subject {
                    paths: claims.find(&self.paths, Claims::texts)?,
                    id: claims.find(&self.id, Claims::text)?,
                    payload: claims.find(&self.payload, Claims::text)?,
                }
            }
            Proof::Envoy(attestation) => Subject {
                paths: attestation.texts(incoming.head, &self.paths)?,
                id: attestation.text(incoming.head, &self.id)?,
                payload: attestation.text(incoming.head, &self.payload)?,
            },
        };
        self.grant(subject, &incoming.target.path)
    }

    /// Whether an access token as sent has a valid signature, regardless of its claims.
    pub fn has_signed(&self, sent: &str) -> bool {
        match &self.proof {
            Proof::Signature(rules) => split(sent).is_ok_and(|compact| rules.signer(&compact).is_ok()),
            Proof::Envoy(_) => false,
        }
    }

    /// Whether tokens are verified by the proxy, so that none is looked for in the request.
    pub fn is_attested(&self) -> bool {
        matches!(self.proof, Proof::Envoy(_))
    }

    /// Whether the proxy has verified a token of the request `head`.
    pub fn has_attested(&self, head: &RequestHead<'_>) -> bool {
        matches!(&self.proof, Proof::Envoy(attestation) if attestation.is_there(head))
    }

    fn grant(&self, subject: Subject, path: &str) -> Result<Grant, Reason> {
        let acl = match subject.paths {
            Some(paths) => Some(paths::covering(&paths, self.paths_are, path)?),
            None if self.require_paths => return Err(Reason::Path),
            None => None,
        };
        Ok(Grant { acl, id: subject.id, payload: subject.payload, ..Grant::default() })
    }
}

impl Rules {
    /// The claims of a token whose signature, issuer, audience and times are valid.
    fn claims(&self, sent: &str, now: u64) -> Result<Claims, Reason> {
        let compact = split(sent)?;
        let key = self.signer(&compact)?;
        let claims = Claims::decode(compact.payload)?;
        let is_issuer = |issuer: &str| claims.iss.as_deref() == Some(issuer);
        let is_bound = key.issuer().is_none_or(is_issuer);
        if !is_bound || !self.issuers.is_empty() && !self.issuers.iter().any(|issuer| is_issuer(issuer)) {
            return Err(Reason::Signature);
        }
        claims.check_times(now, self.skew, self.max_age)?;
        // A token for an audience is for nobody else (RFC 7519, section 4.1.3).
        let is_for_us = claims.aud.iter().any(|audience| self.audiences.contains(audience));
        let is_for_anyone = claims.aud.is_empty() && self.audiences.is_empty();
        if is_for_us || is_for_anyone { Ok(claims) } else { Err(Reason::Audience) }
    }

    /// The key that signed a token.
    fn signer(&self, compact: &Compact<'_>) -> Result<&Key, Reason> {
        let header = Header::decode_signed(compact.header).ok_or(Reason::Malformed)?;
        let name = header.text("alg").ok_or(Reason::Malformed)?;
        let algorithm = Algorithm::named(&name).ok_or(Reason::Algorithm)?;
        let kid = header.kid.as_deref().map(str::as_bytes);
        let message = [compact.header.as_bytes(), b".", compact.payload.as_bytes()];
        self.keys.verify(algorithm, kid, &message, &compact.signature).map_err(|error| match error {
            KeyError::NoKey => Reason::Algorithm,
            KeyError::Signature => Reason::Signature,
        })
    }
}

/// The parts of a token. None of its characters needs an escape, so none is decoded.
fn split(sent: &str) -> Result<Compact<'_>, Reason> {
    let sent = if sent.len() <= MAX_SENT { sent } else { return Err(Reason::Malformed) };
    Compact::split(sent, None).ok_or(Reason::Malformed)
}

#[cfg(test)]
mod tests;
