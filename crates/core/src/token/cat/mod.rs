//! Access tokens: Common Access Tokens (CTA-5007), which are CBOR Web Tokens (RFC 8392) with claims of their own.
//!
//! A token is the base64url text, without padding, of a COSE_Mac0 with HS256 or a COSE_Sign1 with ES256. The claims are
//! read only after the signature has been verified. A claim that restricts the token is enforced or refuses it; see
//! `check`.

pub mod cbor;
mod check;
mod claims;
mod cose;
mod display;
mod facts;
mod matching;
mod network;
mod renewal;
mod uri;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use self::cbor::Value;
pub use self::claims::Refusal;
use self::cose::{Envelope, decoded};
pub use self::display::fields;
use self::facts::Facts;
pub use self::facts::LocationHeaders;
pub use self::renewal::Renewer;
use self::uri::Scope;
use crate::http::incoming::Incoming;
use crate::http::reply::Reason;
use crate::token::acl;
use crate::token::grant::Grant;
use crate::token::key_set::{Key, KeyError, KeySet};

/// Verifies Common Access Tokens (CTA-5007).
#[derive(Debug, Clone)]
pub struct Verifier {
    /// Keys that verify signatures.
    pub keys: KeySet,
    /// Names of which a token's `aud` must have one; any token is for this node if there are none.
    pub audience: Vec<String>,
    /// Headers of the client's location; `None` if the proxy is not known to set them.
    pub location: Option<LocationHeaders>,
    /// Renewal of tokens with `catr`; without it, they are not renewed.
    pub renewer: Option<Box<Renewer>>,
    /// Tolerated clock skew in seconds.
    pub skew: u64,
}

impl Verifier {
    /// Verifies an access token as sent with `incoming`. `reserved` are the query parameters that are removed before
    /// the origin sees the URL.
    ///
    /// # Errors
    /// The reason why the token is not valid for this request.
    pub fn verify(&self, sent: &str, incoming: &Incoming<'_>, reserved: &[impl AsRef<str>]) -> Result<Grant, Reason> {
        self.examine(sent, incoming, reserved).map_err(|refusal| refusal.reason)
    }

    /// [`Verifier::verify`] with the claim that refuses the token.
    ///
    /// # Errors
    /// The reason, and the name of the claim if it is one.
    pub fn examine(&self, sent: &str, incoming: &Incoming<'_>, reserved: &[impl AsRef<str>]) -> Result<Grant, Refusal> {
        let tokens = decoded(sent);
        let mut failure = Reason::Malformed;
        for token in &tokens {
            match self.signed(token) {
                Ok((envelope, key)) => {
                    let reserved: Vec<&str> = reserved.iter().map(AsRef::as_ref).collect();
                    return self.grant(token, envelope.payload, key, incoming, &reserved);
                }
                Err(reason) => failure = reason,
            }
        }
        Err(failure.into())
    }

    /// Whether an access token as sent has a valid signature, regardless of its claims.
    pub fn has_signed(&self, sent: &str) -> bool {
        decoded(sent).iter().any(|token| self.signed(token).is_ok())
    }

    fn signed<'a>(&self, token: &'a [u8]) -> Result<(Envelope<'a>, &Key), Reason> {
        let envelope = Envelope::parse(token)?;
        let message = [&*envelope.signed_head(), envelope.payload];
        let verified = self.keys.verify(envelope.algorithm, envelope.kid, &message, envelope.signature);
        match verified {
            Ok(key) => Ok((envelope, key)),
            Err(KeyError::NoKey) => Err(Reason::Algorithm),
            Err(KeyError::Signature) => Err(Reason::Signature),
        }
    }

    fn grant(
        &self,
        token: &[u8],
        payload: &[u8],
        key: &Key,
        incoming: &Incoming<'_>,
        reserved: &[&str],
    ) -> Result<Grant, Refusal> {
        let claims = cbor::read(payload).ok_or(Reason::Malformed)?;
        let set = claims.map().ok_or(Reason::Malformed)?;
        check::check(
            set,
            &Facts {
                incoming,
                reserved,
                audience: &self.audience,
                issuer: key.issuer(),
                location: self.location.as_ref(),
                skew: self.skew,
            },
        )?;
        Ok(Grant {
            acl: match uri::scope(set) {
                Scope::All => Some("/*".into()),
                // Of a path in which a prefix and a suffix overlap, the pattern is too narrow.
                Scope::Acl(acl) => Some(acl).filter(|acl| acl::allows(acl, &incoming.target.path)),
                Scope::Other => None,
            },
            id: cbor::get(set, claims::CTI).and_then(Value::bytes).map(base16ct::lower::encode_string),
            payload: cbor::get(set, claims::SUB).and_then(Value::text).map(String::from),
            renewed: self.renewer.as_ref().and_then(|renewer| renewer.renew(token, set, incoming.head.now)),
        })
    }
}

#[cfg(test)]
mod tests;
